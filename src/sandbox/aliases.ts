// Other paths to the same folder. A home that is a bind mount, or part of a file system that is mounted elsewhere as a
// whole (btrfs' top level, /sysroot of ostree, /persist), can be seen there too: hiding it in one place is not enough.

import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { MountEntry } from "../inspect/mounts";
import { depth, isInside } from "./paths";

/** The part of a path below a folder: "" or "/x/y". */
function below(path: string, folder: string): string {
  return folder === "/" ? (path === "/" ? "" : path) : path.slice(folder.length);
}

/**
 * Where a folder would be seen besides: pure, so it does not know what is mounted on top.
 * @param path real path
 */
export function possibleAliases(path: string, mounts: readonly MountEntry[]): string[] {
  const around = mounts
    .filter(({ mountPoint }) => isInside(path, mountPoint))
    .reduce<MountEntry | undefined>(
      // Of two on the same mount point, the later one lies on top.
      (best, mount) => (best === undefined || depth(mount.mountPoint) >= depth(best.mountPoint) ? mount : best),
      undefined,
    );
  if (around === undefined) {
    return [];
  }
  const inFileSystem = join(around.root, below(path, around.mountPoint));
  const found = mounts
    .filter(({ device, root }) => device === around.device && isInside(inFileSystem, root))
    .map(({ root, mountPoint }) => join(mountPoint, below(inFileSystem, root)));
  return [...new Set(found)].filter((alias) => alias !== path);
}

/** Other paths at which a folder is seen now. */
export async function aliasesOf(path: string, mounts: readonly MountEntry[]): Promise<string[]> {
  const identity = async (at: string): Promise<string | undefined> => {
    try {
      const { dev, ino } = await stat(at);
      return `${dev}:${ino}`;
    } catch {
      return undefined;
    }
  };
  const own = await identity(path);
  const aliases = possibleAliases(path, mounts);
  const seen = await Promise.all(aliases.map(async (alias) => own !== undefined && (await identity(alias)) === own));
  return aliases.filter((_, index) => seen[index]);
}
