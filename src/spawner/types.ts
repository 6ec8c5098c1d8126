// The shapes that go into and come out of spawn(). Names follow Node's child_process where Node has the thing,
// Go's syscall.SysProcAttr (in camelCase) for what is the kernel's, and the OCI runtime specification for the rest.

import type { Readable, Writable } from "node:stream";
import type { Capability } from "./capabilities";
import type { Landlock } from "./landlock";
import type { Seccomp } from "./seccomp/oci";

/**
 * clone(2) flags that a caller may ask for: namespaces, and four that a process may want. The others (CLONE_VM,
 * CLONE_VFORK, ...) belong to the spawner (rules/flag-names.ts).
 */
export const CLONE_FLAGS = {
  CLONE_NEWTIME: 0x0000_0080,
  CLONE_NEWNS: 0x0002_0000,
  CLONE_SYSVSEM: 0x0004_0000,
  CLONE_UNTRACED: 0x0080_0000,
  CLONE_NEWCGROUP: 0x0200_0000,
  CLONE_NEWUTS: 0x0400_0000,
  CLONE_NEWIPC: 0x0800_0000,
  CLONE_NEWUSER: 0x1000_0000,
  CLONE_NEWPID: 0x2000_0000,
  CLONE_NEWNET: 0x4000_0000,
  CLONE_IO: 0x8000_0000,
  /** Always set, asked for or not. */
  CLONE_CLEAR_SIGHAND: 0x1_0000_0000,
} as const;

/** Name of a flag, spelled as in clone(2). */
export type CloneFlag = keyof typeof CLONE_FLAGS;

/** One line of /proc/PID/uid_map, user_namespaces(7), with the OCI names. */
export interface IdMapping {
  /** First id inside the user namespace. */
  containerID: number;
  /** First id outside. */
  hostID: number;
  /** How many ids in a row; at least 1. */
  size: number;
}

export interface Credential {
  uid: number;
  gid: number;
  /** Supplementary groups; none by default. */
  groups?: number[];
  /** Leave the supplementary groups alone (setgroups(2) is denied in an unprivileged user namespace). */
  noSetGroups?: boolean;
}

/** A mount inside the sandbox. Order matters: later mounts are made on top of earlier ones. */
export interface Mount {
  /** Absolute path inside the root. Symbolic links in it are resolved inside the root. */
  destination: string;
  /** Default: 'bind' when there is a source. */
  type?: MountType;
  /** Host path for binds and copy-on-write (the same folder, with a layer of the child's own over it), the text for a symlink, the device name otherwise. */
  source?: string;
  /** 'ro', 'rw', 'nosuid', 'nodev', 'noexec', 'bind', 'rbind', 'optional' (skip a bind whose source is missing, a file system that the kernel refuses here), 'nofollow' (refuse a source with a symbolic link in it), 'inside' (the source is a path inside, of what is mounted there by then), and what the file system takes ('size=10m', 'mode=1777'). */
  options?: string[];
  /** Content of a 'file'. */
  data?: string;
  /** Permission bits of a 'dir', 'file' or of the root of a tmpfs. */
  mode?: number;
}

export const MOUNT_TYPES = [
  "bind",
  "tmpfs",
  "proc",
  "sysfs",
  "devpts",
  "mqueue",
  "cgroup2",
  "overlay",
  "copy-on-write",
  "dev",
  "dir",
  "symlink",
  "file",
] as const;
export type MountType = (typeof MOUNT_TYPES)[number];

export interface CapabilitySets {
  bounding?: Capability[];
  effective?: Capability[];
  permitted?: Capability[];
  inheritable?: Capability[];
  /** Leave the bounding set alone: to drop from it needs CAP_SETPCAP, and under no_new_privs it bounds nothing. */
  keepBounding?: boolean;
}

export interface Rlimit {
  /** 'RLIMIT_NOFILE' and so on, getrlimit(2). */
  type: string;
  /** A number, or -1 for RLIM_INFINITY. */
  soft: number;
  hard: number;
}

export interface TimeOffset {
  secs: number;
  nanosecs: number;
}

/** What the kernel is asked for, beyond what child_process offers. */
export interface SysProcAttr {
  /** New namespaces, and what else clone3(2) is asked for. */
  cloneflags?: CloneFlag[];
  /** New namespaces, made by unshare(2) after the clone and after the joins. */
  unshareflags?: CloneFlag[];
  uidMappings?: IdMapping[];
  gidMappings?: IdMapping[];
  /** Leave setgroups(2) allowed in the new user namespace; needs CAP_SETGID outside. */
  gidMappingsEnableSetgroups?: boolean;
  credential?: Credential;
  chroot?: string;
  setsid?: boolean;
  /** Put the child into process group `pgid`, or into a new one of its own when pgid is absent. */
  setpgid?: boolean;
  pgid?: number;
  /**
   * Make the child's process group the foreground group of the terminal `ctty`. Implies setpgid. Here `ctty` is an index
   * in the child where stdio has an entry, and otherwise an fd of ours, as in Go.
   */
  foreground?: boolean;
  /** Make fd `ctty` (an index in the child) the controlling terminal. Needs setsid. */
  setctty?: boolean;
  /** Detach fd 0 from being the controlling terminal. */
  noctty?: boolean;
  ctty?: number;
  /** Signal that the child gets when the thread that spawned it ends. */
  pdeathsig?: NodeJS.Signals;
  /** Stop at execve(2), traced by the spawner: see Process.tracee. */
  ptrace?: boolean;
  /** Raised in the permitted, inheritable and ambient sets, and kept across the change of user. */
  ambientCaps?: Capability[];
  /** fd of a cgroup v2 directory; the child is born in it (CLONE_INTO_CGROUP). */
  cgroupFD?: number;
  /**
   * Namespaces to join, in order: after those of cloneflags are made, before those of unshareflags. fd is a pidfd (of a
   * holder, of a sandbox's PID 1), with as many types as wanted, or the fd of one namespace (/proc/PID/ns/net).
   */
  setns?: { fd: number; nstype: CloneFlag[] }[];
  rlimits?: Rlimit[];
  /** Milliseconds until SIGALRM (ITIMER_REAL). */
  realTimeLimit?: number;
  timeOffsets?: { monotonic?: TimeOffset; boottime?: TimeOffset };
  hostname?: string;
  domainname?: string;
  /** Bring up `lo` in the new network namespace. */
  loopback?: boolean;
  /** New root by pivot_root(2). Without a path: a fresh tmpfs. Options ('nosuid', 'nodev', ...) hold for the whole tree. */
  rootfs?: { path?: string; readonly?: boolean; options?: ("ro" | "nosuid" | "nodev" | "noexec")[] };
  mounts?: Mount[];
  /** Covered so that nothing can be read: an empty read-only directory, or /dev/null. A missing path is skipped. */
  maskedPaths?: string[];
  /** Made read-only, with everything below. A missing path is skipped. */
  readonlyPaths?: string[];
  capabilities?: CapabilitySets;
  noNewPrivileges?: boolean;
  /** Rules of the Linux security module Landlock, entered after no_new_privs; landlock(7). */
  landlock?: Landlock;
  /** A system call filter; needs noNewPrivileges, or CAP_SYS_ADMIN. */
  seccomp?: Seccomp;
  oomScoreAdj?: number;
  umask?: number;
  newSessionKeyring?: boolean;
  /** A PID 1 of our own in the new PID namespace. Default: true exactly when cloneflags has CLONE_NEWPID. */
  init?: boolean;
  /**
   * Without a PID namespace, a process of ours before the command that owns all that the command starts, whatever sessions
   * and parents it takes: it signals all of them at once, ends them with the command, and so does a second one should the
   * first be killed. By Landlock's scope of signals (ABI 6), which sys.landlock must have too.
   */
  subreaper?: boolean;
}

export interface TerminalOptions {
  columns: number;
  rows: number;
}

/** 'pipe': a stream on our side; 'ignore': /dev/null; 'inherit': ours; a number: that fd of ours; null: closed. */
export type StdioEntry = "pipe" | "ignore" | "inherit" | number | null;

export interface SpawnOptions {
  argv0?: string;
  cwd?: string;
  /** Default: process.env. Undefined values are left out. */
  env?: Record<string, string | undefined>;
  /** Entry i is the child's fd i; all other fds are closed. Default: three pipes. */
  stdio?: "pipe" | "ignore" | "inherit" | StdioEntry[];
  /** A new pseudoterminal as fds 0, 1 and 2, in a session of its own. Excludes stdio. */
  terminal?: TerminalOptions;
  sys?: SysProcAttr;
  /** Milliseconds until killSignal is sent. */
  timeout?: number;
  /** Sent on timeout and abort. Default: SIGKILL. */
  killSignal?: NodeJS.Signals;
  signal?: AbortSignal;
  /**
   * Told of the calls that sys.seccomp has refused with an errno other than ENOSYS, in sums, at most twenty times a second.
   * The calls then wait until our event loop has answered them. Where the kernel can't tell (probe(): "seccomp
   * notification"), the same is refused and nobody is told.
   */
  onDenied?: (calls: readonly DeniedCall[]) => void;
}

/** System calls that a filter has refused since it was told last. */
export interface DeniedCall {
  /** 'keyctl' */
  readonly syscall: string;
  /** What says what was wanted: the family of a socket, the request of an ioctl, the flags of a clone; or 0. */
  readonly argument: number;
  /** Name of the process that tried first (proc_pid_comm(5)); empty where it could not be read. */
  readonly command: string;
  readonly count: number;
}

export interface ExitStatus {
  /** Exit code, or null when a signal ended it. */
  code: number | null;
  /** Name of the signal that ended it ('SIGKILL'), or null. */
  signal: string | null;
  coreDumped: boolean;
  /** Seconds from the clone to the exit. */
  wallTime: number;
  /** Seconds of CPU, with all descendants that were waited for. */
  userTime: number;
  systemTime: number;
  /**
   * Peak resident size in bytes of the largest process. Under a PID 1 of ours it counts the sandbox's processes alone;
   * for a direct child, getrusage(2) counts the spawning process's own memory before the execve too.
   */
  maxRss: number;
  /** Set when we ended it: by timeout, or by kill() or the AbortSignal; 'memory', 'pids' and 'cpuTime' when a limit did. */
  reason?: "timeout" | "memory" | "pids" | "cpuTime" | "killed";
}

/** The sandbox's side of a pseudoterminal. */
export interface Terminal {
  /** Ends (EIO) when the last process that holds the terminal is gone, after the last byte. */
  readonly output: Readable;
  write(data: string | Uint8Array): void;
  resize(columns: number, rows: number): void;
}

/** A stop of a traced process (ptrace(2)). */
export interface Stop {
  /** The signal that it is about to get; SIGTRAP at its execve. continue() with it, or it never arrives. */
  readonly signal: string;
}

/** A process that is traced by the spawner's thread, and killed when that ends. */
export interface Tracee {
  /**
   * The next stop; the first is SIGTRAP at execve(2), before the command's first instruction. Null once the process has
   * ended or is no longer traced.
   * @throws SpawnError
   */
  nextStop(): Promise<Stop | null>;
  /**
   * Let it run on until its next stop (PTRACE_CONT).
   * @param signal delivered to it
   * @throws SpawnError ESRCH when it is not stopped, or gone
   */
  continue(signal?: NodeJS.Signals | number): Promise<void>;
  /**
   * Trace it no more (PTRACE_DETACH) and let it run on. With 'SIGSTOP' it waits for another debugger.
   * @throws SpawnError ESRCH when it is not stopped, or gone
   */
  detach(signal?: NodeJS.Signals | number): Promise<void>;
}

export interface Process extends AsyncDisposable {
  /**
   * Outside pid of the process that was cloned: the command, the PID 1 of its PID namespace, or, for a command that was
   * born inside a PID namespace it joined, the process outside that looks after it.
   */
  readonly pid: number;
  /** Owned by this object and closed once the process is reaped; -1 from then on. */
  readonly pidfd: number;
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  readonly stdio: readonly (Readable | Writable | null)[];
  readonly terminal?: Terminal;
  /** With sys.ptrace. */
  readonly tracee?: Tracee;
  /** Never rejects. */
  readonly exited: Promise<ExitStatus>;
  /**
   * Send a signal through the pidfd (pidfd_send_signal(2)); under a PID 1 of ours it is passed on to the command.
   * @returns false once the process is reaped
   * @throws EPERM, EINVAL
   */
  kill(signal?: NodeJS.Signals | number): boolean;
}

/** One step of a plan, as explain() shows it. */
export interface Step {
  /** What is done, in the field's term: 'mount', 'unshare', 'exec'. */
  readonly name: string;
  /** On what, in words. */
  readonly detail: string;
}

/** Something that spawn() would refuse. */
export interface Problem {
  /** Path of the option: 'sys.uidMappings[1].size'. */
  readonly path: string;
  /** What is wrong, with the man page's reason in words. */
  readonly message: string;
}

/** Whether the kernel lets us use a feature, found by trying it. */
export interface Feature {
  readonly feature: string;
  readonly available: boolean;
  readonly errno?: string;
  /** Which step failed, on what, and why. */
  readonly reason?: string;
  readonly remedy?: string;
  /** How much of it there is: the ABI of Landlock and what it can do. */
  readonly detail?: string;
}

export interface NamespaceHolder extends AsyncDisposable {
  readonly pid: number;
  readonly pidfd: number;
  /** End the parked child and wait for it; the namespaces live on in whoever joined them. */
  release(): Promise<void>;
}
