// Where package managers and compilers keep what they have fetched or built. Without it every build would begin from
// nothing, and without a network none would begin; writable, one task could put its own code into the next one's build.

import { realpath, stat } from "node:fs/promises";
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
}

/** npm's is the store alone: what `npx` installs beside it (_npx) is run without a question. */
const PLACES: readonly Place[] = [
  { variable: "npm_config_cache", byDefault: ".npm", caches: ["_cacache"] },
  { variable: "YARN_CACHE_FOLDER", byDefault: ".cache/yarn", caches: ["."] },
  { byDefault: ".yarn/berry", caches: ["cache"] },
  { byDefault: ".local/share/pnpm", caches: ["store"] },
  { byDefault: ".bun/install", caches: ["cache"] },
  { variable: "PIP_CACHE_DIR", byDefault: ".cache/pip", caches: ["."] },
  { variable: "UV_CACHE_DIR", byDefault: ".cache/uv", caches: ["."] },
  { byDefault: ".cache/pypoetry", caches: ["."] },
  { variable: "CARGO_HOME", byDefault: ".cargo", caches: ["registry", "git"] },
  { variable: "GOMODCACHE", byDefault: "go/pkg/mod", caches: ["."] },
  { variable: "GOCACHE", byDefault: ".cache/go-build", caches: ["."] },
  { byDefault: ".m2", caches: ["repository", "wrapper"] },
  { variable: "GRADLE_USER_HOME", byDefault: ".gradle", caches: ["caches", "wrapper"] },
  { byDefault: ".ivy2", caches: ["cache"] },
  { byDefault: ".cache/coursier", caches: ["."] },
  { byDefault: ".cache/composer", caches: ["."] },
  { variable: "CCACHE_DIR", byDefault: ".cache/ccache", caches: ["."] },
  { byDefault: ".ccache", caches: ["."] },
  { byDefault: ".cache/sccache", caches: ["."] },
];

/** Variables that name a cache: a sandbox passes them on, as what they name is shown. */
export const CACHE_VARIABLES: readonly string[] = PLACES.flatMap(({ variable }) => variable ?? []);

async function folderAt(path: string): Promise<string | undefined> {
  try {
    const real = await realpath(path);
    return (await stat(real)).isDirectory() ? real : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The caches that are there.
 * @param home real path
 * @param environment the editor's: where the user's own programs look for them
 */
export async function findCaches(
  home: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Cache[]> {
  const wanted = PLACES.flatMap(({ variable, byDefault, caches }) => {
    const named = variable === undefined ? undefined : environment[variable];
    const folders = [join(home, byDefault), ...(named?.startsWith("/") ? [resolve(named)] : [])];
    return folders.flatMap((folder) => caches.map((cache) => join(folder, cache)));
  });
  const found = await Promise.all(
    [...new Set(wanted)].map(async (path): Promise<Cache | undefined> => {
      const real = await folderAt(path);
      // A link to the home folder, or to what holds it, would undo its hiding.
      return real === undefined || isInside(home, real) || isSystemFolder(real) ? undefined : { path, real };
    }),
  );
  const caches = found.filter((cache) => cache !== undefined);
  return caches.filter(({ real }) => !caches.some((other) => other.real !== real && isInside(real, other.real)));
}
