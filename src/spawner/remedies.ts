// What to do about a failed step, in words a person can act on. Reads the kernel's knobs only after a failure.

import * as fs from "node:fs";
import { NAMESPACE_FEATURES } from "./features";

export interface FailedStep {
  step: string;
  op: string;
  /** As explain() shows it. */
  detail: string;
  code: string;
  syscall: string;
  index: number;
  path: string | undefined;
}

function knob(name: string): string | undefined {
  try {
    return fs.readFileSync(`/proc/sys/${name.replaceAll(".", "/")}`, "utf8").trim();
  } catch {
    return undefined;
  }
}

/** The kind of namespace of which none may be made here (namespaces(7), /proc/sys/user); undefined when all may. */
export function exhaustedNamespace(): string | undefined {
  return Object.keys(NAMESPACE_FEATURES).find((kind) => knob(`user.max_${kind}_namespaces`) === "0");
}

/** Why this system refuses user namespaces, and the exact command that mends it (user_namespaces(7)). */
export function userNamespaceRemedy(): string {
  if (knob("kernel.unprivileged_userns_clone") === "0") {
    return "This kernel keeps user namespaces from ordinary users. Allow them: sudo sysctl -w kernel.unprivileged_userns_clone=1";
  }
  if (knob("kernel.apparmor_restrict_unprivileged_userns") === "1") {
    return (
      "AppArmor lets programs without a profile create a user namespace and then refuses every privileged act in it. " +
      "Allow it for now: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 " +
      "(or, better, give the editor an AppArmor profile with the rule `userns,`)"
    );
  }
  if (knob("user.max_user_namespaces") === "0") {
    return "The limit on user namespaces is 0. Raise it: sudo sysctl -w user.max_user_namespaces=15000";
  }
  if (fs.existsSync("/.dockerenv") || fs.existsSync("/run/.containerenv")) {
    return (
      "This looks like a container whose seccomp filter refuses new namespaces. " +
      "Start it with --security-opt seccomp=unconfined --security-opt systempaths=unconfined, or open the folder on the host."
    );
  }
  return "A security module or seccomp filter refuses namespaces to this process; see the system log (journalctl -k).";
}

/** CLONE_INTO_CGROUP (clone(2), cgroups(7)). */
const CGROUP_REMEDIES: Readonly<Record<string, string>> = {
  EBADF: "sys.cgroupFD must be the open directory of a cgroup v2 (fs.openSync of a folder below /sys/fs/cgroup).",
  EACCES:
    "You may not move processes from the editor's cgroup into that one. Start the editor in a scope delegated to you: systemd-run --user --scope -p Delegate=yes code",
  EBUSY:
    "That cgroup hands controllers on to its children, and then it may have no processes of its own: name one of its children.",
  ENODEV: "That cgroup was removed.",
  EOPNOTSUPP: "That cgroup is in an invalid state (cgroup.type): it is a threaded one, or below one.",
};

function cloneRemedy({ code, detail }: FailedStep): string | undefined {
  const ofCgroup = detail.includes("cgroup of fd") ? CGROUP_REMEDIES[code] : undefined;
  if (ofCgroup !== undefined) return ofCgroup;
  if (code === "EPERM" || code === "EACCES") return userNamespaceRemedy();
  if (code === "ENOSPC" || code === "EUSERS") {
    const kind = exhaustedNamespace();
    return kind === undefined
      ? "A limit on the number of namespaces is reached, or they are nested more than 32 deep; see /proc/sys/user/max_*_namespaces."
      : `The limit on ${kind} namespaces is 0. Raise it: sudo sysctl -w user.max_${kind}_namespaces=15000`;
  }
  if (code === "EAGAIN") return "The limit on processes is reached (ulimit -u, or a cgroup's pids.max).";
  if (code === "ENOSYS") return "clone3(2) needs Linux 5.5, and some containers' seccomp filters refuse it.";
  return undefined;
}

function execRemedy(code: string, path: string | undefined): string | undefined {
  const file = path ?? "the command";
  switch (code) {
    case "ENOENT":
      return path?.includes("/") === true
        ? `${file} does not exist inside, or the interpreter that its first line names does not.`
        : `${file} is in no folder of the sandbox's PATH. Check the spelling, or that it is installed in a place the sandbox can see.`;
    case "EACCES":
      return `${file} is not executable (chmod +x), or lies on a file system mounted noexec.`;
    case "ENOEXEC":
      return `${file} is neither a program for this machine nor a script with a first line such as #!/bin/sh.`;
    case "E2BIG":
      return "The arguments and the environment together are too long.";
    default:
      return undefined;
  }
}

/** Error indices of the steps that mount, as the child sets them; from 2 on they count the options. */
const OLDER_WAY = -1;
const SOURCE = 0;
const DESTINATION = 1;

const NO_SETATTR = "mount_setattr(2) is missing here (Linux 5.12, or a seccomp filter hides it), and";

/** What can go wrong in its place (native/plan/remount.cc). */
function remountRemedy({ code, syscall }: FailedStep): string | undefined {
  switch (code) {
    case "ENOENT":
      return `${NO_SETATTR} the older way needs a /proc that shows this process. Mount one: mount -t proc proc /proc`;
    case "E2BIG":
      return `${NO_SETATTR} for the older way there are too many mounts (more than 4096, or 64 deep). Show less of the host.`;
    case "ESTALE":
      return `${NO_SETATTR} folders on the way to a mount were renamed while it was done in the older way. Try again.`;
    case "EINVAL":
      return syscall === "mount" ? `${NO_SETATTR} mount(2) does not know all options that were asked for.` : undefined;
    default:
      return undefined;
  }
}

function bindRemedy({ code, index }: FailedStep): string | undefined {
  if (index === DESTINATION && (code === "EINVAL" || code === "ENOTDIR")) {
    return "A folder is mounted on a folder, and a file on a file: the mount point is of the other kind.";
  }
  if (index !== SOURCE) return undefined;
  switch (code) {
    case "ENOENT":
      return "The source does not exist.";
    case "ELOOP":
      return "There is a symbolic link in the source that was not there before: somebody may be trying to redirect the mount. Look at it, then try again.";
    case "EINVAL":
      return "There are locked mounts below the source: bind it recursively (option rbind).";
    default:
      return undefined;
  }
}

/** A new file system; its options are set by fsconfig(2). */
function filesystemRemedy({ code, syscall, index, path }: FailedStep): string | undefined {
  if (code === "EPERM" && path === "/proc") {
    return "The outer /proc is partly masked, as in containers, so a fresh one is refused. Start the container with --security-opt systempaths=unconfined.";
  }
  if (code === "ENODEV") return "This kernel does not have that file system, or not loaded: sudo modprobe it.";
  if (syscall !== "fsconfig") return undefined;
  if (code === "ENOENT") return "A folder that the options name does not exist.";
  if (code === "EINVAL") {
    return index > DESTINATION
      ? `The file system does not take option ${index - DESTINATION} of those it was given.`
      : "The file system does not take these options together, or one that it needs is missing.";
  }
  return undefined;
}

const WITHOUT_OVERLAY =
  'Do without: in a profile, filesystem.caches "shared" and filesystem.workspace "readwrite" or "readonly".';

/** An overlay in a user namespace; what overlayfs does not take is told in the kernel's log alone. */
function copyRemedy(failed: FailedStep): string | undefined {
  const { code, syscall, index, path } = failed;
  if (code === "ENODEV") {
    return `This kernel does not have overlayfs, or not loaded: sudo modprobe overlay. ${WITHOUT_OVERLAY}`;
  }
  if (syscall === "fsopen" && code === "EPERM") {
    return `Overlayfs in a user namespace needs Linux 5.11 or later. ${WITHOUT_OVERLAY}`;
  }
  if (syscall === "fsconfig") {
    return code === "ENOENT"
      ? "The layers of an overlay are named through /proc, which is missing here. Mount one: mount -t proc proc /proc"
      : `Overlayfs refuses to lie over ${path ?? "that folder"}: there are mounts below it, it is a third overlay over another, or its file system can't be below one (the reason: journalctl -k). ${WITHOUT_OVERLAY}`;
  }
  return index === SOURCE ? bindRemedy(failed) : undefined;
}

const OF_OPERATION: Readonly<Record<string, (failed: FailedStep) => string | undefined>> = {
  mount_bind: bindRemedy,
  mount_copy: copyRemedy,
  mount_fs: filesystemRemedy,
};

function mountRemedy(failed: FailedStep): string | undefined {
  const { op, code, index, path, syscall } = failed;
  if (code === "ENOSYS") {
    return `${syscall}(2) is missing here: Linux 5.2 or later is needed, without a seccomp filter that hides it.`;
  }
  if (code === "EROFS" && index === DESTINATION) {
    return `The mount point ${path ?? ""} does not exist, and nothing is ever created on the host. Create it yourself, or mount a tmpfs above it first.`;
  }
  if (code === "ELOOP" && index === DESTINATION) {
    return `A symbolic link in the mount point ${path ?? ""} leads nowhere: in a circle, or through a link of /proc that is no path.`;
  }
  if (op === "root_bind" && code === "ENOENT" && index === SOURCE)
    return "The folder of sys.rootfs.path does not exist.";
  const ofOperation = OF_OPERATION[op];
  const special = index === OLDER_WAY ? remountRemedy(failed) : ofOperation?.(failed);
  return special ?? (code === "EPERM" ? userNamespaceRemedy() : undefined);
}

function landlockRemedy({ op, code }: FailedStep): string | undefined {
  switch (code) {
    case "ENOENT":
      return "A Landlock rule is about what is there: leave the path out, or give the rule the option optional.";
    case "ELOOP":
      return "There is a symbolic link in the path of the rule that was not there before: somebody may be trying to redirect it. Look at it, then try again.";
    case "EOPNOTSUPP":
    case "ENOSYS":
      return "This kernel has no Landlock, or it is off: Linux 5.13 is needed, with landlock in the list of lsm= on its command line.";
    case "EINVAL":
      return op === "landlock_ruleset" ? "This kernel's Landlock lacks a right that its ABI promises." : undefined;
    case "E2BIG":
      return op === "landlock_restrict" || op === "subreaper"
        ? "Landlock restrictions are nested 16 deep at most: this process is in too many of them already."
        : undefined;
    default:
      return undefined;
  }
}

/** What an errno says whatever the step. */
function generalRemedy({ code, syscall }: FailedStep): string | undefined {
  switch (code) {
    case "ENOSYS":
      return `${syscall}(2) is missing here: the kernel is too old for it, or a container's seccomp filter hides it.`;
    case "EMFILE":
      return "Too many open files in this process (ulimit -n).";
    case "ENFILE":
      return "Too many open files on this machine (sysctl fs.file-max; in use: /proc/sys/fs/file-nr).";
    case "ENOMEM":
      return "Memory is short: the machine's, or the cgroup's (memory.max).";
    case "EAGAIN":
      return "A limit is reached for the moment, of processes or memory (ulimit -u, a cgroup's pids.max). Try again.";
    case "ENOSPC":
      return syscall === "move_mount" || syscall === "open_tree" || syscall === "mount"
        ? "Too many mounts (sysctl fs.mount-max)."
        : "A limit of the kernel or of the file system is reached; a tmpfs takes the options size= and nr_inodes=.";
    case "EDQUOT":
      return "A quota is used up: of files on disk, or of keys (kernel.keys.maxkeys; in use: /proc/key-users).";
    case "EPERM":
    case "EACCES":
      return `A missing capability, a security module or a seccomp filter refuses ${syscall}(2); see the system log (journalctl -k).`;
    default:
      return undefined;
  }
}

function sessionRemedy({ op, code, syscall }: FailedStep): string | undefined {
  if (code === "ENOTTY") return "The fd is no terminal.";
  if (code !== "EPERM") return undefined;
  if (op === "setpgid") return "The process group must exist in the same session (setpgid(2)).";
  return syscall === "ioctl" && op === "ctty"
    ? "Only the leader of a session takes a terminal, and only one that is no other session's (ioctl_tty(2))."
    : undefined;
}

function stepRemedy(failed: FailedStep): string | undefined {
  const { op, code, syscall, path } = failed;
  const refused = code === "EPERM" || code === "EACCES";
  switch (op) {
    case "prepare":
    case "clone3":
    case "unshare":
      return cloneRemedy(failed);
    case "map_self":
      return refused ? userNamespaceRemedy() : undefined;
    case "map_wait":
      return refused || code === "EINVAL"
        ? "Only root (CAP_SETUID and CAP_SETGID) may map more than its own id; ids must be mapped in the outer namespace, and not twice."
        : undefined;
    case "exec":
      return execRemedy(code, path);
    case "chdir":
      return code === "ENOENT" || code === "EACCES"
        ? "The folder must exist inside the sandbox and be open to its user."
        : undefined;
    case "helper":
      if (syscall === "clone") return cloneRemedy(failed);
      return code === "EACCES"
        ? "Programs in memory may not be executed: by vm.memfd_noexec, where this extension lies on a file system mounted noexec (sudo sysctl -w vm.memfd_noexec=1), or by a rule of AppArmor or SELinux, which their log names (sudo journalctl -k --grep DENIED)."
        : undefined;
    case "terminal":
      return code === "ENOENT" ? "The root has no /dev/ptmx: add a mount of type dev on /dev." : undefined;
    case "uid":
    case "gid":
    case "groups":
      return code === "EPERM" || code === "EINVAL"
        ? "Only ids that are mapped, and only with CAP_SETUID and CAP_SETGID."
        : undefined;
    case "rlimit":
      return code === "EPERM" ? "Only root (CAP_SYS_RESOURCE) may raise a hard limit (getrlimit(2))." : undefined;
    case "oom_score_adj":
      return refused ? "Only root (CAP_SYS_RESOURCE) may lower it below what it was (proc(5))." : undefined;
    case "bounding":
    case "capabilities":
    case "ambient":
      return code === "EPERM"
        ? "Nobody gains a capability that way: it must be permitted already, and CAP_SETPCAP effective (capabilities(7))."
        : undefined;
    case "seccomp":
      if (code === "EACCES") return "Set sys.noNewPrivileges, or keep CAP_SYS_ADMIN until the command (seccomp(2)).";
      return code === "EINVAL"
        ? "This kernel has no system call filters (CONFIG_SECCOMP_FILTER), does not know one of the flags, or all filters together are too long."
        : undefined;
    case "setpgid":
    case "ctty":
    case "notty":
    case "foreground":
      return sessionRemedy(failed);
    case "hostname":
    case "domainname":
    case "chroot":
    case "time_offset":
      return refused ? userNamespaceRemedy() : undefined;
    case "loopback":
    case "propagation":
    case "pivot_root":
    case "root_bind":
    case "root_tmpfs":
    case "mount_bind":
    case "mount_copy":
    case "mount_fs":
    case "mask":
    case "readonly":
    case "root_readonly":
      return mountRemedy(failed);
    case "landlock_ruleset":
    case "landlock_path":
    case "landlock_port":
    case "landlock_restrict":
    case "landlock_terminal":
    case "subreaper":
      return landlockRemedy(failed);
    case "make_dir":
    case "make_symlink":
    case "make_file":
      return code === "EROFS"
        ? `Files, folders and links are only made on file systems of the sandbox's own, never on the host: mount a tmpfs above ${path ?? "it"} first.`
        : undefined;
    default:
      return undefined;
  }
}

/** What to do about it, or undefined where nothing certain is known. */
export function remedyFor(failed: FailedStep): string | undefined {
  return stepRemedy(failed) ?? generalRemedy(failed);
}
