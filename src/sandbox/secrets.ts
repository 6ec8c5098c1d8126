// Files of the machine that a task of the super-user could read and no other user: password hashes, host keys, keys of
// services. A sandbox of root maps root to root, so the permission bits alone do not keep them from it.

import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

/** Where they are looked for, and how many folders deep. */
const PLACES: readonly (readonly [folder: string, depth: number])[] = [
  ["/etc", 3],
  ["/var/lib", 1],
  ["/var/spool", 2],
  ["/var/backups", 1],
  ["/var/cache", 1],
  ["/srv", 1],
  ["/opt", 1],
];

/** Hidden from everybody, where they are: another root file system to look around in. */
export const ALWAYS = [
  "/var/lib/docker",
  "/var/lib/containers",
  "/var/lib/containerd",
  "/var/lib/lxd",
  "/var/lib/incus",
];

const OTHERS_READ = 0o004;

/** Names in a folder that are not known to be links: most of /etc are, and what a link leads to is looked at there. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => !entry.isSymbolicLink()).map((entry) => entry.name);
  } catch {
    // Gone or refused; or one entry whose type only lstat could tell, and lstat failed: it must not hide the others.
    return readdir(folder).catch(() => []);
  }
}

async function search(folder: string, depth: number, found: string[]): Promise<void> {
  const names = await namesIn(folder);
  await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      try {
        const stats = await lstat(path);
        if (stats.isSymbolicLink()) {
          return;
        }
        if ((stats.mode & OTHERS_READ) === 0 && (stats.isFile() || stats.isDirectory())) {
          found.push(path);
        } else if (stats.isDirectory() && depth > 1) {
          await search(path, depth - 1, found);
        }
      } catch {
        // Gone, or not even root may see it (a FUSE mount of somebody else): nothing to hide.
      }
    }),
  );
}

/** What only the super-user may read in the machine's own folders; for an ordinary user the kernel says no already. */
export async function rootSecrets(): Promise<string[]> {
  const found: string[] = [];
  await Promise.all(PLACES.map(([folder, depth]) => search(folder, depth, found)));
  return found.sort();
}
