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

/** The links that a path goes through, as realpath(3) follows them. */
async function linksOn(path: string): Promise<string[]> {
  const links: string[] = [];
  const names = path.split("/");
  let at = "/";
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    const next = join(at, name);
    const target = name === "" || name === ".." ? undefined : await readlink(next).catch(() => undefined);
    if (target === undefined) {
      at = next;
      continue;
    }
    // One that was put there since realpath(3) looked could lead to itself.
    if (links.push(next) > MOST_LINKS) break;
    if (target.startsWith("/")) at = "/";
    names.unshift(...target.split("/"));
  }
  return links;
}

export async function pathFact(path: string): Promise<PathFact | undefined> {
  try {
    const real = await realpath(path);
    const kind = (await stat(real)).isDirectory() ? "directory" : "file";
    return real === path ? { real, kind } : { real, kind, links: await linksOn(path) };
  } catch {
    return undefined;
  }
}
