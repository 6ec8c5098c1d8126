// How many files a child may have open. Node raises its own soft limit to the hard one when it starts, and what it runs
// would inherit that. Programs that use select(2) break above 1024, and some close every fd up to the limit, one by one:
// that is why the soft limit is low, and why Go puts it back in its children (syscall.origRlimitNofile). Node does not
// tell what it was, but whoever started us still has it.

import { readFileSync, readlinkSync } from "node:fs";
import { type Limit, limitIn } from "./proc-limits";

export interface OpenFilesLimit {
  /** Our own hard limit. */
  readonly hard: number;
  /** What the soft limit was before Node raised it; absent when Node did not, or nobody can tell. */
  readonly soft?: number;
}

/** @throws Error when that process has none, which means that it is gone */
function openFiles(pid: number | "self"): Limit {
  const limit = limitIn(readFileSync(`/proc/${pid}/limits`, "latin1"), "RLIMIT_NOFILE");
  if (limit === undefined) throw new Error(`/proc/${pid}/limits has no limit on open files`);
  return limit;
}

/**
 * The limit of the user, from our own and that of the one who started us. Another hard limit than ours means that
 * somebody between (`ulimit -n`, a service manager) set both on purpose, and then the soft one is theirs too.
 */
export function userLimit(own: Limit, starter: Limit): OpenFilesLimit {
  const raised = own.soft === own.hard && starter.hard === own.hard && starter.soft < own.soft;
  return { hard: own.hard, ...(raised ? { soft: starter.soft } : {}) };
}

function executable(pid: number | "self"): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return undefined; // another user's
  }
}

/** From /proc/PID/stat, behind the name, which may hold anything (proc_pid_stat(5)). */
function parentOf(pid: number): number {
  return Number(/.*\) \S (\d+) /s.exec(readFileSync(`/proc/${pid}/stat`, "latin1"))?.[1] ?? 0);
}

/** The first ancestor that runs another program than we do: no Node raised its limit. */
function starter(): number {
  const own = executable("self");
  let pid = process.ppid;
  while (pid > 1 && executable(pid) === own) pid = parentOf(pid);
  return pid;
}

function find(): OpenFilesLimit {
  let own: Limit;
  try {
    own = openFiles("self");
  } catch {
    return { hard: Number.POSITIVE_INFINITY }; // no /proc: only the kernel knows
  }
  try {
    return userLimit(own, openFiles(starter()));
  } catch {
    return { hard: own.hard }; // gone, or outside our PID namespace: then the limit stays as Node made it
  }
}

let found: OpenFilesLimit | undefined;

/** Looked up once: the one who started us may be gone later. */
export function openFilesLimit(): OpenFilesLimit {
  found ??= find();
  return found;
}
