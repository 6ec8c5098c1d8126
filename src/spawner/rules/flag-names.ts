// Every flag of clone(2), and why those that may not be asked for are refused.

import { CLONE_FLAGS } from "../types";

/** Flags that make a namespace. */
export const NAMESPACES: readonly string[] = Object.keys(CLONE_FLAGS).filter((name) => name.startsWith("CLONE_NEW"));

const OURS = "belongs to the spawner";

/** Flags that clone(2) has and spawn() refuses. */
export const REFUSED: Readonly<Record<string, string>> = {
  CLONE_VM: `${OURS}, which always sets it: the child shares our memory until its execve, and never after`,
  CLONE_VFORK: `${OURS}, which always sets it: spawn() resolves when the execve has succeeded`,
  CLONE_PIDFD: `${OURS}, which always sets it: the pidfd is child.pidfd`,
  CLONE_PARENT_SETTID: `${OURS}, which always sets it: the pid is child.pid`,
  CLONE_THREAD:
    "can't be asked for: it makes a thread of this program and not a process, and an execve in a thread replaces the whole program (clone(2), execve(2))",
  CLONE_SIGHAND:
    "can't be asked for: the child would share this program's signal handlers, and CLONE_CLEAR_SIGHAND, which the spawner always sets, excludes it (clone(2))",
  CLONE_FILES:
    "can't be asked for: the child would close this program's own fds (clone(2)). Hand fds on in stdio instead",
  CLONE_FS:
    "can't be asked for: the child's cwd, root and umask would become this program's (clone(2)). Leave it out: the child gets copies",
  CLONE_PARENT:
    "can't be asked for: the child would be our sibling, whose end we could not wait for (clone(2), wait(2))",
  CLONE_PTRACE: "can't be asked for: it is for a tracer's own use (clone(2)). To trace the command, set sys.ptrace",
  CLONE_SETTLS:
    "can't be asked for: the child uses this program's memory until its execve, which makes thread-local storage anew (clone(2))",
  CLONE_CHILD_SETTID: `can't be asked for: it writes to the child's memory, which is this program's until the execve (clone(2)). The pid is child.pid`,
  CLONE_CHILD_CLEARTID:
    "can't be asked for: it writes to the child's memory, which is this program's until the execve (clone(2)). Await child.exited instead",
  CLONE_DETACHED:
    "can't be asked for: it has done nothing since Linux 2.6.2, and clone3 refuses it (clone(2)). Leave it out",
  CLONE_INTO_CGROUP: "is set by sys.cgroupFD: give the cgroup there (clone(2))",
  CLONE_STOPPED: "is gone since Linux 2.6.38 (clone(2)). To stop the command at its start, set sys.ptrace",
  CLONE_PID: "is gone since Linux 2.5.16 (clone(2)). For PIDs of its own, use CLONE_NEWPID",
};

/** Flags that spawn() takes but unshare(2) does not know: it says EINVAL. */
export const NOT_UNSHARED: Readonly<Record<string, string>> = {
  CLONE_CLEAR_SIGHAND: "the spawner always resets the signal handlers",
  CLONE_IO: "put it into sys.cloneflags to share the I/O context; without it the child has one of its own",
  CLONE_UNTRACED: "put it into sys.cloneflags",
};

/** Flags that unshare(2) knows and the child has no use for, and why. */
export const UNSHARED_ALREADY: Readonly<Record<string, string>> = {
  CLONE_FILES: "the child has fds of its own already: leave it out (unshare(2))",
  CLONE_FS: "the child has a root, cwd and umask of its own already: leave it out (unshare(2))",
  CLONE_SIGHAND: "the child has signal handlers of its own already: leave it out (unshare(2))",
  CLONE_THREAD: "the child is a single thread already: leave it out (unshare(2))",
  CLONE_VM: "the child's memory is ours until its execve, which gives it its own: leave it out (unshare(2): EINVAL)",
};

/** Every name there is, for suggestions. */
export const ALL_NAMES: readonly string[] = [...Object.keys(CLONE_FLAGS), ...Object.keys(REFUSED)];
