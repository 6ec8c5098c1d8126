// A path as it is on this machine: where it really is, of what kind, and which links lead there.

import { readlink, realpath, stat } from "node:fs/promises";
import { join } from "node:path";

/** A path that a profile or a command names, as it is on this machine. */
export interface PathFact {
  readonly real: string;
  readonly kind: "directory" | "file";
  /** Real paths of the symbolic links on the way. */
  readonly links?: readonly string[];
}

/** As many as the kernel follows (path_resolution(7)). */
const MOST_LINKS = 40;

export async function realOf(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch {
    return undefined;
  }
}

/**
 * Follows a path's links one by one, as realpath(3) does: where it leads, and the links on the way, from one look at each.
 * Two looks could see a folder and a link at the same place, which somebody lets change places.
 */
async function follow(path: string): Promise<{ real: string; links: string[] } | undefined> {
  const links: string[] = [];
  const names = path.split("/");
  let real = "/";
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    const next = join(real, name);
    const target = name === "" || name === ".." ? undefined : await readlink(next).catch(() => undefined);
    if (target === undefined) {
      real = next;
      continue;
    }
    // One that was put there since realpath(3) looked could lead to itself.
    if (links.push(next) > MOST_LINKS) return undefined;
    if (target.startsWith("/")) real = "/";
    names.unshift(...target.split("/"));
  }
  return { real, links };
}

/** What a path is; a link that takes a place on it after this look is followed by no mount (mount option `nofollow`). */
export async function pathFact(path: string): Promise<PathFact | undefined> {
  try {
    const isDirect = (await realpath(path)) === path;
    const found = isDirect ? { real: path } : await follow(path);
    if (found === undefined) return undefined;
    return { ...found, kind: (await stat(found.real)).isDirectory() ? "directory" : "file" };
  } catch {
    return undefined;
  }
}
