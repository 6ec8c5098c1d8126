// Landlock rulesets that the kernel would refuse, or would not enforce as written (landlock(7), landlock_create_ruleset(2),
// landlock_add_rule(2), landlock_restrict_self(2)).

import { abiWords, LANDLOCK_FLAGS, LANDLOCK_FS, LANDLOCK_NET, LANDLOCK_SCOPES, type Landlock } from "../landlock";
import { type Asked, leavesUserNamespace, type Rule, which } from "./rule";

const NONE: Landlock = {};
const ruleset = ({ sys }: Asked): Landlock => sys.landlock ?? NONE;

/** Whether the kernel must have any of it: only then is it asked what it has. */
function isNeeded({ sys: { landlock } }: Asked): boolean {
  return landlock !== undefined && landlock.minimumAbi !== 0;
}

/** 0 where there is no Landlock. */
const abiOf = ({ caller }: Pick<Asked, "caller">): number => Math.max(0, caller.landlockAbi);

type Words = Readonly<Record<string, { readonly abi: number }>>;

/** A list of words, each of which a kernel may lack. */
function abiRule(list: "handledAccessFs" | "handledAccessNet" | "scoped" | "flags", words: Words): Rule {
  const first = (asked: Asked, i: number): number => words[ruleset(asked)[list]?.[i] ?? ""]?.abi ?? 0;
  return {
    path: `sys.landlock.${list}[]`,
    broken: (asked) => {
      const abi = isNeeded(asked) ? abiOf(asked) : 0;
      if (abi === 0) return [];
      const needed = ruleset(asked).minimumAbi ?? Number.POSITIVE_INFINITY;
      return which<string>(ruleset(asked)[list], (word) => {
        const its = words[word]?.abi ?? 0;
        return its > abi && its <= needed;
      });
    },
    message: (asked, i) =>
      `${ruleset(asked)[list]?.[i]} needs Landlock ${abiWords(first(asked, i))}; this kernel has ABI ${abiOf(asked)}. Leave it out, or say in sys.landlock.minimumAbi which ABI will do`,
  };
}

/** Rights of a rule that are not handled: they would be allowed to everybody. */
function unhandled(access: readonly string[], handled: readonly string[] = []): string[] {
  return access.filter((right) => !handled.includes(right));
}

function accessRule(list: "rules" | "ports", handled: "handledAccessFs" | "handledAccessNet"): Rule[] {
  const accessAt = (asked: Asked, i: number): readonly string[] => ruleset(asked)[list]?.[i]?.access ?? [];
  return [
    {
      path: `sys.landlock.${list}[].access`,
      broken: (asked) =>
        which<{ access: readonly string[] }>(ruleset(asked)[list], ({ access }) => access.length === 0),
      message: "must name a right: a rule can only allow (landlock_add_rule(2): ENOMSG)",
    },
    {
      path: `sys.landlock.${list}[].access`,
      broken: (asked) =>
        which<{ access: readonly string[] }>(
          ruleset(asked)[list],
          ({ access }) => unhandled(access, ruleset(asked)[handled]).length > 0,
        ),
      message: (asked, i) =>
        `${unhandled(accessAt(asked, i), ruleset(asked)[handled]).join(", ")} must be in sys.landlock.${handled} too: what is not handled is denied to nobody (landlock_add_rule(2): EINVAL)`,
    },
  ];
}

/** Without no_new_privs the kernel asks for CAP_SYS_ADMIN, at the time when the other capabilities are set already. */
function mayRestrict({ sys, caller, ...asked }: Asked): boolean {
  if (sys.noNewPrivileges === true) return true;
  if (sys.capabilities !== undefined) return sys.capabilities.effective?.includes("CAP_SYS_ADMIN") === true;
  const isRoot = sys.credential === undefined || sys.credential.uid === 0;
  return isRoot && (leavesUserNamespace({ sys, caller, ...asked }) || caller.effective.has("CAP_SYS_ADMIN"));
}

const SIGNALS: number = LANDLOCK_SCOPES.signal.abi;

/** The owner of a tree without a PID namespace, whose reach is Landlock's scope of signals. */
const SUBREAPER_RULES: readonly Rule[] = [
  {
    path: "sys.subreaper",
    broken: ({ sys, caller }) => sys.subreaper === true && abiOf({ caller }) < SIGNALS,
    message: ({ caller }) =>
      `needs Landlock ${abiWords(SIGNALS)}, by which the owner of a tree reaches that tree alone; this kernel has ${abiOf({ caller }) === 0 ? "none" : `ABI ${abiOf({ caller })}`}`,
  },
  {
    path: "sys.subreaper",
    broken: ({ sys }) => sys.subreaper === true && sys.landlock?.scoped?.includes("signal") !== true,
    message: 'needs "signal" in sys.landlock.scoped: what is looked after could end who looks after it',
  },
  {
    path: "sys.subreaper",
    broken: ({ sys }) => sys.subreaper === true && sys.noNewPrivileges !== true,
    message: "needs sys.noNewPrivileges: a set-user-ID program would be out of the owner's reach",
  },
  {
    path: "sys.subreaper",
    broken: ({ sys, cloned, unshared, joined }) =>
      sys.subreaper === true && (joined.size > 0 || cloned.has("CLONE_NEWPID") || unshared.has("CLONE_NEWPID")),
    message: "excludes a PID namespace, whose PID 1 does the same, and joining others",
  },
];

export const LANDLOCK_RULES: readonly Rule[] = [
  ...SUBREAPER_RULES,
  {
    path: "sys.landlock.terminal",
    broken: ({ sys, options }) => (sys.landlock?.terminal ?? []).length > 0 && options.terminal === undefined,
    message: "needs terminal: there is none that the rights could be about",
  },
  {
    path: "sys.landlock.terminal",
    broken: ({ sys: { landlock } }) => unhandled(landlock?.terminal ?? [], landlock?.handledAccessFs).length > 0,
    message: ({ sys: { landlock } }) =>
      `${unhandled(landlock?.terminal ?? [], landlock?.handledAccessFs).join(", ")} must be in sys.landlock.handledAccessFs too: what is not handled is denied to nobody (landlock_add_rule(2): EINVAL)`,
  },
  {
    path: "sys.landlock",
    broken: (asked) => isNeeded(asked) && abiOf(asked) === 0,
    message: `needs Linux 5.13 with Landlock enabled (CONFIG_SECURITY_LANDLOCK, and landlock in the list of lsm= on the kernel's command line). To run without it where there is none, set sys.landlock.minimumAbi to 0`,
  },
  {
    path: "sys.landlock",
    broken: ({ sys: { landlock } }) =>
      landlock !== undefined &&
      [landlock.handledAccessFs, landlock.handledAccessNet, landlock.scoped].every((list) => (list ?? []).length === 0),
    message:
      "must handle something: name rights in handledAccessFs or handledAccessNet, or scopes (landlock_create_ruleset(2): ENOMSG)",
  },
  {
    path: "sys.landlock",
    broken: (asked) => asked.sys.landlock !== undefined && !mayRestrict(asked),
    message:
      "needs sys.noNewPrivileges, so that no set-user-ID program can be confused (landlock_restrict_self(2): EPERM)",
  },
  abiRule("handledAccessFs", LANDLOCK_FS),
  abiRule("handledAccessNet", LANDLOCK_NET),
  abiRule("scoped", LANDLOCK_SCOPES),
  abiRule("flags", LANDLOCK_FLAGS),
  ...accessRule("rules", "handledAccessFs"),
  ...accessRule("ports", "handledAccessNet"),
];
