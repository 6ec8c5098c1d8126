// Where a process stands in sessions, groups and terminals, as /proc/PID/stat has it.

import { readFileSync } from "node:fs";

export interface ProcStat {
  /** One letter: R, S, T (stopped), Z (dead, not reaped). */
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** Device number of the controlling terminal; 0 for none. */
  readonly terminal: number;
  /** Process group in the foreground of that terminal; -1 for none. */
  readonly foreground: number;
}

/** From the line that proc_pid_stat(5) describes; the name may hold anything, so what counts is the last bracket. */
export function parseStat(line: string): ProcStat {
  const [state = "?", ...numbers] = line.slice(line.lastIndexOf(")") + 2).split(" ");
  const [parent = 0, group = 0, session = 0, terminal = 0, foreground = 0] = numbers.map(Number);
  return { state, parent, group, session, terminal, foreground };
}

export function procStat(pid: number | "self"): ProcStat {
  return parseStat(readFileSync(`/proc/${pid}/stat`, "latin1"));
}

/** Whether a process has ended, reaped or not. */
export function isGone(pid: number): boolean {
  try {
    return procStat(pid).state === "Z";
  } catch {
    return true; // ENOENT before the file is opened, ESRCH after it
  }
}
