// What the kernel counts in a cgroup's *.events files, and which limit ended a command by it. Pure.

import type { ExitStatus } from "../../spawner/types";
import { parseDuration } from "../quantities";
import type { Limits } from "../schema";

export interface CgroupEvents {
  /** Processes that were killed for memory (memory.events: oom_kill, oom_group_kill). */
  readonly oomKills: number;
  /** Forks that were refused (pids.events: max). */
  readonly refusedForks: number;
}

/** Lines "key value". */
export function parseKeyed(text: string): ReadonlyMap<string, number> {
  return new Map(
    text.split("\n").flatMap((line): [string, number][] => {
      const [key, value] = line.split(" ");
      return key === undefined || value === undefined ? [] : [[key, Number(value)]];
    }),
  );
}

/** 128 + SIGXCPU: what a shell makes of a command that it ended. */
const XCPU_CODE = 128 + 24;

/** Whether the CPU time of one process was used up (RLIMIT_CPU: SIGXCPU, then SIGKILL a second later). */
function isOutOfCpuTime(status: ExitStatus, limit: string | undefined): boolean {
  const milliseconds = limit === undefined ? undefined : parseDuration(limit);
  if (milliseconds === undefined) return false;
  if (status.signal === "SIGXCPU" || status.code === XCPU_CODE) return true;
  // What it used is told for all processes together: enough of it is needed, and no other cause known.
  return status.signal === "SIGKILL" && status.userTime + status.systemTime >= milliseconds / 1000;
}

/**
 * The limit that ended a command.
 * @param events of its cgroup; undefined without one
 * @returns undefined when none did, or when it ended well in spite of it
 */
export function limitReached(
  status: ExitStatus,
  limits: Limits,
  events: CgroupEvents | undefined,
): ExitStatus["reason"] {
  if (status.reason === "timeout" || status.code === 0) return status.reason;
  if (events !== undefined && events.oomKills > 0) return "memory";
  if (status.reason !== undefined) return status.reason;
  if (isOutOfCpuTime(status, limits.cpuTime)) return "cpuTime";
  // A fork that was refused long ago may have been got over; but a command that fails after one says why by itself at best.
  return events !== undefined && events.refusedForks > 0 ? "pids" : undefined;
}
