// The features of a kernel that sandboxes are made of, by the names under which probe() tries them, errors name them and
// the system check has a line for each; and which of them a failed step is a matter of.

import type { FailedStep } from "./remedies";

/** In order: each needs those before it. */
export const FEATURES = [
  "process with a pidfd",
  "user namespace",
  "id maps",
  "mount namespace",
  "pid namespace",
  "PID 1 of our own",
  "network namespace with loopback",
  "uts namespace",
  "ipc namespace",
  "cgroup namespace",
  "time namespace",
  "recursive read-only root",
  "proc file system",
  "devices and terminals",
  "overlay in a user namespace",
  "no_new_privs",
  "session keyring",
  "joining namespaces",
  "seccomp filter",
  "seccomp notification",
  "Landlock",
  "cgroup",
  "memory controller",
  "pids controller",
  "cpu controller",
  "io controller",
] as const;

export type FeatureName = (typeof FEATURES)[number];

/** By their names in /proc/sys/user/max_*_namespaces. */
export const NAMESPACE_FEATURES: Readonly<Record<string, FeatureName>> = {
  user: "user namespace",
  mnt: "mount namespace",
  pid: "pid namespace",
  net: "network namespace with loopback",
  uts: "uts namespace",
  ipc: "ipc namespace",
  cgroup: "cgroup namespace",
  time: "time namespace",
};

/** By which a kernel, or who guards it, refuses a thing whatever it is asked for. Others are about the request. */
const REFUSALS: readonly string[] = ["EPERM", "EACCES", "ENOSYS", "EOPNOTSUPP"];

/** The same of mounts, where EACCES is about a folder on the way. */
const MOUNT_REFUSALS: readonly string[] = ["EPERM", "ENOSYS", "ENODEV"];

const OPERATIONS: Readonly<Record<string, FeatureName>> = {
  map_self: "id maps",
  map_wait: "id maps",
  setns: "joining namespaces",
  hostname: "uts namespace",
  domainname: "uts namespace",
  loopback: "network namespace with loopback",
  time_offset: "time namespace",
  keyring: "session keyring",
  no_new_privs: "no_new_privs",
  helper: "PID 1 of our own",
  terminal: "devices and terminals",
  landlock_ruleset: "Landlock",
  landlock_path: "Landlock",
  landlock_port: "Landlock",
  landlock_restrict: "Landlock",
  landlock_terminal: "Landlock",
  subreaper: "Landlock",
  seccomp: "seccomp filter",
};

const MOUNT_OPERATIONS: readonly string[] = [
  "propagation",
  "root_bind",
  "root_tmpfs",
  "mount_bind",
  "mask",
  "readonly",
  "root_readonly",
  "pivot_root",
];

function ofFilesystem(detail: string): FeatureName {
  if (detail.startsWith("proc ")) return "proc file system";
  return detail.startsWith("overlay ") ? "overlay in a user namespace" : "devices and terminals";
}

/** What only a cgroup to be born in is refused by, and that is the request's fault (clone(2), CLONE_INTO_CGROUP). */
const OF_CGROUP: readonly string[] = ["EBADF", "EBUSY", "ENODEV", "ENOENT", "EOPNOTSUPP", "EINVAL"];

/** New namespaces are made together, so that the kernel does not say which it refuses; only a limit of 0 tells. */
function ofClone({ code, detail }: FailedStep, exhausted: () => string | undefined): FeatureName | undefined {
  if (detail.includes("cgroup of fd")) {
    if (code === "EACCES" || code === "ENOSYS") return "cgroup";
    if (OF_CGROUP.includes(code)) return undefined;
  }
  if (!detail.includes("namespace")) return undefined;
  if (detail.includes("no new namespaces")) return REFUSALS.includes(code) ? "process with a pidfd" : undefined;
  if (code === "ENOSPC" || code === "EUSERS") return NAMESPACE_FEATURES[exhausted() ?? "user"];
  return REFUSALS.includes(code) || code === "EINVAL" ? "user namespace" : undefined;
}

/**
 * The feature whose absence made a step fail; undefined where the request itself was at fault.
 * @param exhausted looks up the kind of namespace of which this system allows none, as NAMESPACE_FEATURES names them
 */
export function featureOf(failed: FailedStep, exhausted: () => string | undefined): FeatureName | undefined {
  const { op, code, detail, syscall } = failed;
  if (op === "prepare" || op === "clone3" || op === "unshare") return ofClone(failed, exhausted);
  if (op === "mount_fs") return MOUNT_REFUSALS.includes(code) ? ofFilesystem(detail) : undefined;
  if (op === "mount_copy")
    return syscall.startsWith("fs") && code !== "ENOENT" ? "overlay in a user namespace" : undefined;
  if (MOUNT_OPERATIONS.includes(op)) return MOUNT_REFUSALS.includes(code) ? "recursive read-only root" : undefined;
  return REFUSALS.includes(code) ? OPERATIONS[op] : undefined;
}
