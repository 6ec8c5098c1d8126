// The second wall: Landlock rules (landlock(7)) that are derived from the same places as the mounts. Should a mount turn out
// looser than it was meant, what is hidden still can't be read, and what is read-only still can't be changed.
//
// A rule allows something for a folder and all below it, and no other rule takes that back. So what is hidden is kept out by
// naming everything beside it; and what is read-only *inside* a writable folder (.git/hooks in the workspace, a toolchain
// in the private home) is left to the mounts alone.

import type { Landlock, LandlockFsAccess, LandlockRule } from "../spawner/landlock";
import { LANDLOCK_FS, namesOf } from "../spawner/landlock";
import type { HostFacts } from "./host";
import type { Place } from "./layout";
import { placeOf } from "./layout";
import { isInside } from "./paths";
import type { ResolvedProfile } from "./schema";

const READ: readonly LandlockFsAccess[] = ["execute", "read_file", "read_dir"];

/** Everything but to make devices, which nobody inside may, and ioctl(2) on them, which /dev alone is for. */
export const WRITE: readonly LandlockFsAccess[] = namesOf(LANDLOCK_FS).filter(
  (right) => !["make_char", "make_block", "ioctl_dev"].includes(right),
);

/** File systems of the kernel's and of the sandbox's own: no more than is done there. */
const OWN: Readonly<Record<string, readonly LandlockFsAccess[]>> = {
  // Settings of processes (oom_score_adj, comm); /proc/sys and the like are read-only by their mounts.
  "/proc": ["read_file", "read_dir", "write_file", "truncate"],
  // Shells truncate /dev/null; terminals are set up by ioctl(2).
  "/dev": ["read_file", "read_dir", "write_file", "truncate", "ioctl_dev"],
  "/dev/shm": WRITE,
  // mq_open(3) looks in a mount of the kernel's own, that has the same root but no /dev above it.
  "/dev/mqueue": ["read_file", "write_file", "make_reg", "remove_file"],
};

/** Paths of file systems that are not the host's. */
export const KERNELS_OWN: readonly string[] = Object.keys(OWN);

export const rule = (path: string, access: readonly LandlockFsAccess[], ...options: "optional"[]): LandlockRule => ({
  path,
  access: [...access],
  // The paths are real ones: a link that is there now was put there since.
  options: ["nofollow", ...options],
});

const join = (folder: string, name: string): string => (folder === "/" ? `/${name}` : `${folder}/${name}`);

/**
 * Rules to read a folder but for some paths inside. Names can be listed everywhere, which is a right that a folder can't
 * have without all below it, and `ls /` is to work.
 */
export function readable(folder: string, left: readonly string[], facts: HostFacts): LandlockRule[] {
  const inside = left.filter((path) => isInside(path, folder));
  if (inside.includes(folder)) return [];
  if (inside.length === 0) return [rule(folder, READ, "optional")];
  // Not listed: it has come since, and nothing is known of what is in it.
  return (facts.entries[folder] ?? []).flatMap((name) => readable(join(folder, name), inside, facts));
}

/** Rules for one place; what lies in a writable one needs none. */
function rulesOf(place: Place, left: readonly string[], facts: HostFacts): LandlockRule[] {
  switch (place.access) {
    case "private":
    case "copy":
    case "write":
    case "keep":
      return [rule(place.path, WRITE)];
    case "read":
      // A socket that the user has named is there to be connected to.
      if (place.kind === "file") return [rule(place.path, [...READ, "resolve_unix"])];
      return readable(place.path, left, facts);
    case "hidden":
    case "link":
      return [];
  }
}

/** Folders that hold both what is read and what is not: their names must be known. */
export function mixedFolders(left: readonly string[]): string[] {
  const folders = left.flatMap((path) => {
    const names = path.split("/").slice(1, -1);
    return ["/", ...names.map((_, i) => `/${names.slice(0, i + 1).join("/")}`)];
  });
  return [...new Set(folders)];
}

/** What is kept out of the rules for reading: what is hidden, and what has rules of its own. */
function leftOut(places: readonly Place[]): string[] {
  return [
    ...KERNELS_OWN,
    ...places.filter(({ access }) => access !== "read" && access !== "link").map(({ path }) => path),
  ];
}

/**
 * The rules of a sandbox. They hold back to what the kernel has: a second wall, which the first does without.
 * @param places from layout()
 * @returns undefined where the profile does without
 */
export function landlockOf(profile: ResolvedProfile, places: readonly Place[], facts: HostFacts): Landlock | undefined {
  if (profile.landlock === "off") return undefined;
  const left = leftOut(places);
  const { network } = profile;
  return {
    handledAccessFs: namesOf(LANDLOCK_FS),
    rules: [
      rule("/", ["read_dir"]),
      ...readable("/", left, facts),
      ...Object.entries(OWN).map(([path, access]) => rule(path, access, "optional")),
      ...places.filter((place) => !isWithinWritable(place, places)).flatMap((place) => rulesOf(place, left, facts)),
    ],
    // With a network of its own, there is nothing to reach; without any, nothing to open either.
    ...(network === "none" ? { handledAccessNet: ["bind_tcp", "connect_tcp", "bind_udp", "connect_send_udp"] } : {}),
    // With the host's, the abstract sockets of X11, D-Bus and others could be reached, unix(7).
    ...(network === "host" ? { scoped: ["abstract_unix_socket"] } : {}),
    minimumAbi: 0,
  };
}

/** Whether the place around it is writable, so that a rule would add nothing: all rights are there already. */
function isWithinWritable(place: Place, places: readonly Place[]): boolean {
  const around = placeOf(
    places.filter((other) => other !== place && other.path !== place.path && isInside(place.path, other.path)),
    place.path,
  );
  return ["private", "copy", "write", "keep"].includes(around.access);
}
