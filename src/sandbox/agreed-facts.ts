// The facts of the machine that a sandbox is made of, once whoever is asked has agreed to it and all that it needs is there.

import { makeCaches } from "./caches";
import { forgetMachineFacts, type HostFacts, readHostFacts } from "./host";
import { layout, placeOf } from "./layout";
import { expand, isInside } from "./paths";
import type { ResolvedProfile } from "./schema";
import type { Consent, RunContext, SandboxCommand } from "./types";

/** How a sandbox is made. */
export interface Making {
  /** The user's profiles (setting `sandbox.profiles`). */
  readonly own: Readonly<Record<string, unknown>>;
  readonly consent: Consent | undefined;
  /** Only to see whether it can be made: nothing is made outside of it. */
  readonly isTrial: boolean;
}

/** Makes the package caches that are missing, where the profile lets tasks fill them. @returns whether any was made */
async function madeCaches(profile: ResolvedProfile, facts: HostFacts): Promise<boolean> {
  if (profile.filesystem.caches !== "writable") return false;
  const places = layout(profile, facts);
  const hidden = profile.filesystem.hide.map((text) => expand(text, facts.home, facts.workspace));
  // What the user hides is not made to be hidden, and what can be written to needs none.
  const isNeeded = (path: string): boolean =>
    ["private", "read"].includes(placeOf(places, path).access) && !hidden.some((one) => isInside(path, one));
  const isAnyMade = await makeCaches(facts.home, facts.environment, facts.caches, isNeeded);
  if (isAnyMade) forgetMachineFacts();
  return isAnyMade;
}

/**
 * The facts that the sandbox is made of: the very ones that were consented to. While somebody thinks about it a link can
 * be turned elsewhere, so after every question the machine is looked at, and held against the answer, once more; and so it
 * is when we have changed something ourselves.
 */
export async function agreedFacts(
  command: SandboxCommand,
  profile: ResolvedProfile,
  context: RunContext,
  { consent, isTrial }: Making,
): Promise<HostFacts> {
  for (;;) {
    const facts = await readHostFacts(context, { profile, command });
    if ((await consent?.(profile, facts)) === "asked") continue;
    if (isTrial || !(await madeCaches(profile, facts))) return facts;
  }
}
