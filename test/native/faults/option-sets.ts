// The sandboxes whose every system call is made to fail: together they take every step that a plan may hold.

import { program } from "../../support/programs";
import { canOwn, execEntersTime, isRoot, type Options, OWNED, ownIds, type Sys } from "../spawner-world";

export interface OptionSet {
  /** What starts it. */
  readonly start: "spawn" | "hold";
  readonly options: Options;
  /** Joins namespaces that are held meanwhile: those of these attributes. */
  readonly joins?: Sys & { cloneflags: NonNullable<Sys["cloneflags"]> };
  readonly needs?: "root" | "owner";
}

/** Why a set can't be started here; undefined where it can. */
export async function whyNot({ needs }: OptionSet): Promise<string | undefined> {
  if (needs === "root" && !isRoot) return "writing others' ids into a map takes root";
  if (needs === "owner" && !(await canOwn())) return "this kernel's Landlock has no scopes";
  return undefined;
}

const ALL = [
  "CLONE_NEWUSER",
  "CLONE_NEWNS",
  "CLONE_NEWPID",
  "CLONE_NEWNET",
  "CLONE_NEWIPC",
  "CLONE_NEWUTS",
  "CLONE_NEWCGROUP",
  "CLONE_NEWTIME",
] as const satisfies Sys["cloneflags"];

const uid = process.getuid?.() ?? 0;
const gid = process.getgid?.() ?? 0;

/** Rules about a folder, a file, a path that is missing, and a port; what the kernel lacks is left out. */
export const LANDLOCK: Sys["landlock"] = {
  handledAccessFs: ["execute", "read_file", "read_dir", "write_file", "make_reg", "refer", "truncate", "ioctl_dev"],
  handledAccessNet: ["bind_tcp", "connect_tcp"],
  scoped: ["abstract_unix_socket", "signal"],
  rules: [
    { path: "/", access: ["execute", "read_file", "read_dir", "refer"] },
    { path: "/usr/../dev/null", access: ["write_file", "truncate", "ioctl_dev", "make_reg"] },
    { path: "/no/such/thing", access: ["read_file"], options: ["optional"] },
    { path: "/usr", access: ["write_file"], options: ["nofollow"] },
  ],
  ports: [{ port: 443, access: ["connect_tcp"] }],
  flags: ["log_same_exec_off"],
  minimumAbi: 0,
};

/** What a process may be given without any namespace. */
const PROCESS: Sys = {
  pdeathsig: "SIGKILL",
  setsid: true,
  rlimits: [
    { type: "RLIMIT_CORE", soft: 0, hard: 0 },
    { type: "RLIMIT_NOFILE", soft: 256, hard: 512 },
  ],
  oomScoreAdj: 500,
  newSessionKeyring: true,
  noNewPrivileges: true,
  landlock: LANDLOCK,
  umask: 0o027,
  realTimeLimit: 60_000,
};

/** A filter under which nothing fails that a command of these does, and somebody who wants to know what it refuses. */
const FILTERED: Sys = {
  noNewPrivileges: true,
  seccomp: { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["add_key"], action: "SCMP_ACT_ERRNO" }] },
};
const TOLD: Options = { onDenied: () => {} };

/** Every type of mount, and mount points that must be made first. */
const mounts = (command: string): Sys["mounts"] => [
  { destination: "/nothing", source: command, options: ["ro", "nosuid"] },
  { destination: "/usr", source: "/usr", options: ["rbind", "ro"] },
  { destination: "/absent", source: "/no/such/thing", options: ["bind", "optional"] },
  { destination: "/proc", type: "proc" },
  { destination: "/dev", type: "dev" },
  { destination: "/sys", type: "sysfs", options: ["ro"] },
  { destination: "/sys/fs/cgroup", type: "cgroup2", options: ["ro"] },
  { destination: "/both", type: "overlay", options: ["lowerdir=/usr:/etc"] },
  { destination: "/copy", type: "copy-on-write", source: "/etc", options: ["nosuid", "nofollow"] },
  { destination: "/deep/copy", type: "copy-on-write", source: "/usr/share" },
  { destination: "/inside", source: "/copy", options: ["rbind", "inside"] },
  { destination: "/deep/in/tmp", type: "tmpfs", options: ["size=1m", "nosuid"], mode: 0o1777 },
  { destination: "/made/dir", type: "dir", mode: 0o700 },
  { destination: "/made/link", type: "symlink", source: "dir" },
  { destination: "/made/file", type: "file", data: "text", mode: 0o600 },
];

export function optionSets(): Record<string, OptionSet> {
  const command = program("nothing");
  return {
    plain: { start: "spawn", options: { stdio: "pipe" } },
    process: {
      start: "spawn",
      options: { stdio: ["ignore", "pipe", 2, null, "pipe"], cwd: "/", sys: PROCESS },
    },
    filtered: { start: "spawn", options: { stdio: "ignore", sys: FILTERED } },
    "told of what is refused": { start: "spawn", options: { stdio: "ignore", sys: FILTERED, ...TOLD } },
    "process group": { start: "spawn", options: { stdio: "ignore", sys: { setpgid: true } } },
    "all namespaces": {
      start: "spawn",
      options: {
        stdio: "ignore",
        sys: {
          // Without a PID 1 of ours nothing forks, which before Linux 6.2 alone enters a new time namespace.
          cloneflags: ALL.filter((flag) => flag !== "CLONE_NEWTIME" || execEntersTime()),
          ...ownIds(),
          init: false,
          pdeathsig: "SIGKILL",
        },
      },
    },
    unshare: {
      start: "spawn",
      options: {
        stdio: "ignore",
        sys: { unshareflags: ["CLONE_NEWUSER", "CLONE_NEWNS", "CLONE_NEWUTS"], ...ownIds() },
      },
    },
    full: {
      start: "spawn",
      options: {
        ...TOLD,
        stdio: "ignore",
        cwd: "/made",
        sys: {
          ...PROCESS,
          ...FILTERED,
          cloneflags: [...ALL],
          ...ownIds(),
          ...(isRoot ? { gidMappingsEnableSetgroups: true } : {}),
          rootfs: { readonly: true },
          mounts: mounts(command) ?? [],
          maskedPaths: ["/usr/share", "/usr/lib", "/proc/version", "/usr/absent"],
          readonlyPaths: ["/dev/shm", "/proc/sys", "/usr/absent"],
          hostname: "inside",
          domainname: "nowhere",
          loopback: true,
          timeOffsets: { monotonic: { secs: 100, nanosecs: 0 }, boottime: { secs: 200, nanosecs: 0 } },
          credential: isRoot ? { uid, gid, groups: [gid] } : { uid, gid },
          capabilities: {
            bounding: ["CAP_CHOWN"],
            effective: ["CAP_CHOWN"],
            permitted: ["CAP_CHOWN"],
            inheritable: ["CAP_CHOWN"],
          },
          ambientCaps: ["CAP_CHOWN"],
        },
      },
    },
    terminal: {
      start: "spawn",
      options: {
        terminal: { columns: 80, rows: 24 },
        sys: {
          cloneflags: ["CLONE_NEWUSER", "CLONE_NEWNS", "CLONE_NEWPID"],
          ...ownIds(),
          rootfs: { path: "/", readonly: true },
          mounts: [{ destination: "/dev", type: "dev" }],
        },
      },
    },
    "maps from outside": {
      start: "spawn",
      needs: "root",
      options: {
        stdio: "ignore",
        sys: {
          cloneflags: ["CLONE_NEWUSER"],
          uidMappings: [{ containerID: 0, hostID: 0, size: 1000 }],
          gidMappings: [{ containerID: 0, hostID: 0, size: 1000 }],
          credential: { uid: 1, gid: 1, noSetGroups: true },
        },
      },
    },
    owned: {
      start: "spawn",
      needs: "owner",
      options: { stdio: "ignore", sys: { ...OWNED, landlock: { ...LANDLOCK, scoped: ["signal"] } } },
    },
    chroot: {
      start: "spawn",
      options: { stdio: "ignore", sys: { cloneflags: ["CLONE_NEWUSER"], ...ownIds(), chroot: "/" } },
    },
    joined: {
      start: "spawn",
      options: {
        stdio: "ignore",
        sys: { pdeathsig: "SIGKILL", setsid: true, unshareflags: ["CLONE_NEWUTS"], hostname: "own" },
      },
      joins: { cloneflags: ["CLONE_NEWUSER", "CLONE_NEWUTS", "CLONE_NEWPID"], ...ownIds() },
    },
    traced: { start: "spawn", options: { stdio: "ignore", sys: { ptrace: true } } },
    "held namespaces": {
      start: "hold",
      options: { sys: { cloneflags: ["CLONE_NEWUSER", "CLONE_NEWNET"], ...ownIds() } },
    },
  };
}

/** The command that a set starts. */
export function commandOf(set: OptionSet): string {
  return set.options.sys?.rootfs !== undefined && set.options.sys.rootfs.path === undefined
    ? "/nothing"
    : program("nothing");
}
