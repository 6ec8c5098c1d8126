// The Unix sockets with a path: each is a door to a process outside, and a read-only mount does not close it
// (connect(2) needs no write to the file system).

import { join } from "node:path";
import { listPids, readProcessLink, readSystemFile } from "./procfs";

/** The names that sockets are bound to: whole paths, and those that start from wherever their process was. */
export interface SocketNames {
  readonly absolute: readonly string[];
  readonly relative: readonly string[];
}

/**
 * The bound Unix sockets in a table like /proc/net/unix (proc_pid_net(5)). Abstract ones ("@name") belong to the network
 * namespace and are left out.
 */
export function parseUnixSockets(text: string): SocketNames {
  const paths = new Set<string>();
  for (const line of text.split("\n").slice(1)) {
    // Num RefCount Protocol Flags Type St Inode Path; the path is the rest of the line and may have spaces.
    const path = /^(?:\S+\s+){7}([^@].*)$/.exec(line)?.[1];
    if (path !== undefined) {
      paths.add(path);
    }
  }
  const all = [...paths];
  return {
    absolute: all.filter((path) => path.startsWith("/")),
    relative: all.filter((path) => !path.startsWith("/")),
  };
}

/** The working directories of all processes that let us know; another user's do not. */
async function workingDirectories(): Promise<string[]> {
  const found = await Promise.all((await listPids()).map((pid) => readProcessLink(pid, "cwd").catch(() => undefined)));
  return [...new Set(found.filter((path) => path !== undefined))];
}

/**
 * Absolute paths where Unix sockets of this process's network namespace may be bound, in no order. The table does not say
 * what a relative name starts from: most servers are still where they bound it, so it is every working directory there is.
 */
export async function unixSockets(): Promise<string[]> {
  const { absolute, relative } = parseUnixSockets((await readSystemFile("self/net/unix")) ?? "");
  // Rare enough that nobody pays for it who has none.
  const folders = relative.length === 0 ? [] : await workingDirectories();
  return [...absolute, ...folders.flatMap((folder) => relative.map((name) => join(folder, name)))];
}
