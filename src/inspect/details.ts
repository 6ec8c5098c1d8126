// Everything about one process that is too much for the tree: shown when the user opens it.

import { capabilities } from "./capabilities";
import { cgroup } from "./cgroup";
import { limits } from "./limits";
import { idMappings, namespaces } from "./namespaces";
import { AccessError, parseStatus, readProcessFile } from "./procfs";
import { visible } from "./text";
import type { Denied, ProcessDetails, Reading, SeccompMode, SecurityInfo } from "./types";

const SECCOMP_MODES: readonly SeccompMode[] = ["off", "strict", "filter"];

/** Whether a reading was refused by the kernel. */
export function isDenied(reading: unknown): reading is Denied {
  return typeof reading === "object" && reading !== null && "denied" in reading && reading.denied === true;
}

/** A refusal as a value, so that one of them does not hide the other readings. */
async function orDenied<T>(reading: Promise<T | undefined>): Promise<Reading<T>> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof AccessError) {
      return { denied: true, message: error.message };
    }
    throw error;
  }
}

/** The label that a security module gave the process; the file answers EINVAL where there is none. */
async function label(pid: number): Promise<string | undefined> {
  try {
    const text = (await readProcessFile(pid, "attr/current"))?.replace(/[\0\n]+$/, "");
    return text ? visible(text) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Seccomp mode, no_new_privs and security label of a process; proc_pid_status(5), proc_pid_attr(5).
 * @returns undefined once the process is gone
 */
export async function security(pid: number): Promise<SecurityInfo | undefined> {
  const [text, name] = await Promise.all([readProcessFile(pid, "status"), label(pid)]);
  if (text === undefined) {
    return undefined;
  }
  const status = parseStatus(text);
  const number = (key: string): number | undefined => {
    const value = status.get(key);
    return value === undefined ? undefined : Number(value);
  };
  const [mode, filters, noNewPrivileges] = [number("Seccomp"), number("Seccomp_filters"), number("NoNewPrivs")];
  return {
    seccomp: mode === undefined ? undefined : SECCOMP_MODES[mode],
    seccompFilters: filters,
    noNewPrivileges: noNewPrivileges === undefined ? undefined : noNewPrivileges === 1,
    label: name,
  };
}

/**
 * All that can be read about a process. Never throws for a process that ended or that may not be seen: each reading
 * says so by itself.
 */
export async function processDetails(pid: number): Promise<ProcessDetails> {
  const [ns, caps, ids, lims, group, secure] = await Promise.all([
    orDenied(namespaces(pid).then((list) => (list.length === 0 ? undefined : list))),
    orDenied(capabilities(pid)),
    orDenied(idMappings(pid)),
    orDenied(limits(pid)),
    orDenied(cgroup(pid)),
    orDenied(security(pid)),
  ]);
  return { namespaces: ns, capabilities: caps, idMappings: ids, limits: lims, cgroup: group, security: secure };
}
