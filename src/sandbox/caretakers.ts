// Which processes of a sandbox are ours.

import type { ProcessInfo } from "../inspect/types";
import type { Isolation } from "./types";

/**
 * Outside pids of those that look after the others: PID 1; or the owner of a tree and its guard, the first that the owner
 * has started (native/init/tree.h). By no name: a task may call itself as it likes.
 * @param first of the sandbox: the pid of its Process
 */
export function caretakers(inside: readonly ProcessInfo[], first: number, isolation: Isolation): ReadonlySet<number> {
  if (isolation === "namespaces") return new Set([first]);
  const [guard] = inside
    .filter(({ parentPid }) => parentPid === first)
    .toSorted((a, b) => Number(a.startTime) - Number(b.startTime) || a.pid - b.pid);
  return new Set(guard === undefined ? [first] : [first, guard.pid]);
}
