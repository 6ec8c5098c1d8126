// What the caller itself must be allowed, where no new user namespace gives the capability.

import type { Capability } from "../capabilities";
import type { CloneFlag, SysProcAttr } from "../types";
import { NAMESPACES } from "./flag-names";
import { type Asked, isGiven, lacks, OWN_USER_NAMESPACE, type Rule } from "./rule";

/** Options that need a capability, and where that is said. */
const NEEDS: readonly (readonly [option: keyof SysProcAttr, capability: Capability, page: string])[] = [
  ["chroot", "CAP_SYS_CHROOT", "chroot(2)"],
  ["loopback", "CAP_NET_ADMIN", "netdevice(7)"],
  ["timeOffsets", "CAP_SYS_TIME", "time_namespaces(7)"],
];

/** Namespaces that a caller without CAP_SYS_ADMIN can't make, though a user namespace may come later. */
function refusedNamespaces({ cloned, unshared, joined, caller }: Asked): CloneFlag[] {
  if (caller.effective.has("CAP_SYS_ADMIN")) return [];
  const needsRights = (flag: CloneFlag): boolean => NAMESPACES.includes(flag) && flag !== "CLONE_NEWUSER";
  const atClone = cloned.has("CLONE_NEWUSER") ? [] : [...cloned].filter(needsRights);
  const isUserLater = cloned.has("CLONE_NEWUSER") || unshared.has("CLONE_NEWUSER") || joined.has("CLONE_NEWUSER");
  // A time namespace is never made by the clone itself (plan.ts).
  return [
    ...atClone.filter((flag) => flag !== "CLONE_NEWTIME" || !isUserLater),
    ...(isUserLater ? [] : [...unshared].filter(needsRights)),
  ];
}

function makesUserNamespace({ cloned, unshared }: Asked): boolean {
  return cloned.has("CLONE_NEWUSER") || unshared.has("CLONE_NEWUSER");
}

export const PRIVILEGE_RULES: readonly Rule[] = [
  {
    path: "sys.cloneflags",
    broken: (asked) => refusedNamespaces(asked).some((flag) => asked.cloned.has(flag)),
    message: (asked) =>
      `${refusedNamespaces(asked).join(", ")} needs CAP_SYS_ADMIN, which you don't have (clone(2): EPERM): ${
        asked.unshared.has("CLONE_NEWUSER") ? "put it into sys.unshareflags, beside CLONE_NEWUSER" : OWN_USER_NAMESPACE
      }`,
  },
  {
    path: "sys.unshareflags",
    broken: (asked) => {
      const refused = refusedNamespaces(asked);
      return refused.length > 0 && !refused.some((flag) => asked.cloned.has(flag));
    },
    message: (asked) =>
      `${refusedNamespaces(asked).join(", ")} needs CAP_SYS_ADMIN, which you don't have (unshare(2): EPERM): ${OWN_USER_NAMESPACE}`,
  },
  {
    path: "sys.cloneflags",
    broken: (asked) => asked.cloned.has("CLONE_NEWUSER") && asked.caller.chrooted,
    message:
      "CLONE_NEWUSER is refused to a process in a chroot: the new namespace's rights would let it out (clone(2): EPERM). Enter the root with pivot_root(2) instead, or start outside of it",
  },
  {
    path: "sys.unshareflags",
    broken: (asked) =>
      makesUserNamespace(asked) &&
      !asked.cloned.has("CLONE_NEWUSER") &&
      asked.caller.chrooted &&
      !asked.joined.has("CLONE_NEWNS"),
    message:
      "CLONE_NEWUSER is refused to a process in a chroot: the new namespace's rights would let it out (unshare(2): EPERM). Enter the root with pivot_root(2) instead, or start outside of it",
  },
  {
    path: "sys.capabilities",
    // Also to drop nothing: the kernel asks for the capability first.
    broken: (asked) =>
      asked.sys.capabilities !== undefined &&
      asked.sys.capabilities.keepBounding !== true &&
      lacks(asked, "CAP_SETPCAP"),
    message: `needs CAP_SETPCAP, which you don't have (PR_CAPBSET_DROP, prctl(2): EPERM): ${OWN_USER_NAMESPACE}, or set sys.capabilities.keepBounding`,
  },
  ...NEEDS.map(
    ([option, capability, page]): Rule => ({
      path: `sys.${option}`,
      broken: (asked) => isGiven(asked.sys[option]) && lacks(asked, capability),
      message: `needs ${capability}, which you don't have (${page}: EPERM): ${OWN_USER_NAMESPACE}`,
    }),
  ),
];
