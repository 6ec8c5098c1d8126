// The mounts that this process sees, proc_pid_mountinfo(5).

import { readSystemFile } from "./procfs";

export interface MountEntry {
  /** "major:minor" of the file system: the same for two mounts of the same one. */
  readonly device: string;
  /** Which folder of the file system is mounted. */
  readonly root: string;
  readonly mountPoint: string;
  /** "ext4", "cgroup2", "9p". */
  readonly type: string;
  /** What is mounted: a device, a host's folder ("C:\\"), or a word. */
  readonly source: string;
}

/** The kernel writes space, tab, newline and backslash in paths as three octal digits. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** The lines of a mountinfo file; later ones may lie on top of earlier ones. */
export function parseMountinfo(text: string): MountEntry[] {
  return text.split("\n").flatMap((line): MountEntry[] => {
    // A variable number of optional fields ends with a single hyphen.
    const [left, right] = line.split(" - ");
    const [, , device, root, mountPoint] = (left ?? "").split(" ");
    const [type, source] = (right ?? "").split(" ");
    return device === undefined || root === undefined || mountPoint === undefined || type === undefined
      ? []
      : [{ device, root: unescaped(root), mountPoint: unescaped(mountPoint), type, source: unescaped(source ?? "") }];
  });
}

/** The mounts of this process's mount namespace. */
export async function mounts(): Promise<MountEntry[]> {
  return parseMountinfo((await readSystemFile("self/mountinfo")) ?? "");
}
