// "Allow this": what has to stand in the user's profiles so that what a sandbox refused is no longer refused. Pure; the
// profiles are the setting as it stands, and the answer is the setting as it would stand.

import { BUILT_IN_PROFILES, baseProfileName } from "./profiles";
import type { ProfileDefinition } from "./schema";

export interface ProfileChange {
  /** Name of the profile that is changed, and of its entry in the setting. */
  readonly profile: string;
  /** The setting had no entry of this name: the profile is a built-in one, and the entry changes it. */
  readonly isNew: boolean;
  /** The entry; undefined when there was none. */
  readonly before: unknown;
  readonly after: unknown;
  /** The whole setting `sandbox.profiles`, with the change. */
  readonly profiles: Readonly<Record<string, unknown>>;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Lists gain what they lack, objects are merged key by key, everything else is replaced. */
function merged(old: unknown, more: unknown): unknown {
  if (Array.isArray(old) && Array.isArray(more)) {
    const known = new Set(old.map((item) => JSON.stringify(item)));
    return [...old, ...more.filter((item) => !known.has(JSON.stringify(item)))];
  }
  if (!isObject(old) || !isObject(more)) return more;
  return { ...old, ...Object.fromEntries(Object.entries(more).map(([key, value]) => [key, merged(old[key], value)])) };
}

/**
 * The change of the user's profiles that allows something in every sandbox of a profile.
 * @param own the setting `sandbox.profiles`, unchecked
 * @param name of a sandbox's profile: with the mark that says that a task changed it, the one that the task extends
 * @param allow from a Denial
 */
export function changeToAllow(
  own: Readonly<Record<string, unknown>>,
  name: string,
  allow: ProfileDefinition,
): ProfileChange {
  const profile = baseProfileName(name, own);
  const before = Object.hasOwn(own, profile) ? own[profile] : undefined;
  const { extends: _, ...changes } = allow;
  // An entry with the name of a built-in profile changes that one; said outright, because what an entry without "extends"
  // builds upon is "build".
  const start = before ?? { extends: Object.hasOwn(BUILT_IN_PROFILES, profile) ? profile : "build" };
  const after = merged(start, changes);
  return { profile, isNew: before === undefined, before, after, profiles: { ...own, [profile]: after } };
}
