// What the check of a system found, as data: for the text that people read, for JSON, and for those who jump to a line.

import type { Feature } from "../../spawner/types";
import type { FallbackResult } from "../alone";
import { type Diagnosis, diagnose } from "./diagnose";
import { type Entry, EVERY_PROFILE, entryOf } from "./entries";
import type { SystemFacts } from "./facts";

/** Whether a profile's sandboxes can be made here, found by making one. */
export interface ProfileResult {
  readonly profile: string;
  readonly runs: boolean;
  /** What was refused, and the feature that this system lacks where that is why. */
  readonly reason?: string;
  readonly feature?: string;
  /** Which of the report's findings explains it, counted from 1. */
  readonly finding?: number;
}

export interface FeatureLine extends Feature {
  readonly use: string;
  readonly costs: string;
  readonly needed: boolean;
  /** Which of the report's findings explains it, counted from 1. */
  readonly finding?: number;
}

/** A cause, with all that follows from it. */
export interface Finding extends Diagnosis {
  readonly features: readonly string[];
  readonly costs: readonly string[];
  /** Whether the profile `build` can't run because of it. */
  readonly serious: boolean;
}

export interface Report {
  /** Whether sandboxes of the profile `build` can run. */
  readonly ok: boolean;
  readonly system: string;
  readonly program: string;
  readonly profiles: readonly ProfileResult[];
  /** Whether Landlock alone could hold a sandbox here; absent where it was not tried. */
  readonly fallback?: FallbackResult;
  readonly features: readonly FeatureLine[];
  readonly findings: readonly Finding[];
}

const UNKNOWN: Entry = { use: "", costs: "", needed: false, since: [0, 0] };

/** "every profile" says all of the others. */
function costsOf(entries: readonly Entry[]): string[] {
  const costs = [...new Set(entries.map((entry) => entry.costs))].filter(Boolean);
  return costs.includes(EVERY_PROFILE) ? [EVERY_PROFILE] : costs;
}

/** Features by what keeps them away, in the order in which the first of each was tried. */
function findingsOf(features: readonly Feature[], facts: SystemFacts): Finding[] {
  const found = new Map<string, { diagnosis: Diagnosis; features: Feature[] }>();
  for (const feature of features.filter(({ available }) => !available)) {
    const diagnosis = diagnose({ ...feature, errno: feature.errno ?? "" }, facts);
    // One cause may be told in other words for another feature: a controller that is not delegated, by its name.
    const key = `${diagnosis.id} ${diagnosis.title}`;
    const same = found.get(key);
    if (same === undefined) found.set(key, { diagnosis, features: [feature] });
    else same.features.push(feature);
  }
  return [...found.values()].map(({ diagnosis, features: these }) => {
    const entries = these.map(({ feature }) => entryOf(feature) ?? UNKNOWN);
    return {
      ...diagnosis,
      features: these.map(({ feature }) => feature),
      costs: costsOf(entries),
      serious: entries.some(({ needed }) => needed),
    };
  });
}

export function makeReport(
  facts: SystemFacts,
  features: readonly Feature[],
  profiles: readonly ProfileResult[],
  fallback?: FallbackResult,
): Report {
  const found = findingsOf(features, facts);
  const findings = [...found.filter(({ serious }) => serious), ...found.filter(({ serious }) => !serious)];
  const numberOf = (feature: string | undefined): { finding?: number } => {
    const at = findings.findIndex((finding) => feature !== undefined && finding.features.includes(feature));
    return at < 0 ? {} : { finding: at + 1 };
  };
  return {
    ok: profiles.find(({ profile }) => profile === "build")?.runs === true,
    system: `${facts.distribution.name}, Linux ${facts.release} ${process.arch}${facts.container === undefined ? "" : `, in a container (${facts.container})`}`,
    program: `${facts.executable}, user ${facts.uid}${facts.label === undefined ? "" : `, label ${facts.label}`}`,
    profiles: profiles.map((profile) => ({ ...profile, ...numberOf(profile.feature) })),
    ...(fallback === undefined ? {} : { fallback }),
    features: features.map((feature) => {
      const { use, costs, needed } = entryOf(feature.feature) ?? UNKNOWN;
      return { ...feature, use, costs, needed, ...numberOf(feature.feature) };
    }),
    findings,
  };
}
