// What each system call of a child may plausibly answer: from its man page, or from the seccomp filter of a container.

/** The first one of a row must always end the spawn; it is the one that every single occurrence of the call gets. */
export const PLAUSIBLE: Readonly<Record<string, readonly string[]>> = {
  capget: ["EPERM"],
  capset: ["EPERM"],
  chdir: ["ENOENT", "EACCES"],
  chroot: ["EPERM", "ENOENT"],
  clone: ["EAGAIN", "ENOMEM", "EPERM"],
  close_range: ["ENOSYS", "EPERM"],
  dup3: ["EMFILE", "EBADF"],
  execve: ["ENOENT", "EACCES", "ENOEXEC", "E2BIG", "ENOMEM", "EPERM", "ETXTBSY"],
  execveat: ["ENOMEM", "EACCES", "EPERM", "ENOSYS"],
  fchdir: ["EACCES"],
  fchmod: ["EPERM", "EROFS"],
  fchmodat: ["EPERM", "EROFS"],
  fcntl: ["EMFILE", "EBADF"],
  fsconfig: ["EINVAL", "EPERM", "ENOMEM"],
  fsmount: ["EPERM", "EMFILE"],
  fsopen: ["EPERM", "ENODEV", "ENOSYS"],
  fstatfs: ["EIO"],
  getcwd: ["ENOENT"],
  ioctl: ["ENOTTY", "EPERM", "EIO"],
  keyctl: ["EPERM", "EDQUOT", "ENOSYS"],
  landlock_add_rule: ["ENOMEM", "EINVAL"],
  landlock_create_ruleset: ["ENOSYS", "EMFILE", "ENOMEM"],
  landlock_restrict_self: ["EPERM", "E2BIG", "ENOMEM"],
  lseek: ["ESPIPE"],
  mkdirat: ["ENOSPC", "EACCES", "EROFS"],
  mknodat: ["ENOSPC", "EPERM", "EROFS"],
  mmap: ["ENOMEM", "EPERM"],
  mount: ["EPERM", "EACCES"],
  mount_setattr: ["EPERM", "EINVAL", "EBUSY", "ENOSYS"],
  move_mount: ["EPERM", "EINVAL", "ENOSPC"],
  open_tree: ["EPERM", "ENOENT", "ENOSYS"],
  openat: ["EMFILE", "EACCES", "ENFILE"],
  openat2: ["EMFILE", "ELOOP", "EACCES", "EAGAIN", "ENOSYS"],
  pidfd_open: ["EMFILE", "ENOSYS"],
  pipe2: ["EMFILE", "ENFILE"],
  pivot_root: ["EPERM", "EINVAL", "EBUSY"],
  ppoll: ["ENOMEM"],
  prctl: ["EPERM"],
  prlimit64: ["EPERM"],
  ptrace: ["EPERM"],
  read: ["EIO"],
  rt_sigaction: ["EINVAL"],
  rt_sigprocmask: ["EPERM"],
  seccomp: ["EACCES", "EINVAL", "EBUSY", "ENOMEM"],
  sendmsg: ["EPIPE", "ENOMEM"],
  setdomainname: ["EPERM"],
  setgroups: ["EPERM", "ENOMEM"],
  sethostname: ["EPERM"],
  setitimer: ["EPERM"],
  setns: ["EPERM", "EINVAL"],
  setpgid: ["EPERM", "EACCES"],
  setresgid: ["EPERM", "EINVAL"],
  setresuid: ["EPERM", "EAGAIN"],
  setsid: ["EPERM"],
  socket: ["EMFILE", "EPERM", "EAFNOSUPPORT"],
  statx: ["EIO", "ENOSYS"],
  symlinkat: ["ENOSPC", "EROFS"],
  umask: ["EPERM"],
  umount2: ["EPERM", "EBUSY"],
  unshare: ["EPERM", "EINVAL", "ENOSPC"],
  write: ["EPERM", "EINVAL"],
};

/** The same for the threads of the parent that make a child: "spawner", and "writer" for id maps. */
export const PLAUSIBLE_OUTSIDE: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  spawner: {
    clone3: ["EPERM", "EAGAIN", "ENOMEM", "ENOSPC", "E2BIG", "ENOSYS", "EINVAL"],
    eventfd2: ["EMFILE", "ENFILE"],
    memfd_create: ["EMFILE", "ENFILE", "ENOMEM", "ENOSYS", "EACCES"],
    openat: ["EMFILE", "ENFILE", "EACCES"],
    pipe2: ["EMFILE", "ENFILE"],
    read: ["EIO", "EINTR"],
    recvmsg: ["EMFILE"],
    setsockopt: ["EPERM"],
    socketpair: ["EMFILE", "ENFILE"],
    write: ["ENOSPC", "ENOMEM"],
  },
  writer: { openat: ["EPERM", "EACCES", "EMFILE"], write: ["EPERM", "EINVAL"] },
};

/** How many of the same calls in one child get every errno; those behind them get the first one only. */
export const FULLY = 2;
/** Of the same call over and over (signals, capabilities) so many are enough, and the last, which may be another step's. */
export const LONGEST_RUN = 8;

export interface Exception {
  readonly call: string;
  readonly errnos?: readonly string[];
  /** 'child', 'child.1'; any when absent. */
  readonly role?: string;
  /** Whether the spawn always goes on, or only in some steps. */
  readonly always: boolean;
  readonly because: string;
}

/** Failures that do not end the spawn, each with the reason why that is right. */
export const GOES_ON: readonly Exception[] = [
  {
    call: "rt_sigaction",
    always: false,
    because: "it fails for SIGKILL, SIGSTOP and libc's own two, which stay; a holder needs its own",
  },
  {
    call: "openat2",
    errnos: ["EAGAIN"],
    always: false,
    because: "something was renamed meanwhile: tried again, but for sources, where the kernel cannot answer that",
  },
  {
    call: "openat2",
    errnos: ["EACCES"],
    always: false,
    because: "what the sandbox cannot reach either needs no mask, and an optional bind may be missing",
  },
  { call: "openat2", errnos: ["ENOSYS"], always: false, because: "a careful walk takes its place" },
  { call: "mount_setattr", errnos: ["ENOSYS"], always: false, because: "a walk of remounts takes its place" },
  { call: "close_range", errnos: ["ENOSYS", "EPERM"], always: false, because: "a loop takes its place" },
  {
    call: "seccomp",
    errnos: ["EINVAL", "EBUSY"],
    always: false,
    because: "a filter that can't tell takes the place of one that can",
  },
  { call: "execve", errnos: ["ETXTBSY"], always: true, because: "somebody between fork and execve: tried again" },
  { call: "clone3", role: "spawner", errnos: ["ENOSYS"], always: true, because: "clone(2) takes its place" },
  {
    call: "clone3",
    role: "spawner",
    errnos: ["EINVAL"],
    always: false,
    because: "the kernel may not know CLONE_CLEAR_SIGHAND: once more without it; but not for a thread",
  },
  {
    call: "clone3",
    role: "spawner",
    errnos: ["ENOMEM"],
    always: false,
    because: "for a thread, libc makes it EAGAIN (pthread_create(3))",
  },
  {
    call: "memfd_create",
    role: "spawner",
    errnos: ["ENOSYS", "EACCES"],
    always: true,
    because: "a file without a name takes its place",
  },
  {
    call: "write",
    role: "spawner",
    errnos: ["ENOSPC", "ENOMEM"],
    always: false,
    because: "as memfd_create, whose it is",
  },
  { call: "read", role: "spawner", errnos: ["EINTR"], always: true, because: "read again" },
  {
    call: "execveat",
    errnos: ["EACCES", "EPERM", "ENOSYS"],
    always: false,
    because: "where programs in memory are forbidden, the helper is executed from its file",
  },
];

/**
 * Not made to fail: calls of a PID 1 that serves already, or of a process that only ends, because the spawn has succeeded
 * or failed by then; those that can't fail; and close(2), which frees the fd whatever it says (close(2), "Dealing with error returns").
 */
export const NOT_INJECTED = new Set([
  "close",
  "exit_group",
  "getpid",
  "getppid",
  "getrusage",
  "kill",
  "nanosleep",
  "rt_sigsuspend",
  "rt_sigtimedwait",
  "wait4",
]);
