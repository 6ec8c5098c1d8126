// The built-in profiles, and how a reference ("build", {extends: "build", network: "host"}) becomes a whole profile.

import { schemas } from "../load-schemas";
import { nearest } from "../spawner/nearest";
import { ProfileError } from "./errors";
import type { ProfileDefinition, ProfileRef, ResolvedProfile } from "./schema";
import { mergeSeccomp } from "./seccomp/rule";

/** What every profile starts from: the safe side of each choice. */
const BASE: Omit<ResolvedProfile, "name"> = {
  filesystem: { workspace: "readwrite", read: [], write: [], hide: [], tmp: "private", caches: "private" },
  network: "loopback",
  limits: {},
  environment: { inherit: [], set: {} },
  capabilities: [],
  landlock: "on",
  seccomp: "default",
  fallback: "refuse",
};

/** The profiles that are always there. Each but "build" says only how it differs from the one it extends. */
export const BUILT_IN_PROFILES: Readonly<Record<string, ProfileDefinition>> = {
  /** To look at a repository, or to run its linter: nothing outside /tmp can be changed. */
  strict: { extends: "build", filesystem: { workspace: "readonly", caches: "shared" }, network: "none" },
  /** To build and to test: the workspace can be written, the network can't be reached. */
  build: {},
  /** To fetch dependencies: as build, with the host's network and the variables that say how to reach it, for later builds too. */
  install: {
    extends: "build",
    filesystem: { caches: "writable" },
    network: "host",
    environment: {
      inherit: [
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "no_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
      ],
    },
  },
  /** To work in by hand. */
  shell: { extends: "build" },
};

export const DEFAULT_PROFILE = "build";

/** Names that may be asked for: the built-in ones, then the user's. */
export function profileNames(own: Readonly<Record<string, unknown>> = {}): string[] {
  return [...new Set([...Object.keys(BUILT_IN_PROFILES), ...Object.keys(own)])];
}

function unknownProfile(path: string, name: string, own: Readonly<Record<string, unknown>>): ProfileError {
  const names = profileNames(own);
  const suggestion = nearest(name, names);
  return suggestion === undefined
    ? new ProfileError([{ path, message: `unknown profile "${name}"; known are ${names.join(", ")}` }])
    : new ProfileError([{ path, message: `unknown profile "${name}"; did you mean "${suggestion}"?`, suggestion }]);
}

function parse(input: unknown, prefix: string): ProfileDefinition {
  const { problemsOf, profileSchema } = schemas();
  const parsed = profileSchema.safeParse(input);
  if (!parsed.success) {
    throw new ProfileError(problemsOf(parsed.error, input, prefix));
  }
  return parsed.data;
}

const union = (base: readonly string[], more: readonly string[] | undefined): string[] => [
  ...new Set([...base, ...(more ?? [])]),
];

/**
 * Lists add up (a profile that hides one more folder must not show those its base hides), but for `namespaces`, which
 * says which there are; everything else is replaced.
 */
function merge(base: Omit<ResolvedProfile, "name">, changes: ProfileDefinition): Omit<ResolvedProfile, "name"> {
  const { filesystem = {}, limits = {}, environment = {} } = changes;
  const namespaces = changes.namespaces ?? base.namespaces;
  const inherit = environment.inherit ?? base.environment.inherit;
  return {
    filesystem: {
      workspace: filesystem.workspace ?? base.filesystem.workspace,
      read: union(base.filesystem.read, filesystem.read),
      write: union(base.filesystem.write, filesystem.write),
      hide: union(base.filesystem.hide, filesystem.hide),
      tmp: filesystem.tmp ?? base.filesystem.tmp,
      caches: filesystem.caches ?? base.filesystem.caches,
    },
    network: changes.network ?? base.network,
    ...(namespaces === undefined ? {} : { namespaces: [...new Set(namespaces)] }),
    limits: { ...base.limits, ...limits },
    environment: {
      inherit:
        inherit === "all" || base.environment.inherit === "all" ? inherit : union(base.environment.inherit, inherit),
      set: { ...base.environment.set, ...environment.set },
    },
    capabilities: [...new Set([...base.capabilities, ...(changes.capabilities ?? [])])],
    landlock: changes.landlock ?? base.landlock,
    seccomp: mergeSeccomp(base.seccomp, changes.seccomp),
    fallback: changes.fallback ?? base.fallback,
  };
}

/** A profile by its name. `seen` are the names on the way here, to tell a cycle. */
function byName(
  name: string,
  own: Readonly<Record<string, unknown>>,
  path: string,
  seen: readonly string[],
): Omit<ResolvedProfile, "name"> {
  // A user's profile may have the name of a built-in one, and then changes it: it extends the built-in of its own name.
  const shadowed = seen.includes(name) && seen.at(-1) === name && Object.hasOwn(BUILT_IN_PROFILES, name);
  if (Object.hasOwn(own, name) && !shadowed) {
    if (seen.includes(name)) {
      throw new ProfileError([
        { path, message: `profiles extend each other in a circle: ${[...seen, name].join(" -> ")}` },
      ]);
    }
    const at = `sandbox.profiles.${name}`;
    const definition = parse(own[name], at);
    const base = definition.extends ?? (name === DEFAULT_PROFILE ? name : DEFAULT_PROFILE);
    return merge(byName(base, own, `${at}.extends`, [...seen, name]), definition);
  }
  if (!Object.hasOwn(BUILT_IN_PROFILES, name)) {
    throw unknownProfile(path, name, own);
  }
  const definition = BUILT_IN_PROFILES[name] ?? {};
  // Built-in ones extend built-in ones: what a user makes of "build" must not change what "strict" promises.
  return merge(definition.extends === undefined ? BASE : byName(definition.extends, {}, path, []), definition);
}

/** What the name of a profile ends with that a task changed. */
const CHANGED = " (changed)";

/** The name of the profile that a sandbox's profile is, or that it was made from by a task. */
export function baseProfileName(name: string, own: Readonly<Record<string, unknown>>): string {
  return name.endsWith(CHANGED) && !Object.hasOwn(own, name) ? name.slice(0, -CHANGED.length) : name;
}

/** Whether more differs than the variables that are set: those (a task's `env`) change what runs, not what it may do. */
function changesAccess({ extends: _, environment, ...others }: ProfileDefinition): boolean {
  return Object.keys(others).length > 0 || Object.keys(environment ?? {}).some((key) => key !== "set");
}

/**
 * A whole profile from a reference.
 * @param own the user's profiles, as they stand in the setting `sandbox.profiles`: unchecked
 * @throws ProfileError naming the key or value and the nearest known one
 */
export function resolveProfile(ref: ProfileRef, own: Readonly<Record<string, unknown>> = {}): ResolvedProfile {
  if (typeof ref === "string") {
    return { name: ref, ...byName(ref, own, "profile", []) };
  }
  const changes = parse(ref, "");
  const base = changes.extends;
  if (base === undefined) {
    throw new ProfileError([
      { path: "extends", message: `name the profile that this one changes; known are ${profileNames(own).join(", ")}` },
    ]);
  }
  const changed = changesAccess(changes);
  return {
    name: changed ? `${base}${CHANGED}` : base,
    ...merge(byName(base, own, "extends", []), changes),
  };
}

/** The same profile with variables set: for a task's own `env`, which the user wrote and which no rule should filter. */
export function withEnvironment(ref: ProfileRef, set: Readonly<Record<string, string>>): ProfileRef {
  if (Object.keys(set).length === 0) {
    return ref;
  }
  const definition = typeof ref === "string" ? { extends: ref } : ref;
  return {
    ...definition,
    environment: { ...definition.environment, set: { ...definition.environment?.set, ...set } },
  };
}
