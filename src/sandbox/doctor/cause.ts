// A cause of missing features: when it is the one, why that is so, and what mends it.

import { FEATURES } from "../../spawner/features";
import type { SystemFacts } from "./facts";
import type { Remedy } from "./remedy";

/** A feature that could not be had, as probe() tells. */
export interface Failure {
  readonly feature: string;
  readonly errno: string;
  /** Which step failed, on what, and why. */
  readonly reason?: string;
  readonly remedy?: string;
}

export interface Cause {
  /** Stable, for reports as JSON. */
  readonly id: string;
  applies(failure: Failure, facts: SystemFacts): boolean;
  /** One line without a full stop: who refuses what. */
  title(facts: SystemFacts, failure: Failure): string;
  /** Sentences: how that is known, and what it means. */
  why(facts: SystemFacts, failure: Failure): string;
  /** The best first. */
  remedies(facts: SystemFacts, failure: Failure): readonly Remedy[];
}

/** Those that begin with a new user namespace. */
const NAMESPACED: ReadonlySet<string> = new Set([
  ...FEATURES.slice(FEATURES.indexOf("user namespace"), FEATURES.indexOf("no_new_privs")),
  "joining namespaces",
]);

/** Whether a thing that takes a namespace was refused by who guards the kernel, rather than unknown to it. */
export function isRefusedNamespace({ feature, errno }: Failure): boolean {
  return NAMESPACED.has(feature) && (errno === "EPERM" || errno === "EACCES");
}

export function takesNamespaces(feature: string): boolean {
  return NAMESPACED.has(feature);
}
