// Options that act on a namespace: it must be the child's own, and belong to the user namespace that the child is in.

import type { CloneFlag, SysProcAttr } from "../types";
import { type Asked, hasNew, hasOwnInit, isGiven, type Rule, which } from "./rule";

/** Options that need a new namespace of the child's own, and which. */
const NEEDS: readonly (readonly [option: keyof SysProcAttr, flag: CloneFlag, why: string])[] = [
  ["uidMappings", "CLONE_NEWUSER", "ids are mapped in a new user namespace (user_namespaces(7))"],
  ["gidMappings", "CLONE_NEWUSER", "ids are mapped in a new user namespace (user_namespaces(7))"],
  ["rootfs", "CLONE_NEWNS", "the root would change for everybody (pivot_root(2))"],
  ["mounts", "CLONE_NEWNS", "the mounts would appear on the host (mount_namespaces(7))"],
  ["maskedPaths", "CLONE_NEWNS", "the paths would be covered on the host (mount_namespaces(7))"],
  ["readonlyPaths", "CLONE_NEWNS", "the paths would be read-only on the host (mount_namespaces(7))"],
  ["hostname", "CLONE_NEWUTS", "the host's name would change (uts_namespaces(7))"],
  ["domainname", "CLONE_NEWUTS", "the host's domain name would change (uts_namespaces(7))"],
  ["loopback", "CLONE_NEWNET", "it is the host's interface otherwise (network_namespaces(7))"],
  ["timeOffsets", "CLONE_NEWTIME", "offsets belong to a new time namespace (time_namespaces(7))"],
];

/** Made by the clone, before the child enters another user namespace: it has no rights in these any more. */
function isLeftBehind(asked: Asked, flag: CloneFlag, options: readonly (keyof SysProcAttr)[]): boolean {
  const entersLater = asked.unshared.has("CLONE_NEWUSER") || asked.joined.has("CLONE_NEWUSER");
  // A mount namespace is always acted on: its mounts are made private first.
  const isUsed = options.length === 0 || options.some((option) => isGiven(asked.sys[option]));
  return entersLater && asked.cloned.has(flag) && isUsed;
}

function leftBehind(flag: CloneFlag, ...options: (keyof SysProcAttr)[]): Rule {
  return {
    path: "sys.cloneflags",
    broken: (asked) => isLeftBehind(asked, flag, options),
    message: `${flag} would be made before the child is in its user namespace, and belong to the old one, where the child has no capability any more (user_namespaces(7): EPERM). Put it into sys.unshareflags`,
  };
}

/** File systems that show a namespace: only who owns the namespace may mount them. */
const SHOWS: Readonly<Record<string, readonly [flag: CloneFlag, what: string]>> = {
  proc: ["CLONE_NEWPID", "a proc file system shows a PID namespace"],
  sysfs: ["CLONE_NEWNET", "a sysfs shows a network namespace"],
  mqueue: ["CLONE_NEWIPC", "an mqueue file system shows an IPC namespace"],
  cgroup2: ["CLONE_NEWCGROUP", "a cgroup2 file system shows a cgroup namespace"],
};

/** Whether the child's user namespace is new and does not own the namespace that the file system shows. */
function showsForeign(asked: Asked, type: string | undefined): boolean {
  const flag = SHOWS[type ?? ""]?.[0];
  if (flag === undefined || !hasNew(asked, "CLONE_NEWUSER") || asked.joined.has(flag)) return false;
  // A PID namespace by unshare is for the children; the mount is made by the child itself.
  if (asked.cloned.has("CLONE_NEWUSER")) {
    return !(asked.cloned.has(flag) || (flag !== "CLONE_NEWPID" && asked.unshared.has(flag)));
  }
  return flag === "CLONE_NEWPID" || !asked.unshared.has(flag);
}

export const NAMESPACE_RULES: readonly Rule[] = [
  ...NEEDS.map(
    ([option, flag, why]): Rule => ({
      path: `sys.${option}`,
      broken: (asked) => isGiven(asked.sys[option]) && !hasNew(asked, flag),
      message: `needs ${flag} in sys.cloneflags: ${why}`,
    }),
  ),
  leftBehind("CLONE_NEWNS"),
  leftBehind("CLONE_NEWUTS", "hostname", "domainname"),
  leftBehind("CLONE_NEWNET", "loopback"),
  {
    path: "sys.mounts[].type",
    broken: (asked) => which(asked.sys.mounts, ({ type }) => showsForeign(asked, type)),
    message: ({ sys, unshared }, i) => {
      const [flag, what] = SHOWS[sys.mounts?.[i]?.type ?? ""] ?? ["", ""];
      const list = unshared.has("CLONE_NEWUSER") ? "sys.unshareflags" : "sys.cloneflags";
      const where = flag === "CLONE_NEWPID" ? "sys.cloneflags, with CLONE_NEWUSER" : list;
      return `needs ${flag} in ${where}: ${what}, which must belong to the new user namespace (user_namespaces(7): EPERM)`;
    },
  },
  {
    path: "sys.cloneflags",
    // A PID 1 of ours forks the command.
    broken: (asked) => hasNew(asked, "CLONE_NEWTIME") && !asked.caller.execEntersTime && !hasOwnInit(asked),
    message:
      "CLONE_NEWTIME would be for the command's children alone: before Linux 6.2 a new time namespace is entered by a fork and not by execve (time_namespaces(7)). Leave it out; or add CLONE_NEWPID with a PID 1 of ours, which forks the command",
  },
  {
    path: "sys.init",
    broken: ({ sys, cloned }) => sys.init === true && !cloned.has("CLONE_NEWPID"),
    message: "needs CLONE_NEWPID in sys.cloneflags: PID 1 exists once in a PID namespace (pid_namespaces(7))",
  },
];
