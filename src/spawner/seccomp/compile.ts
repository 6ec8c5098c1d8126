// From a filter in OCI's words to the programs that the child installs: names become numbers, rules are put into the order
// in which they hold, and libseccomp in the addon writes the programs. Kept by content, as that takes milliseconds.

import { type Addon, addon, type NativeAnswers, type NativeFilter } from "../addon";
import { isDeeplyFrozen } from "./frozen";
import { newerNumber } from "./newer";
import {
  ACT_NOTIFY,
  actionNumber,
  ENOSYS,
  EPERM,
  errnoOf,
  permits,
  SECCOMP_ARCHITECTURES,
  SECCOMP_OPERATORS,
  type Seccomp,
  type SeccompArgument,
  type SeccompRule,
} from "./oci";

type NativeRule = NativeFilter["parts"][number][number];

/** What the command's start takes after the filter is there; refused, its failure could not be told (native/plan). */
export const NEEDED_TO_START: readonly string[] = ["execve", "write", "exit_group"];

/** What else is called then: were it to wait for an answer from outside, nobody would be there yet to give one. */
const NEEDED_TO_TELL: readonly string[] = [...NEEDED_TO_START, "sendmsg", "close", "faccessat", "nanosleep"];

export interface CompiledFilter {
  /** struct sock_filter[] */
  readonly plain: Uint8Array;
  /** The same filter for one that is told of what it refuses; absent where nothing would be told, or nothing could. */
  readonly telling?: { readonly program: Uint8Array; readonly answers: NativeAnswers };
}

/** This machine's number of a call, negative where only others have it; undefined for a name that nobody knows. */
export function syscallNumber(name: string, native: Addon = addon()): number | undefined {
  return native.syscallNumber(name) ?? newerNumber(name);
}

/** Whether a call is made whatever its arguments. */
export function isPermitted({ defaultAction, syscalls = [] }: Seccomp, name: string): boolean {
  const about = syscalls.filter(({ names }) => names.includes(name));
  const isRefused = (rule: SeccompRule): boolean => !permits(rule.action);
  if (about.some((rule) => isRefused(rule) && (rule.args ?? []).length > 0)) return false;
  if (about.some((rule) => !isRefused(rule) && (rule.args ?? []).length === 0)) return true;
  return permits(defaultAction) && !about.some(isRefused);
}

/** Conditions that hold together; several on one argument are alternatives, each by itself (runc's matchCall). */
function alternatives(args: readonly SeccompArgument[]): (readonly SeccompArgument[])[] {
  const isTwice = new Set(args.map(({ index }) => index)).size < args.length;
  return isTwice ? args.map((one) => [one]) : [args];
}

/**
 * Errnos that somebody outside is to answer with. He sees a call by its number, so one that is refused with different
 * errnos is left to the kernel, and ENOSYS as well: it says "not there", which programs ask about and get over.
 */
function told(filter: Seccomp, native: Addon): { answers: NativeAnswers; isTold: (rule: SeccompRule) => boolean } {
  const { defaultAction, defaultErrnoRet, syscalls = [] } = filter;
  const others = errnoOf(defaultAction, defaultErrnoRet);
  const byNumber = new Map<number, Set<number>>();
  for (const rule of syscalls) {
    const errno = errnoOf(rule.action, rule.errnoRet);
    if (errno === undefined || errno === ENOSYS) continue;
    for (const name of rule.names) {
      const number = syscallNumber(name, native);
      if (number !== undefined) byNumber.set(number, (byNumber.get(number) ?? new Set()).add(errno));
    }
  }
  const isOne = (number: number): boolean => byNumber.get(number)?.size === 1;
  const answers = [...byNumber].flatMap(([number, errnos]): [number, number][] => {
    const [errno] = errnos;
    return isOne(number) && errno !== undefined ? [[number, errno]] : [];
  });
  // What falls through to the default must get the default's errno, and what a rule with arguments refuses the rule's.
  const isGeneral = (name: string): boolean =>
    syscalls.some((rule) => rule.names.includes(name) && !permits(rule.action) && (rule.args ?? []).length === 0);
  return {
    answers: { others: others ?? EPERM, bySyscall: answers },
    isTold: ({ names, action, errnoRet }) => {
      const errno = errnoOf(action, errnoRet);
      if (errno === undefined || errno === ENOSYS) return false;
      return names.every((name) => {
        const number = syscallNumber(name, native);
        return number === undefined || (isOne(number) && (errno === (others ?? errno) || isGeneral(name)));
      });
    },
  };
}

function nativeFilter(filter: Seccomp, native: Addon, isTold: (rule: SeccompRule) => boolean): NativeFilter {
  const { defaultAction, defaultErrnoRet, architectures = [], syscalls = [] } = filter;
  const defaultNumber = actionNumber(defaultAction, defaultErrnoRet);
  const defaultErrno = errnoOf(defaultAction, defaultErrnoRet);
  const particular: NativeRule[] = [];
  const permitting: NativeRule[] = [];
  const general: NativeRule[] = [];
  for (const rule of syscalls) {
    const args = rule.args ?? [];
    const part = permits(rule.action) ? permitting : args.length > 0 ? particular : general;
    const action = isTold(rule) ? ACT_NOTIFY : actionNumber(rule.action, rule.errnoRet);
    for (const name of rule.names) {
      const number = syscallNumber(name, native);
      if (number === undefined) continue;
      for (const conditions of alternatives(args)) {
        part.push({
          syscall: number,
          action,
          args: conditions.map(({ index, op, value, valueTwo = 0 }) => {
            return { index, op: SECCOMP_OPERATORS[op], value, valueTwo };
          }),
        });
      }
    }
  }
  const isDefaultTold = isTold({ names: [], action: defaultAction, errnoRet: defaultErrno ?? EPERM });
  return {
    architectures: architectures.map((name) => SECCOMP_ARCHITECTURES[name]),
    foreignAction: actionNumber("SCMP_ACT_KILL_PROCESS", undefined),
    defaultAction: isDefaultTold ? ACT_NOTIFY : defaultNumber,
    newerAreMissing: !permits(defaultAction) && defaultErrno !== ENOSYS,
    parts: [particular, permitting, general].filter((part) => part.length > 0),
  };
}

function compile(filter: Seccomp): CompiledFilter {
  const native = addon();
  const plain = native.compileFilter(nativeFilter(filter, native, () => false));
  if (!NEEDED_TO_TELL.every((name) => isPermitted(filter, name))) return { plain };
  const { answers, isTold } = told(filter, native);
  const program = native.compileFilter(nativeFilter(filter, native, isTold));
  return Buffer.compare(program, plain) === 0 ? { plain } : { plain, telling: { program, answers } };
}

/** How many filters that came as objects of their own are kept. */
const MOST = 16;

const byIdentity = new WeakMap<Seccomp, CompiledFilter>();
const byContent = new Map<string, CompiledFilter>();

/**
 * The programs of a filter that the rules have found sound.
 * @throws {errno, syscall} what libseccomp says; E2BIG: the program would be longer than the kernel takes
 */
export function compileFilter(filter: Seccomp): CompiledFilter {
  const known = byIdentity.get(filter);
  if (known !== undefined) return known;
  const content = JSON.stringify(filter, (_, value) => (typeof value === "bigint" ? `${value}n` : value));
  const compiled = byContent.get(content) ?? compile(filter);
  byContent.delete(content);
  byContent.set(content, compiled); // the last is the one used last
  const [oldest] = byContent.keys();
  if (byContent.size > MOST && oldest !== undefined) byContent.delete(oldest);
  if (isDeeplyFrozen(filter)) byIdentity.set(filter, compiled);
  return compiled;
}
