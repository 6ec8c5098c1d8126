// Starts the worker under the supervisor, and what is known about which step makes which system call.

import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { LIBRARY_NODE } from "../../support/library";
import { program } from "../../support/programs";
import { SLOWNESS } from "../../support/slowness";

/** Runs one of the scripts of this folder under test/native/programs/inject.cc and parses what it prints. */
export function underSupervision<T>(script: string, ...args: string[]): Promise<T> {
  return underSupervisionWithout([], script, ...args);
}

/** The same, where some system calls do not exist at all. */
export async function underSupervisionWithout<T>(
  missing: readonly string[],
  script: string,
  ...args: string[]
): Promise<T> {
  const file = resolve(`out/test/native/faults/${script}.js`);
  const supervised = [program("inject"), LIBRARY_NODE, "--expose-gc", file, ...args];
  const [command = "", ...rest] =
    missing.length === 0
      ? supervised
      : [program("refuse"), missing.map((call) => `${call}=ENOSYS`).join(), "--", ...supervised];
  const { stdout } = await promisify(execFile)(command, rest, {
    maxBuffer: 1 << 26,
    timeout: (SLOWNESS > 1 ? 100_000 : 50_000) * SLOWNESS,
    killSignal: "SIGKILL",
  });
  return JSON.parse(stdout);
}

const WRITES_FILE = ["openat", "write"];
const WALKS = ["openat2", "openat", "statx", "mkdirat", "fchmodat", "mknodat", "readlinkat", "fcntl"];
const REMOUNTS = ["mount", "read"];
const MOUNTS = [
  ...["fsopen", "fsconfig", "fsmount", "fstatfs", "open_tree", "mount_setattr", "move_mount"],
  ...REMOUNTS,
  ...WALKS,
];

/** The system calls that a step may fail in, in the child or in the parent, by the name that explain() gives it. */
export const STEP_CALLS: Readonly<Record<string, readonly string[]>> = {
  prepare: ["pipe2", "socketpair", "setsockopt", "memfd_create", "openat", "clone3", "recvmsg", "eventfd2"],
  clone3: ["clone3", "read"],
  "parent-death signal": ["prctl", "ppoll"],
  "id-map": [...WRITES_FILE, "ppoll", "read"],
  setns: ["setns"],
  unshare: ["unshare"],
  hostname: ["sethostname"],
  domainname: ["setdomainname"],
  loopback: ["socket", "ioctl"],
  propagation: ["mount", "openat"],
  rootfs: MOUNTS,
  mount: MOUNTS,
  mkdir: WALKS,
  symlink: [...WALKS, "symlinkat"],
  file: [...WALKS, "write", "fchmod"],
  mask: MOUNTS,
  "read-only": MOUNTS,
  pivot_root: ["fchdir", "pivot_root", "umount2", "chdir"],
  chroot: ["chroot", "chdir"],
  "time offset": WRITES_FILE,
  rlimit: ["prlimit64"],
  oom_score_adj: WRITES_FILE,
  keyring: ["keyctl"],
  "bounding set": ["prctl"],
  "keep capabilities": ["prctl"],
  groups: ["setgroups"],
  gid: ["setresgid"],
  uid: ["setresuid"],
  capabilities: ["prctl", "capset"],
  "ambient set": ["prctl", "capget", "capset"],
  no_new_privs: ["prctl"],
  "landlock ruleset": ["landlock_create_ruleset"],
  "landlock rule": ["openat2", "openat", "readlinkat", "statx", "fcntl", "landlock_add_rule"],
  landlock: ["landlock_restrict_self"],
  subreaper: ["rt_sigprocmask", "prctl", "landlock_create_ruleset", "landlock_restrict_self", "pipe2", "clone"],
  umask: ["umask"],
  cwd: ["chdir", "getcwd"],
  terminal: ["openat", "ioctl", "sendmsg"],
  fds: ["fcntl", "dup3", "close_range", "openat", "getdents64"],
  setsid: ["setsid"],
  setpgid: ["setpgid"],
  "controlling terminal": ["ioctl"],
  foreground: ["getpgid", "ioctl"],
  itimer: ["setitimer"],
  signals: ["rt_sigprocmask"],
  seccomp: ["seccomp", "sendmsg"],
  fork: ["rt_sigprocmask", "pidfd_open", "clone"],
  ptrace: ["ptrace"],
  park: ["rt_sigaction"],
  // The second row: the helper, before it begins with the rest.
  exec: ["execve", "execveat", ...["prctl", "lseek", "mmap", "fcntl"]],
};

/** Steps that make no system call whose failure would end the spawn. */
export const SILENT: readonly string[] = ["prepare", "clone3", "park"];
