// Where this process is in the cgroup v2 hierarchy, and what it may do there; cgroups(7).

import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { join, resolve } from "node:path";
import { findCgroupMount, parseCgroup } from "../../inspect/cgroup";
import { mounts } from "../../inspect/mounts";
import { readSystemFile } from "../../inspect/procfs";

export interface OwnCgroup {
  /** Where cgroup2 is mounted: /sys/fs/cgroup, or .../unified beside the old hierarchies. */
  readonly mountPoint: string;
  /** Ours, from the root of our cgroup namespace: "/user.slice/user-1000.slice/session-2.scope". */
  readonly path: string;
  /** The folder of `path`; undefined when it lies outside of what is mounted, as in some containers. */
  readonly directory: string | undefined;
  /** We are in the root of the whole hierarchy, where every cgroup of the machine can be seen. */
  readonly inRoot: boolean;
}

async function may(mode: number, path: string): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

async function look(): Promise<OwnCgroup | undefined> {
  const [text, mounted] = await Promise.all([readSystemFile("self/cgroup"), mounts()]);
  const mount = findCgroupMount(mounted);
  const { path } = parseCgroup(text ?? "");
  if (mount === undefined || path === "") return undefined;
  const { mountPoint } = mount;
  const base = mount.root === "/" ? "" : mount.root;
  const isShown = !path.startsWith("/..") && (path === base || path.startsWith(`${base}/`) || path === "/");
  const directory = isShown ? resolve(join(mountPoint, path.slice(base.length))) : undefined;
  // Every cgroup but the root of all has this file; the root of a container's cgroup namespace has it, too.
  const inRoot = directory === undefined ? false : !(await may(constants.F_OK, join(directory, "cgroup.events")));
  return { mountPoint, path, directory, inRoot };
}

let inOld: Promise<boolean> | undefined;

/**
 * Whether we are in hierarchies of the old kind as well, cgroup v1: each has a line "4:memory:/path" (cgroups(7)). Looked
 * up once: they are mounted at boot.
 */
export function isInOldHierarchies(): Promise<boolean> {
  inOld ??= readSystemFile("self/cgroup").then((text) => /^\d+:[^:=]+:/m.test(text ?? ""));
  return inOld;
}

let known: Promise<OwnCgroup | undefined> | undefined;

/**
 * Looked up once: nobody but systemd and we ourselves moves an editor.
 * @param again we may have been moved
 * @returns undefined where no cgroup2 file system is mounted
 */
export function ownCgroup(again = false): Promise<OwnCgroup | undefined> {
  if (again) known = undefined;
  known ??= look();
  return known;
}

/** Whether we may make cgroups in one, hand controllers on to them, and move processes between them. */
export async function isWritable(directory: string): Promise<boolean> {
  const files = [directory, join(directory, "cgroup.procs"), join(directory, "cgroup.subtree_control")];
  return (await Promise.all(files.map((file) => may(constants.W_OK, file)))).every(Boolean);
}
