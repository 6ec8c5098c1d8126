// The namespaces of a process and its id maps; namespaces(7), user_namespaces(7).

import type { IdMapping } from "../spawner/types";
import { readProcessFile, readProcessLink } from "./procfs";
import type { IdMappingInfo, NamespaceInfo } from "./types";
import { NAMESPACE_TYPES } from "./types";

/** The number in "pid:[4026531836]". */
function inodeOf(link: string | undefined): number | undefined {
  const digits = /\[(\d+)\]$/.exec(link ?? "")?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/**
 * The namespaces that a process is in, each with whether the editor is in it too. A kernel without one of them
 * (CONFIG_TIME_NS and so on) leaves it out.
 * @returns empty once the process is gone
 * @throws AccessError for another user's process: the links need ptrace access
 */
export async function namespaces(pid: number): Promise<NamespaceInfo[]> {
  const all = await Promise.all(
    NAMESPACE_TYPES.map(async (type): Promise<NamespaceInfo | undefined> => {
      const [own, other] = await Promise.all([
        readProcessLink("self", `ns/${type}`),
        readProcessLink(pid, `ns/${type}`),
      ]);
      const inode = inodeOf(other);
      return inode === undefined ? undefined : { type, inode, shared: inode === inodeOf(own) };
    }),
  );
  return all.filter((info) => info !== undefined);
}

/** Lines of /proc/PID/uid_map: first id inside, first id outside, how many. */
export function parseIdMap(text: string): IdMapping[] {
  const mappings: IdMapping[] = [];
  for (const line of text.split("\n")) {
    const [containerID, hostID, size] = line.trim().split(/\s+/).map(Number);
    if (containerID !== undefined && hostID !== undefined && size !== undefined) {
      mappings.push({ containerID, hostID, size });
    }
  }
  return mappings;
}

/**
 * The id maps of the user namespace of a process, its outside ids as the editor's namespace sees them.
 * @returns undefined once the process is gone
 * @throws AccessError
 */
export async function idMappings(pid: number): Promise<IdMappingInfo | undefined> {
  const [uid, gid, setgroups] = await Promise.all([
    readProcessFile(pid, "uid_map"),
    readProcessFile(pid, "gid_map"),
    readProcessFile(pid, "setgroups"),
  ]);
  if (uid === undefined || gid === undefined) {
    return undefined;
  }
  const answer = setgroups?.trim();
  return {
    uid: parseIdMap(uid),
    gid: parseIdMap(gid),
    setgroups: answer === "allow" || answer === "deny" ? answer : undefined,
  };
}
