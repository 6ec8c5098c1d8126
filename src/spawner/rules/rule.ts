// What a rule is: which option it blames, when, and why. The files beside this one are tables of them, by subject.

import type { Caller } from "../caller";
import type { Capability } from "../capabilities";
import { hasInit } from "../plan";
import type { CloneFlag, Problem, SpawnOptions, SysProcAttr } from "../types";

/** What was asked for, and by whom, as the rules look at it. */
export interface Asked {
  readonly options: SpawnOptions;
  readonly sys: SysProcAttr;
  readonly caller: Caller;
  readonly cloned: ReadonlySet<CloneFlag>;
  readonly unshared: ReadonlySet<CloneFlag>;
  readonly joined: ReadonlySet<CloneFlag>;
}

export interface Rule {
  /** The option to blame; `[]` stands for each element that is. */
  readonly path: string;
  /** Whether the options break the rule; of a list, which elements do. */
  readonly broken: (asked: Asked) => boolean | readonly number[];
  /** What is wrong, the reason, and what to do. */
  readonly message: string | ((asked: Asked, index: number) => string);
}

/** What was asked for, ready for the rules. */
export function asked(options: SpawnOptions, caller: Caller): Asked {
  const sys = options.sys ?? {};
  return {
    options,
    sys,
    caller,
    cloned: new Set(sys.cloneflags),
    unshared: new Set(sys.unshareflags),
    joined: new Set(sys.setns?.flatMap(({ nstype }) => nstype)),
  };
}

/** What the rules say. */
export function judge(rules: readonly Rule[], about: Asked): Problem[] {
  const found: Problem[] = [];
  for (const { path, broken, message } of rules) {
    const verdict = broken(about);
    if (verdict === false) continue;
    for (const index of verdict === true ? [0] : verdict) {
      found.push({
        path: verdict === true ? path : path.replace("[]", `[${index}]`),
        message: typeof message === "string" ? message : message(about, index),
      });
    }
  }
  return found;
}

/** The elements for which something holds. */
export function which<T>(list: readonly T[] | undefined, holds: (element: T, index: number) => boolean): number[] {
  return (list ?? []).flatMap((element, i) => (holds(element, i) ? [i] : []));
}

/** Whether an option asks for anything. */
export function isGiven(value: SysProcAttr[keyof SysProcAttr]): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
}

/** A namespace of the child's own, whether by clone or by unshare. */
export function hasNew({ cloned, unshared }: Asked, flag: CloneFlag): boolean {
  return cloned.has(flag) || unshared.has(flag);
}

/** Whether a PID 1 of ours comes before the command, and forks it. */
export function hasOwnInit({ sys }: Asked): boolean {
  return hasInit(sys);
}

/** Whether the child ends up in another user namespace than ours, where it has every capability until its execve. */
export function leavesUserNamespace(about: Asked): boolean {
  return hasNew(about, "CLONE_NEWUSER") || about.joined.has("CLONE_NEWUSER");
}

/** Whether a step that needs the capability is bound to fail: the caller lacks it, and no new user namespace gives it. */
export function lacks(about: Asked, capability: Capability): boolean {
  return !leavesUserNamespace(about) && !about.caller.effective.has(capability);
}

/** What an ordinary user does about a missing capability. */
export const OWN_USER_NAMESPACE =
  "add CLONE_NEWUSER to sys.cloneflags, with your own id in sys.uidMappings and sys.gidMappings";
