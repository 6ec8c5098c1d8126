// System call filters that would not be the ones that were meant, or under which nothing can be started (seccomp(2)).

import { addon } from "../addon";
import { nearest, suggestion } from "../nearest";
import { isPermitted, NEEDED_TO_START, syscallNumber } from "../seccomp/compile";
import { isDeeplyFrozen } from "../seccomp/frozen";
import { NEWER_NAMES } from "../seccomp/newer";
import { actionNumber, permits, type Seccomp, type SeccompRule } from "../seccomp/oci";
import { SOUND } from "../seccomp/sound";
import { type Asked, leavesUserNamespace, OWN_USER_NAMESPACE, type Rule, which } from "./rule";

const rulesOf = ({ sys }: Asked): readonly SeccompRule[] => sys.seccomp?.syscalls ?? [];

/** Looks at a filter's own words, which say the same whoever asks. */
function ofFilter(verdict: (filter: Seccomp) => readonly number[]): Rule["broken"] {
  return ({ sys }) => (sys.seccomp === undefined || SOUND.has(sys.seccomp) ? [] : verdict(sys.seccomp));
}

let known: readonly string[] | undefined;

function knownNames(): readonly string[] {
  known ??= [...addon().knownSyscalls(), ...NEWER_NAMES];
  return known;
}

/**
 * Names that are no system call's. runc and crun pass over every one, so that a filter may name what is newer than they
 * are; here it must be unlike any name that is known, and passing over it must not let anything through.
 */
function unknownNames(rule: SeccompRule, filter: Seccomp): string[] {
  return rule.names.filter((name) => {
    if (syscallNumber(name) !== undefined) return false;
    const isLoss = !permits(rule.action) && permits(filter.defaultAction);
    return isLoss || nearest(name, knownNames()) !== undefined;
  });
}

/** Refused without regard to arguments by two rules, each differently: which one was meant can't be told. */
function contradicted(rules: readonly SeccompRule[], index: number): string | undefined {
  const isGeneral = ({ action, args = [] }: SeccompRule): boolean => !permits(action) && args.length === 0;
  const rule = rules[index];
  if (rule === undefined || !isGeneral(rule)) return undefined;
  const others = rules
    .slice(0, index)
    .filter(
      (other) =>
        isGeneral(other) && actionNumber(other.action, other.errnoRet) !== actionNumber(rule.action, rule.errnoRet),
    );
  return rule.names.find((name) => others.some(({ names }) => names.includes(name)));
}

/** Whether CAP_SYS_ADMIN is certainly not there when the filter is installed. */
function lacksAdmin(asked: Asked): boolean {
  const { capabilities, ambientCaps = [] } = asked.sys;
  if (capabilities !== undefined) return !capabilities.effective?.includes("CAP_SYS_ADMIN");
  return (
    !ambientCaps.includes("CAP_SYS_ADMIN") &&
    !leavesUserNamespace(asked) &&
    !asked.caller.effective.has("CAP_SYS_ADMIN")
  );
}

export const SECCOMP_RULES: readonly Rule[] = [
  {
    path: "sys.seccomp",
    broken: (asked) => asked.sys.seccomp !== undefined && asked.sys.noNewPrivileges !== true && lacksAdmin(asked),
    message: `a filter is for those who can't gain privileges, or have them: set sys.noNewPrivileges, or have CAP_SYS_ADMIN effective (seccomp(2): EACCES), say by a new user namespace: ${OWN_USER_NAMESPACE}`,
  },
  {
    path: "sys.seccomp.syscalls[]",
    broken: ofFilter((filter) => which(filter.syscalls, (rule) => unknownNames(rule, filter).length > 0)),
    message: (asked, i) => {
      const rule = rulesOf(asked)[i];
      const [name = ""] =
        rule === undefined || asked.sys.seccomp === undefined ? [] : unknownNames(rule, asked.sys.seccomp);
      return `${JSON.stringify(name)} is no system call${suggestion(name, knownNames())}`;
    },
  },
  {
    path: "sys.seccomp.syscalls[].errnoRet",
    broken: ofFilter((filter) =>
      which(
        filter.syscalls,
        ({ action, errnoRet }) => errnoRet !== undefined && action !== "SCMP_ACT_ERRNO" && action !== "SCMP_ACT_TRACE",
      ),
    ),
    message: (asked, i) => `is for SCMP_ACT_ERRNO and SCMP_ACT_TRACE: ${rulesOf(asked)[i]?.action} has no errno`,
  },
  {
    path: "sys.seccomp.syscalls[]",
    broken: ofFilter(({ syscalls = [] }) => which(syscalls, (_, i) => contradicted(syscalls, i) !== undefined)),
    message: (asked, i) =>
      `${contradicted(rulesOf(asked), i)} is refused by a rule before this one too, in another way; leave one of them out`,
  },
  {
    path: "sys.seccomp",
    broken: ({ sys: { seccomp } }) => {
      if (seccomp === undefined || SOUND.has(seccomp)) return false;
      if (!NEEDED_TO_START.every((name) => isPermitted(seccomp, name))) return true;
      if (isDeeplyFrozen(seccomp)) SOUND.add(seccomp);
      return false;
    },
    message: ({ sys }) => {
      const missing = NEEDED_TO_START.filter((name) => sys.seccomp !== undefined && !isPermitted(sys.seccomp, name));
      return `must allow ${missing.join(", ")} whatever the arguments: the filter is in force when the command is executed, and when it is told that this has failed`;
    },
  },
];
