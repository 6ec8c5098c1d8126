// The Unix sockets with a path: each is a door to a process outside, and a read-only mount does not close it
// (connect(2) needs no write to the file system).

import { readSystemFile } from "./procfs";

/**
 * Absolute paths of the bound Unix sockets in a table like /proc/net/unix (proc_pid_net(5)). Abstract ones ("@name")
 * belong to the network namespace and are left out; so are relative paths, of which nobody says what they start from.
 */
export function parseUnixSockets(text: string): string[] {
  const paths = new Set<string>();
  for (const line of text.split("\n").slice(1)) {
    // Num RefCount Protocol Flags Type St Inode Path; the path is the rest of the line and may have spaces.
    const path = /^(?:\S+\s+){7}(\/.*)$/.exec(line)?.[1];
    if (path !== undefined) {
      paths.add(path);
    }
  }
  return [...paths];
}

/** Absolute paths of the Unix sockets bound in this process's network namespace, in no order. */
export async function unixSockets(): Promise<string[]> {
  return parseUnixSockets((await readSystemFile("self/net/unix")) ?? "");
}
