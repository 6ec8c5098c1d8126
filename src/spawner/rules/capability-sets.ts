// Capability sets that the kernel would not take (capabilities(7), capset(2), prctl(2)).

import type { Capability } from "../capabilities";
import type { CapabilitySets } from "../types";
import { type Asked, leavesUserNamespace, OWN_USER_NAMESPACE, type Rule, which } from "./rule";

const listOf = ({ sys }: Asked, set: Exclude<keyof CapabilitySets, "keepBounding">): readonly Capability[] =>
  sys.capabilities?.[set] ?? [];

/** Capabilities of one list that are in none of the others. */
function outside(some: readonly Capability[] | undefined, ...others: Iterable<Capability>[]): number[] {
  if (some === undefined || some.length === 0) return [];
  const allowed = new Set(others.flatMap((other) => [...other]));
  return which(some, (capability) => !allowed.has(capability));
}

const NONE: readonly Capability[] = [];

export const CAPABILITY_RULES: readonly Rule[] = [
  {
    path: "sys.capabilities.bounding",
    broken: ({ sys: { capabilities } }) => capabilities?.keepBounding === true && capabilities.bounding !== undefined,
    message: "excludes keepBounding, which leaves that set as it is",
  },
  {
    path: "sys.capabilities.effective[]",
    broken: (asked) => outside(listOf(asked, "effective"), listOf(asked, "permitted")),
    message: (asked, i) =>
      `${listOf(asked, "effective")[i]} must be in permitted too, which bounds the effective set (capset(2): EPERM)`,
  },
  {
    path: "sys.capabilities.permitted[]",
    broken: (asked) => (leavesUserNamespace(asked) ? [] : outside(listOf(asked, "permitted"), asked.caller.permitted)),
    message: (asked, i) =>
      `${listOf(asked, "permitted")[i]} is not permitted to you, and nobody can permit himself more (capset(2): EPERM). Leave it out, or ${OWN_USER_NAMESPACE}`,
  },
  {
    path: "sys.capabilities.inheritable[]",
    broken: (asked) => {
      const own = leavesUserNamespace(asked) ? NONE : asked.caller.inheritable;
      return outside(listOf(asked, "inheritable"), listOf(asked, "bounding"), own);
    },
    message: (asked, i) =>
      `${listOf(asked, "inheritable")[i]} must be in bounding too, which bounds what is added to the inheritable set (capset(2): EPERM)`,
  },
  {
    path: "sys.ambientCaps[]",
    broken: (asked) =>
      asked.sys.capabilities === undefined ? [] : outside(asked.sys.ambientCaps, listOf(asked, "permitted")),
    message: (asked, i) =>
      `${asked.sys.ambientCaps?.[i]} must be in sys.capabilities.permitted too: only what is permitted can be ambient (capabilities(7): EPERM)`,
  },
  {
    path: "sys.ambientCaps[]",
    broken: (asked) =>
      asked.sys.capabilities === undefined
        ? []
        : outside(asked.sys.ambientCaps, listOf(asked, "bounding"), listOf(asked, "inheritable")),
    message: (asked, i) =>
      `${asked.sys.ambientCaps?.[i]} must be in sys.capabilities.bounding too: only what is inheritable can be ambient, and bounding bounds that (capabilities(7): EPERM)`,
  },
  {
    path: "sys.ambientCaps[]",
    broken: (asked) =>
      asked.sys.capabilities !== undefined || leavesUserNamespace(asked)
        ? []
        : outside(asked.sys.ambientCaps, asked.caller.permitted),
    message: (asked, i) =>
      `${asked.sys.ambientCaps?.[i]} is not permitted to you, and only what is permitted can be ambient (capabilities(7): EPERM). Leave it out, or ${OWN_USER_NAMESPACE}`,
  },
];
