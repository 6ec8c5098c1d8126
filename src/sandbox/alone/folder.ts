// The one folder of a sandbox without mounts: its home, its folder for temporary files, its XDG_RUNTIME_DIR. Made before it,
// for nobody but the user, and removed after it; what an editor that was killed has left is removed by the next one.

import { chmod, lstat, mkdir, readdir, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { leftoversIn, nextName } from "../cgroups/names";
import { SandboxError } from "../errors";
import type { HostFacts } from "../host";
import { type Place, placeOf } from "../layout";
import { isInside } from "../paths";

export interface OwnFolder {
  /** Real path of the whole. */
  readonly path: string;
  readonly home: string;
  readonly tmp: string;
  readonly runtime: string;
}

const isErrno = (error: unknown, ...codes: string[]): boolean =>
  error instanceof Error && "code" in error && codes.includes(String(error.code));

/** Where programs look for things of the home folder that is hidden. */
class Furnishing {
  readonly #fresh: readonly string[];

  constructor(
    private readonly own: OwnFolder,
    private readonly places: readonly Place[],
    private readonly facts: HostFacts,
  ) {
    // Caches that would have a layer of the sandbox's own over them begin empty.
    this.#fresh = this.#inHome("copy").map(({ path }) => path);
  }

  #inHome(...accesses: Place["access"][]): Place[] {
    const { home } = this.facts;
    return this.places.filter(({ path, access }) => accesses.includes(access) && path !== home && isInside(path, home));
  }

  #at(path: string): string {
    return join(this.own.home, path.slice(this.facts.home.length));
  }

  /** Makes the folders above a path; false where a link above it leads to the user's own files: they show it already. */
  async #parents(path: string): Promise<boolean> {
    const folder = dirname(this.#at(path));
    const above = isInside(dirname(path), this.facts.home) && dirname(path) !== this.facts.home;
    if (above && !(await this.#parents(dirname(path)))) return false;
    try {
      await mkdir(folder, { mode: 0o700 });
    } catch (error) {
      if (!isErrno(error, "EEXIST")) throw error;
    }
    return (await lstat(folder)).isDirectory();
  }

  /** A link to what can be seen at a path, or folders and links where something in it begins empty. */
  async #show(path: string, target: string): Promise<void> {
    if (!(await this.#parents(path))) return;
    if (this.#fresh.includes(path)) return;
    if (!this.#fresh.some((one) => isInside(one, path))) {
      await symlink(target, this.#at(path)).catch(unlessThere);
      return;
    }
    await mkdir(this.#at(path), { mode: 0o700 }).catch(unlessThere);
    for (const name of await readdir(path).catch((): string[] => []))
      await this.#show(join(path, name), join(path, name));
  }

  async furnish(): Promise<void> {
    for (const path of this.#fresh) {
      if (await this.#parents(path)) await mkdir(this.#at(path), { mode: 0o700 }).catch(unlessThere);
    }
    for (const place of this.#inHome("read", "write", "keep", "link")) {
      await this.#show(place.path, place.access === "link" ? (place.source ?? place.path) : place.path);
    }
    for (const { path, content } of this.facts.settings) {
      if (placeOf(this.places, path).access !== "private" || !(await this.#parents(path))) continue;
      // Never over what is there: it could be the user's own, by a link.
      await writeFile(this.#at(path), content, { mode: 0o600, flag: "wx" }).catch(unlessThere);
    }
  }
}

function unlessThere(error: unknown): void {
  if (!isErrno(error, "EEXIST")) throw error;
}

/** Removes a folder whose processes have ended; what they have made unreadable for themselves too. */
export async function removeFolder(path: string): Promise<void> {
  const remove = (): Promise<void> => rm(path, { recursive: true, force: true, maxRetries: 5 });
  try {
    await remove();
  } catch (error) {
    if (!isErrno(error, "EACCES", "EPERM", "ENOTEMPTY")) throw error;
    await open(path);
    await remove();
  }
}

async function open(folder: string): Promise<void> {
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await open(join(folder, entry.name));
  }
}

/** What ended editors have left, of this user's. Their guards have ended their processes long before we could start. */
async function removeLeftovers(parent: string): Promise<void> {
  const uid = process.getuid?.();
  for (const name of await leftoversIn(parent)) {
    const path = join(parent, name);
    const stats = await lstat(path).catch(() => undefined);
    if (stats?.isDirectory() === true && stats.uid === uid) await removeFolder(path).catch(() => {});
  }
}

const looked = new Set<string>();

/**
 * Makes one, and puts into its home what programs look for there.
 * @param parent for tests; default: the system's folder for temporary files
 * @throws SandboxError where it can't be made
 */
export async function makeOwnFolder(places: readonly Place[], facts: HostFacts, parent = tmpdir()): Promise<OwnFolder> {
  let path: string | undefined;
  try {
    const real = await realpath(parent);
    if (!looked.has(real)) {
      looked.add(real);
      await removeLeftovers(real);
    }
    path = join(real, nextName());
    // EEXIST too: somebody else would own what the sandbox keeps there.
    await mkdir(path, { mode: 0o700 });
    const own = { path, home: join(path, "home"), tmp: join(path, "tmp"), runtime: join(path, "run") };
    for (const folder of [own.home, own.tmp, own.runtime]) await mkdir(folder, { mode: 0o700 });
    await new Furnishing(own, places, facts).furnish();
    return own;
  } catch (error) {
    if (path !== undefined && !isErrno(error, "EEXIST")) await removeFolder(path).catch(() => {});
    const message = error instanceof Error ? error.message : String(error);
    throw new SandboxError(
      "fallback",
      parent,
      `No folder for the sandbox's own files could be made in ${parent} (${message}).`,
      "Set TMPDIR to a folder that you may write to, and start the editor again.",
    );
  }
}
