// pidfds by hand, for processes that are not ours: pidfd_open(2), pidfd_send_signal(2), and waiting for the end.

import { addon } from "./addon";
import { errnoName, SpawnError, systemError } from "./errors";
import { exitStatus, signalNumber } from "./exit-status";
import type { ExitStatus } from "./types";

function call<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw systemError(error);
  }
}

/**
 * A pidfd for a running process, close-on-exec; the caller closes it (fs.closeSync).
 * The pid may have been reused by the time of the call: check afterwards that it is the process you meant.
 * @throws SpawnError ESRCH, EINVAL
 */
export function pidfdOpen(pid: number): number {
  return call(() => addon().pidfdOpen(pid));
}

/**
 * A second fd for the same process, close-on-exec; the caller closes it (fs.closeSync).
 * @throws SpawnError EBADF, EMFILE
 */
export function pidfdDuplicate(pidfd: number): number {
  return call(() => addon().duplicate(pidfd));
}

/** @throws SpawnError ESRCH when the process is reaped, EPERM, EINVAL */
export function pidfdSendSignal(pidfd: number, signal: NodeJS.Signals | number): void {
  const number = signalNumber(signal);
  call(() => addon().pidfdSendSignal(pidfd, number, false));
}

/**
 * Waits for the end of a process. The pidfd stays the caller's, and the process is left for its parent to reap
 * (waitid(2), WNOWAIT): child_process and spawn() do that for theirs.
 * @throws SpawnError ECHILD when it is not our child and the kernel (before Linux 6.15) does not tell others how it ended
 */
export function pidfdWait(pidfd: number): Promise<ExitStatus> {
  return new Promise((resolve, reject) => {
    const own = pidfdDuplicate(pidfd);
    call(() =>
      addon().watch(own, (exit) => {
        if (exit.errno === undefined) {
          resolve(exitStatus(exit));
          return;
        }
        const { code, text } = errnoName(exit.errno);
        const failure = { code, errno: exit.errno, syscall: "waitid", step: "waitid", index: 0, steps: 0 };
        reject(new SpawnError(`The process has ended, but how is told to its parent only: ${code}, ${text}`, failure));
      }),
    );
  });
}
