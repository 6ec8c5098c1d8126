// A signal to one process of a sandbox, through a pidfd, so that it can never reach another process that was given the
// same pid in the meantime.

import { closeSync } from "node:fs";
import { startTimeSync } from "../inspect/procfs";
import type { ProcessInfo } from "../inspect/types";
import { pidfdOpen, pidfdSendSignal } from "../spawner";

function isGone(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ESRCH";
}

/**
 * Sends a signal to the process that was seen, and to no other: the start time is checked while the pidfd is held, and
 * a pidfd that was opened before the check names the process that the check saw.
 * @returns false when that process has ended
 * @throws EPERM
 */
export function signalProcess(info: Pick<ProcessInfo, "pid" | "startTime">, signal: NodeJS.Signals): boolean {
  let pidfd: number;
  try {
    pidfd = pidfdOpen(info.pid);
  } catch (error) {
    if (isGone(error)) {
      return false;
    }
    throw error;
  }
  try {
    if (startTimeSync(info.pid) !== info.startTime) {
      return false;
    }
    pidfdSendSignal(pidfd, signal);
    return true;
  } catch (error) {
    if (isGone(error)) {
      return false;
    }
    throw error;
  } finally {
    closeSync(pidfd);
  }
}
