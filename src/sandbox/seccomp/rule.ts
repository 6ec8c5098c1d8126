// The filter that becomes of what a profile says about system calls. Without zod: this is loaded with the editor.

import type { Capability } from "../../spawner/capabilities";
import { deepFreeze } from "../../spawner/seccomp/frozen";
import type { Seccomp, SeccompRule } from "../../spawner/seccomp/oci";
import { DEFAULT_FILTER } from "./default";
import type { FilterChoice, SeccompChoice } from "./schema";

const isExtension = (choice: SeccompChoice | undefined): choice is FilterChoice =>
  typeof choice === "object" && choice.extends !== undefined;

/** A choice on top of another: two that extend the default filter add up, anything else takes its place. */
export function mergeSeccomp(base: SeccompChoice, changes: SeccompChoice | undefined): SeccompChoice {
  if (changes === undefined) return base;
  if (!isExtension(base) || !isExtension(changes)) return changes;
  return { ...base, ...changes, syscalls: [...(base.syscalls ?? []), ...(changes.syscalls ?? [])] };
}

const sameArguments = (a: SeccompRule, b: SeccompRule): boolean =>
  JSON.stringify(a.args ?? []) === JSON.stringify(b.args ?? []);

/**
 * The default filter with rules of the user's: one without arguments takes the place of all that the default says about
 * its calls, one with arguments of what it says about these very arguments.
 */
function extended({ syscalls = [], ...rest }: FilterChoice, granting: readonly SeccompRule[]): Seccomp {
  const rules = [...granting, ...(syscalls as readonly SeccompRule[])];
  const kept = (DEFAULT_FILTER.syscalls ?? []).flatMap((rule): SeccompRule[] => {
    const names = rule.names.filter(
      (name) =>
        !rules.some((own) => own.names.includes(name) && ((own.args ?? []).length === 0 || sameArguments(own, rule))),
    );
    return names.length === 0 ? [] : [{ ...rule, names }];
  });
  const { extends: _, ...more } = rest as Partial<Seccomp> & { extends?: string };
  return { ...DEFAULT_FILTER, ...more, syscalls: [...kept, ...rules] };
}

/** Calls that come with a capability, as in Docker's default: without it the kernel refuses them anyway. */
const GRANTED: Readonly<Partial<Record<Capability, readonly string[]>>> = { CAP_SYS_CHROOT: ["chroot"] };

/** The filter, or undefined for none. Compiled once: it is the same object for "default", and kept by content otherwise. */
export function filterOf(choice: SeccompChoice, capabilities: readonly Capability[] = []): Seccomp | undefined {
  if (choice === "off") return undefined;
  const names = capabilities.flatMap((capability) => GRANTED[capability] ?? []);
  if (choice === "default" && names.length === 0) return DEFAULT_FILTER;
  const changes: FilterChoice = choice === "default" ? { extends: "default" } : choice;
  if (!isExtension(changes)) return structuredClone(changes as Seccomp);
  const granting: SeccompRule[] = names.length === 0 ? [] : [{ names, action: "SCMP_ACT_ALLOW" }];
  return deepFreeze(structuredClone(extended(changes, granting)));
}

/** Whether a choice certainly allows no more than another; two filters are not compared. */
export function isStricterSeccomp(choice: SeccompChoice, than: SeccompChoice): boolean {
  if (JSON.stringify(choice) === JSON.stringify(than)) return true;
  const onlyAllows = isExtension(than) && (than.syscalls ?? []).every(({ action }) => action === "SCMP_ACT_ALLOW");
  return choice === "default" && onlyAllows;
}

/** What of it a reader should know; empty for the default. */
export function describeSeccomp(choice: SeccompChoice): string {
  if (choice === "default") return "";
  if (choice === "off") return "no system call filter";
  if (!isExtension(choice)) return "has a system call filter of its own";
  const names = (choice.syscalls ?? []).flatMap((rule) => (rule.action === "SCMP_ACT_ALLOW" ? rule.names : []));
  const shown = [...new Set(names)];
  return shown.length === 0
    ? "has the default system call filter with rules of its own"
    : `may call ${shown.length <= 3 ? shown.join(", ") : `${shown.slice(0, 2).join(", ")} and ${shown.length - 2} more`}`;
}
