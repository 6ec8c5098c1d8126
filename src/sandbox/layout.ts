// Which paths a sandbox sees, and how: a list of places, each covering what lies below it but for places further in.
// Pure. The list is the heart of a compiled profile: the mounts are made from it in order, and whether a path is
// visible (a working directory, a socket, a secret) is read off it.

import { ProfileError, SandboxError } from "./errors";
import type { HostFacts } from "./host";
import type { PathFact } from "./path-facts";
import { between, depth, expand, isInside } from "./paths";
import type { ResolvedProfile } from "./schema";
import type { ProtectedPath } from "./workspace";

/**
 * How a place is seen: `private`, an empty file system of the sandbox's own; `hidden`, the same for what a user's
 * profile hides; `read` and `write`, the host's; `copy`, the host's, with a layer of the sandbox's own over it that takes
 * what is written; `keep`, as what is around it, but so that it can't be moved or removed; `link`, a symbolic link.
 */
export type Access = "private" | "hidden" | "read" | "copy" | "write" | "keep" | "link";

export interface Place {
  /** Where it is inside. */
  readonly path: string;
  readonly access: Access;
  /** Host path that is shown there, or the text of the link. */
  readonly source?: string;
  readonly kind: "directory" | "file";
}

/** Of two places at the same path, the one whose access stands later here holds. */
const PRECEDENCE: readonly Access[] = ["link", "private", "keep", "read", "copy", "write", "hidden"];

/** The host's root, below everything. */
const ROOT: Place = { path: "/", access: "read", kind: "directory" };

/** The place that decides about a path: the innermost around it. */
export function placeOf(places: readonly Place[], path: string): Place {
  return places.reduce(
    (best, place) => (isInside(path, place.path) && depth(place.path) >= depth(best.path) ? place : best),
    ROOT,
  );
}

/** Whether the host's file at a path can be seen inside. */
export function isVisible(places: readonly Place[], path: string): boolean {
  const { access } = placeOf(places, path);
  return access === "read" || access === "copy" || access === "write" || access === "keep";
}

/** A path of the profile as it is on the machine; undefined when it is missing, as written when it was not looked up. */
export function lookup(text: string, facts: HostFacts): { path: string; fact: PathFact | undefined } {
  const path = expand(text, facts.home, facts.workspace);
  const fact = facts.paths[path] ?? { real: path, kind: "directory" };
  return { path, fact: fact === "missing" ? undefined : fact };
}

/** What one entry of a profile's lists stands for. */
export interface NamedPath {
  /** As it is written, made absolute; the real path for what a pattern matches. */
  readonly path: string;
  readonly fact: PathFact | undefined;
  /** Found by a pattern: nobody has named this very path. */
  readonly byPattern: boolean;
}

/** The path that is written, or every path that the pattern matches. Next.js has folders named like a pattern ("[id]"). */
export function named(text: string, facts: HostFacts): NamedPath[] {
  const written: NamedPath = { ...lookup(text, facts), byPattern: false };
  const matches = facts.matches[text];
  return matches === undefined
    ? [written]
    : [
        ...(written.fact === undefined ? [] : [written]),
        ...matches.map((fact): NamedPath => ({ path: fact.real, fact, byPattern: true })),
      ];
}

/** Where a user's paths are in the profile, to name the one that is wrong. */
type PathList = "read" | "write" | "hide";

/** The folders in which a task may have made links, and what those may lead to: nothing that it could not have anyway. */
function writableFolders({ filesystem }: ResolvedProfile, facts: HostFacts): { all: string[]; targets: string[] } {
  const written = filesystem.write.flatMap((text) => named(text, facts).flatMap(({ fact }) => fact ?? []));
  const others = [
    facts.workspace,
    ...(filesystem.tmp === "shared" ? facts.temporaryFolders : []),
    ...(filesystem.caches === "writable" ? facts.caches.map(({ real }) => real) : []),
  ];
  const direct = written.filter(({ links = [] }) => links.length === 0);
  return {
    all: [...others, ...written.map(({ real }) => real)],
    targets: [...others, ...direct.map(({ real }) => real)],
  };
}

/**
 * A protected path that a profile names as writable for where it can't be protected: where Landlock alone holds the
 * sandbox (alone/refusals.ts). Elsewhere it is protected as ever.
 */
function isGivenUp({ fallback }: ResolvedProfile, list: PathList, real: string, facts: HostFacts): boolean {
  return fallback === "landlock" && list === "write" && facts.protected.some(({ path }) => path === real);
}

function shownPlaces(profile: ResolvedProfile, list: "read" | "write", facts: HostFacts): Place[] {
  const writable = writableFolders(profile, facts);
  /** The writable folder with a link in it that this path goes through, to where no task may write. */
  const misled = ({ links = [], real }: PathFact): string | undefined =>
    writable.targets.some((folder) => isInside(real, folder))
      ? undefined
      : writable.all.find((folder) => links.some((link) => isInside(link, folder)));
  return profile.filesystem[list].flatMap((text, index): Place[] => {
    const at = `filesystem.${list}[${index}]`;
    return named(text, facts).flatMap(({ path, fact, byPattern }): Place[] => {
      const refuse = (message: string): never => {
        throw new ProfileError([{ path: at, message }]);
      };
      if (fact === undefined) {
        return refuse(`${path} does not exist, or you may not see it; make it, or take it out of the profile`);
      }
      const misleading = misled(fact);
      if (misleading !== undefined) {
        if (byPattern) return [];
        refuse(
          misleading === facts.workspace
            ? `${path} is a link that leads out of the workspace, to ${fact.real}: whoever made the workspace chose that. Name ${fact.real} itself if it is meant`
            : `${path} goes through a link in ${misleading}, where a task may write, to ${fact.real}: a task may have chosen that. Name ${fact.real} itself if it is meant`,
        );
      }
      if (fact.real === "/" || (list === "write" && isInside(facts.home, fact.real))) {
        refuse(`${path} can't be shown as a whole: name the folders in it that are needed`);
      }
      if (["/proc", "/dev"].some((folder) => isInside(fact.real, folder)) && !isInside(fact.real, "/dev/shm")) {
        refuse(`${path} can't be shown: a sandbox has a /proc and a /dev of its own`);
      }
      if (isGivenUp(profile, list, fact.real, facts)) {
        return [];
      }
      if (byPattern && facts.protected.some((guarded) => isInside(fact.real, guarded.path))) {
        return [];
      }
      const place: Place = { path: fact.real, access: list, source: fact.real, kind: fact.kind };
      return path === fact.real ? [place] : [place, { path, access: "link", source: fact.real, kind: "file" }];
    });
  });
}

function hiddenPlaces(profile: ResolvedProfile, facts: HostFacts): Place[] {
  return profile.filesystem.hide.flatMap((text, index): Place[] =>
    named(text, facts).flatMap(({ path, fact }) => {
      if (fact !== undefined && ["/", "/proc", "/dev"].includes(fact.real)) {
        throw new ProfileError([
          { path: `filesystem.hide[${index}]`, message: `${path} can't be hidden: without it no program runs` },
        ]);
      }
      // What is not there can't be read; hiding it would leave a stub on the host.
      return fact === undefined ? [] : [{ path: fact.real, access: "hidden", kind: fact.kind }];
    }),
  );
}

/** The protected paths that a task could change: those in a place it may write to. */
export function guardedPaths(places: readonly Place[], facts: HostFacts): ProtectedPath[] {
  return facts.protected.filter(({ path }) => {
    const { access } = placeOf(places, path);
    return access === "write" || access === "copy" || access === "keep";
  });
}

/** The folders around protected paths, held in place, so that `mv .git x` and a new .git can't go round the protection. */
function keptPlaces(places: readonly Place[], facts: HostFacts): Place[] {
  const folders = new Set<string>();
  for (const { path, kind } of guardedPaths(places, facts)) {
    if (kind === "symlink") {
      throw new SandboxError(
        "protected",
        path,
        `${path} is a symbolic link, so it can't be protected: a task could make it lead elsewhere.`,
        'Put a real file or folder there, or run with a read-only workspace (profile "strict").',
      );
    }
    for (const folder of kind === "missing" ? [] : between(placeOf(places, path).path, path)) {
      folders.add(folder);
    }
  }
  return [...folders].map((path) => {
    // Below a layer of the sandbox's own, it is the layered folder that is held in place, and not the host's.
    const source = placeOf(places, path).access === "copy" ? {} : { source: path };
    return { path, access: "keep", ...source, kind: "directory" };
  });
}

/** Refuses what the user asked for twice, each time differently: which one was meant can't be told. Patterns may overlap. */
function checkConflicts(profile: ResolvedProfile, facts: HostFacts): void {
  const written = (text: string): string | undefined => {
    const own = named(text, facts).find(({ byPattern }) => !byPattern);
    return own && (own.fact?.real ?? own.path);
  };
  const hidden = new Set(profile.filesystem.hide.map(written));
  for (const list of ["read", "write"] as const satisfies readonly PathList[]) {
    for (const [index, text] of profile.filesystem[list].entries()) {
      const real = written(text);
      if (real === undefined) {
        continue;
      }
      if (hidden.has(real)) {
        throw new ProfileError([
          {
            path: `filesystem.${list}[${index}]`,
            message: `${text} is in filesystem.hide as well; take it out of one of them`,
          },
        ]);
      }
      const guarded = facts.protected.find(({ path }) => isInside(real, path));
      if (list === "write" && guarded !== undefined && !isGivenUp(profile, list, real, facts)) {
        throw new ProfileError([
          {
            path: `filesystem.write[${index}]`,
            message: `${text} is protected: the editor or git would run what a task writes there. Take it out`,
          },
        ]);
      }
    }
  }
  const workspace = profile.filesystem.hide.findIndex((text) =>
    named(text, facts).some(({ path, fact }) => (fact?.real ?? path) === facts.workspace),
  );
  if (workspace >= 0) {
    throw new ProfileError([
      { path: `filesystem.hide[${workspace}]`, message: "this is the workspace itself, which a sandbox needs" },
    ]);
  }
}

const WORKSPACE_ACCESS: Readonly<Record<ResolvedProfile["filesystem"]["workspace"], Access>> = {
  readwrite: "write",
  readonly: "read",
  "copy-on-write": "copy",
};

const CACHE_ACCESS: Readonly<Record<ResolvedProfile["filesystem"]["caches"], Access>> = {
  private: "copy",
  shared: "read",
  writable: "write",
};

/** An overlay lies over one mount: what is mounted further in would be missing, and what lies below that would be shown. */
function checkCopy({ mountPoints, workspace }: HostFacts): void {
  const further = mountPoints.find((path) => path !== workspace && isInside(path, workspace));
  if (further !== undefined) {
    throw new ProfileError([
      {
        path: "filesystem.workspace",
        message: `"copy-on-write" can't be had: ${further} is mounted inside the workspace. Unmount it, or use "readwrite" or "readonly"`,
      },
    ]);
  }
}

/** A folder of the host, with the link by which programs find it where it really is elsewhere. */
function folder({ path, real }: { path: string; real: string }, access: Access): Place[] {
  const place: Place = { path: real, access, source: real, kind: "directory" };
  return path === real ? [place] : [place, { path, access: "link", source: real, kind: "file" }];
}

/**
 * A repository outside of the workspace, of which the workspace is a worktree or submodule: to be read, and what git
 * itself writes when it commits as the workspace is.
 */
function repositoryPlaces({ repository, workspace }: HostFacts, access: Access): Place[] {
  if (repository === undefined) {
    return [];
  }
  const { path, written } = repository;
  return [
    ...folder({ path, real: path }, "read"),
    ...written.flatMap((one) => folder({ path: one, real: one }, access)),
  ].filter((place) => !isInside(place.path, workspace));
}

/**
 * The places of a sandbox, outermost first.
 * @throws ProfileError for a path of the profile that can't be met
 * @throws SandboxError for a workspace whose protected paths can't be protected
 */
export function layout(profile: ResolvedProfile, facts: HostFacts): Place[] {
  checkConflicts(profile, facts);
  const access = WORKSPACE_ACCESS[profile.filesystem.workspace];
  if (access === "copy") {
    checkCopy(facts);
  }
  const directory = (path: string, access: Access): Place => ({ path, access, kind: "directory" });
  const hidden = hiddenPlaces(profile, facts);
  // The workspace's own tools (its venv, its bin) are part of it; what the user hides is not shown again.
  const isShown = ({ real }: { real: string }): boolean =>
    !isInside(real, facts.workspace) && !hidden.some((place) => isInside(real, place.path));
  const user = [...shownPlaces(profile, "read", facts), ...shownPlaces(profile, "write", facts), ...hidden];
  const candidates: Place[] = [
    ...facts.privateFolders.map((path) => directory(path, "private")),
    ...facts.temporaryFolders.map(
      (path): Place =>
        profile.filesystem.tmp === "private"
          ? directory(path, "private")
          : { ...directory(path, "write"), source: path },
    ),
    ...facts.links.map(({ path, target }): Place => ({ path, access: "link", source: target, kind: "file" })),
    ...facts.toolchains.filter(isShown).flatMap((toolchain) => folder(toolchain, "read")),
    ...facts.caches.filter(isShown).flatMap((cache) => folder(cache, CACHE_ACCESS[profile.filesystem.caches])),
    ...(profile.network === "host" && facts.resolver !== undefined
      ? [{ path: facts.resolver, access: "read", source: facts.resolver, kind: "file" } satisfies Place]
      : []),
    ...repositoryPlaces(facts, access),
    ...folder({ path: facts.workspace, real: facts.workspace }, access),
    ...user,
  ];
  const places = ordered(candidates);
  const kept = keptPlaces(places, facts);
  return kept.length === 0 ? places : ordered([...kept, ...places]);
}

/** One place a path, outermost first, without those that change nothing. */
function ordered(candidates: readonly Place[]): Place[] {
  const byPath = new Map<string, Place>();
  for (const place of candidates) {
    const other = byPath.get(place.path);
    if (other === undefined || PRECEDENCE.indexOf(place.access) >= PRECEDENCE.indexOf(other.access)) {
      byPath.set(place.path, place);
    }
  }
  const sorted = [...byPath.values()].sort((a, b) => depth(a.path) - depth(b.path));
  return sorted.filter((place, index) => isNeeded(place, sorted.slice(0, index)));
}

/** Leaves out what changes nothing, because each mount costs: a host path that is seen so already. */
function isNeeded(place: Place, outer: readonly Place[]): boolean {
  const around = placeOf(outer, place.path);
  switch (place.access) {
    case "link":
      // On the host's own file system the link is there by itself; only an empty one needs it.
      return around.access === "private" || around.access === "hidden";
    case "read":
      return around.access !== "read";
    default:
      return true;
  }
}
