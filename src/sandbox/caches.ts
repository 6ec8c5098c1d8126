// Where package managers and compilers keep what they have fetched or built. Without it every build would begin from
// nothing, and without a network none would begin; writable, one task could put its own code into the next one's build.

import { constants } from "node:fs";
import { access, mkdir, realpath, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { isInside } from "./paths";
import { isSystemFolder } from "./workspace";

/** A cache that is there. */
export interface Cache {
  /** Where programs look for it. */
  readonly path: string;
  /** Where it really is. */
  readonly real: string;
}

/** A folder that a variable may name too, with the caches in it. */
interface Place {
  readonly variable?: string;
  /** Below $HOME. */
  readonly byDefault: string;
  readonly caches: readonly string[];
  /** Files beside the caches with passwords or tokens in them. */
  readonly secrets?: readonly string[];
  /** The commands that fill it, without a wrapper of the project's own (./gradlew). */
  readonly filledBy: readonly string[];
}

const PYTHON = ["pip", "pip3", "python3"];

/** npm's is the store alone: what `npx` installs beside it (_npx) is run without a question. */
const PLACES: readonly Place[] = [
  { variable: "npm_config_cache", byDefault: ".npm", caches: ["_cacache"], filledBy: ["npm"] },
  { variable: "YARN_CACHE_FOLDER", byDefault: ".cache/yarn", caches: ["."], filledBy: ["yarn"] },
  { byDefault: ".yarn/berry", caches: ["cache"], filledBy: ["yarn"] },
  { byDefault: ".local/share/pnpm", caches: ["store"], filledBy: ["pnpm"] },
  { byDefault: ".bun/install", caches: ["cache"], filledBy: ["bun"] },
  { variable: "PIP_CACHE_DIR", byDefault: ".cache/pip", caches: ["."], filledBy: PYTHON },
  { variable: "UV_CACHE_DIR", byDefault: ".cache/uv", caches: ["."], filledBy: ["uv"] },
  { byDefault: ".cache/pypoetry", caches: ["."], filledBy: ["poetry"] },
  {
    variable: "CARGO_HOME",
    byDefault: ".cargo",
    caches: ["registry", "git"],
    secrets: ["credentials", "credentials.toml"],
    filledBy: ["cargo"],
  },
  { variable: "GOMODCACHE", byDefault: "go/pkg/mod", caches: ["."], filledBy: ["go"] },
  // Without a GOMODCACHE; the official images have one at /go.
  { variable: "GOPATH", byDefault: "go", caches: ["pkg/mod"], filledBy: ["go"] },
  { variable: "GOCACHE", byDefault: ".cache/go-build", caches: ["."], filledBy: ["go"] },
  { byDefault: ".m2", caches: ["repository", "wrapper"], filledBy: ["mvn", "java"] },
  {
    variable: "GRADLE_USER_HOME",
    byDefault: ".gradle",
    caches: ["caches", "wrapper"],
    secrets: ["gradle.properties"],
    filledBy: ["gradle", "java"],
  },
  { byDefault: ".ivy2", caches: ["cache"], filledBy: ["sbt", "ant"] },
  { byDefault: ".cache/coursier", caches: ["."], filledBy: ["sbt", "cs"] },
  { byDefault: ".cache/composer", caches: ["."], filledBy: ["composer"] },
  { variable: "CCACHE_DIR", byDefault: ".cache/ccache", caches: ["."], filledBy: ["ccache"] },
  { byDefault: ".ccache", caches: ["."], filledBy: [] },
  { byDefault: ".cache/sccache", caches: ["."], filledBy: ["sccache"] },
];

/** Variables that name a cache: a sandbox passes them on, as what they name is shown. */
export const CACHE_VARIABLES: readonly string[] = PLACES.flatMap(({ variable }) => variable ?? []);

type Environment = Readonly<Record<string, string | undefined>>;

/** The folder that a variable names; of a list, as GOPATH may be, the first is the one that holds the cache. */
function namedFolder({ variable }: Place, environment: Environment): string | undefined {
  const named = variable === undefined ? undefined : environment[variable]?.split(":")[0];
  return named?.startsWith("/") ? resolve(named) : undefined;
}

/** The cache at a path; undefined where there is none, or where showing it would show more than a cache. */
async function cacheAt(path: string, home: string): Promise<Cache | undefined> {
  try {
    const real = await realpath(path);
    // A link to the home folder, or to what holds it, would undo its hiding.
    const isTooMuch = isInside(home, real) || isSystemFolder(real);
    return isTooMuch || !(await stat(real)).isDirectory() ? undefined : { path, real };
  } catch {
    return undefined;
  }
}

/**
 * The caches that are there.
 * @param home real path
 * @param environment the editor's: where the user's own programs look for them
 */
export async function findCaches(home: string, environment: Environment): Promise<Cache[]> {
  const wanted = PLACES.flatMap((place) => {
    const folders = [join(home, place.byDefault), namedFolder(place, environment) ?? []].flat();
    return folders.flatMap((folder) => place.caches.map((cache) => join(folder, cache)));
  });
  const found = await Promise.all([...new Set(wanted)].map((path) => cacheAt(path, home)));
  const caches = found.filter((cache) => cache !== undefined);
  return caches.filter(({ real }) => !caches.some((other) => other.real !== real && isInside(real, other.real)));
}

/** Secrets of package managers that lie where a variable says, and not in the home folder. */
export function secretsBesideCaches(environment: Environment): string[] {
  return PLACES.flatMap((place) => {
    const folder = namedFolder(place, environment);
    return folder === undefined ? [] : (place.secrets ?? []).map((name) => join(folder, name));
  });
}

async function isOnPath(command: string, path: string): Promise<boolean> {
  const folders = path.split(":").filter((folder) => folder.startsWith("/"));
  const found = await Promise.all(
    folders.map((folder) =>
      access(join(folder, command), constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}

/**
 * Makes the caches that are missing, of the package managers that are there, as those do when they first run: in a sandbox
 * they could not, as the folder around is read-only there, or gone with the sandbox.
 * @param known from findCaches
 * @param mayMake whether a cache is to be at a path
 * @returns whether any was made; what can't be made is left out, and its package manager does without
 */
export async function makeCaches(
  home: string,
  environment: Environment,
  known: readonly Cache[],
  mayMake: (path: string) => boolean,
): Promise<boolean> {
  const isThere = (path: string): boolean => known.some((cache) => isInside(path, cache.path));
  let isAnyMade = false;
  for (const place of PLACES) {
    const folder = namedFolder(place, environment) ?? join(home, place.byDefault);
    const missing = place.caches.map((cache) => join(folder, cache)).filter((path) => !isThere(path) && mayMake(path));
    if (missing.length === 0) continue;
    const commands = await Promise.all(place.filledBy.map((name) => isOnPath(name, environment.PATH ?? "")));
    for (const path of commands.includes(true) ? missing : []) {
      const made = await mkdir(path, { recursive: true, mode: 0o700 }).catch(() => undefined);
      isAnyMade ||= made !== undefined;
    }
  }
  return isAnyMade;
}
