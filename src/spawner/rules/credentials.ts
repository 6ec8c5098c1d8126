// Users and groups that the child may become (credentials(7), setresuid(2), setgroups(2)).

import type { IdMapping } from "../types";
import { type Asked, hasNew, isGiven, lacks, leavesUserNamespace, type Rule, which } from "./rule";

const MAX_GROUPS = 65_536;

/** Whether an id exists in the child's user namespace, as far as we know. */
function isMapped(asked: Asked, kind: "uid" | "gid", id: number): boolean {
  if (hasNew(asked, "CLONE_NEWUSER")) {
    const lines: readonly IdMapping[] = asked.sys[`${kind}Mappings`] ?? [];
    return lines.some(({ containerID, size }) => containerID <= id && id < containerID + size);
  }
  if (leavesUserNamespace(asked)) return true;
  return asked.caller[`${kind}Ranges`].some(({ first, size }) => first <= id && id < first + size);
}

function unmapped(asked: Asked, kind: "uid" | "gid"): string {
  if (!hasNew(asked, "CLONE_NEWUSER")) {
    return `is not mapped in your user namespace (/proc/self/${kind}_map; user_namespaces(7): EINVAL)`;
  }
  return `is not mapped in the new user namespace (user_namespaces(7): EINVAL): add a line to sys.${kind}Mappings whose containerIDs include it`;
}

/** Whether the maps leave setgroups(2) denied, as they do unless asked (CVE-2014-8989). */
function deniesGroups({ sys }: Asked): boolean {
  return isGiven(sys.gidMappings) && sys.gidMappingsEnableSetgroups !== true;
}

/** Whether the plan calls setgroups(2): as in Go, not for an empty list where it is denied. */
function setsGroups(asked: Asked): boolean {
  const { credential } = asked.sys;
  if (credential === undefined || credential.noSetGroups === true) return false;
  return (credential.groups ?? []).length > 0 || !deniesGroups(asked);
}

export const CREDENTIAL_RULES: readonly Rule[] = [
  ...(["uid", "gid"] as const).flatMap((kind): Rule[] => {
    const capability = kind === "uid" ? "CAP_SETUID" : "CAP_SETGID";
    return [
      {
        path: `sys.credential.${kind}`,
        broken: (asked) => asked.sys.credential !== undefined && !isMapped(asked, kind, asked.sys.credential[kind]),
        message: (asked) => unmapped(asked, kind),
      },
      {
        path: `sys.credential.${kind}`,
        broken: (asked) =>
          asked.sys.credential !== undefined &&
          lacks(asked, capability) &&
          !asked.caller[`${kind}s`].includes(asked.sys.credential[kind]),
        message: ({ caller }) =>
          `needs ${capability}, which you don't have: you may only be ${[...new Set(caller[`${kind}s`])].join(" or ")} (setres${kind}(2): EPERM)`,
      },
    ];
  }),
  {
    path: "sys.credential.groups[]",
    broken: (asked) => which(asked.sys.credential?.groups, (id) => !isMapped(asked, "gid", id)),
    message: (asked) => unmapped(asked, "gid"),
  },
  {
    path: "sys.credential.groups",
    broken: ({ sys }) => (sys.credential?.groups ?? []).length > MAX_GROUPS,
    message: `must have at most ${MAX_GROUPS} groups (setgroups(2): EINVAL)`,
  },
  {
    path: "sys.credential.groups",
    broken: ({ sys }) => sys.credential?.noSetGroups === true && (sys.credential.groups ?? []).length > 0,
    message: "excludes noSetGroups, which leaves the groups as they are: leave one of them out",
  },
  {
    path: "sys.credential.groups",
    broken: (asked) => deniesGroups(asked) && setsGroups(asked),
    message:
      "can't be set, because sys.gidMappings denies setgroups(2) in the new user namespace (user_namespaces(7): EPERM): set noSetGroups, or sys.gidMappingsEnableSetgroups",
  },
  {
    path: "sys.credential.noSetGroups",
    broken: (asked) => setsGroups(asked) && lacks(asked, "CAP_SETGID"),
    message: "must be true: setgroups(2) needs CAP_SETGID, which you don't have, even to leave no group (EPERM)",
  },
  {
    path: "sys.credential.noSetGroups",
    broken: (asked) =>
      setsGroups(asked) && !deniesGroups(asked) && !asked.joined.has("CLONE_NEWUSER") && !asked.caller.setgroups,
    message:
      "must be true: your own user namespace denies setgroups(2), and so do those below it (/proc/self/setgroups; user_namespaces(7): EPERM)",
  },
];
