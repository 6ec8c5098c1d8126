// Landlock's rules where they are the only wall: what no rule names can't be read, listed or changed (landlock(7)). Derived
// from the same places as the mounts of a sandbox with namespaces, but for what would be the sandbox's own there: here that
// is one folder, made for it. Stricter than the second wall (../wall.ts), that leaves names to be listed everywhere. Pure.

import type { Landlock, LandlockFsAccess, LandlockRule } from "../../spawner/landlock";
import { LANDLOCK_FS, LANDLOCK_NET, namesOf } from "../../spawner/landlock";
import type { HostFacts } from "../host";
import type { Place } from "../layout";
import { MASKED, visibleSecrets } from "../masks";
import type { ResolvedProfile } from "../schema";
import { readable, rule, WRITE } from "../wall";

/** The first ABI that keeps signals and abstract sockets inside: before, a sandbox could not be kept to itself. */
export const NEEDED_ABI = 6;

/** Anything can be written to these, and nothing comes of it; a shell truncates them. */
const DEVICES = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];
const DEVICE: readonly LandlockFsAccess[] = ["read_file", "write_file", "truncate"];

/** Its controlling terminal, by the name that stands for whichever that is (tty(4)). */
const TERMINAL: readonly LandlockFsAccess[] = [...DEVICE, "ioctl_dev"];

/** Paths that no rule may reach, or that have rules of their own. */
export function leftOut(profile: ResolvedProfile, places: readonly Place[], facts: HostFacts): string[] {
  return [
    "/proc",
    "/dev",
    ...MASKED.filter((path) => !path.startsWith("/proc/")),
    ...places.filter(({ access }) => access !== "read" && access !== "link").map(({ path }) => path),
    ...visibleSecrets(profile, places, facts),
  ];
}

function rulesOf(place: Place, left: readonly string[], facts: HostFacts): LandlockRule[] {
  switch (place.access) {
    case "write":
    case "keep":
      return [rule(place.path, WRITE)];
    case "read":
      return readable(place.path, left, facts);
    // What would be the sandbox's own is in its folder, and begins empty there; a link is there by itself.
    case "private":
    case "copy":
    case "hidden":
    case "link":
      return [];
  }
}

/**
 * The whole of it.
 * @param facts with the `entries` around what leftOut() says
 * @param own the sandbox's own folder
 */
export function aloneRules(
  profile: ResolvedProfile,
  places: readonly Place[],
  facts: HostFacts,
  own: string,
  hasTerminal: boolean,
): Landlock {
  const left = leftOut(profile, places, facts);
  return {
    handledAccessFs: namesOf(LANDLOCK_FS),
    // No socket of IP can be made in the first place (filter.ts).
    ...(profile.network === "host" ? {} : { handledAccessNet: namesOf(LANDLOCK_NET) }),
    scoped: ["abstract_unix_socket", "signal"],
    rules: [
      ...readable("/", left, facts),
      ...places.flatMap((place) => rulesOf(place, left, facts)),
      // Settings of other processes of the user's (oom_score_adj, coredump_filter) could be changed by their files.
      rule("/proc", ["read_file", "read_dir"]),
      ...DEVICES.map((path) => rule(path, DEVICE, "optional")),
      rule("/dev/tty", TERMINAL, "optional"),
      rule(own, WRITE),
    ],
    ...(hasTerminal ? { terminal: [...TERMINAL] } : {}),
    minimumAbi: NEEDED_ABI,
  };
}
