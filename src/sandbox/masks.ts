// What is covered wherever it would be seen: workshops of the kernel, secrets, sockets, and what a profile hides. Pure.

import type { HostFacts } from "./host";
import { isVisible, named, type Place } from "./layout";
import { isInside } from "./paths";
import type { ResolvedProfile } from "./schema";
import { CREDENTIALS } from "./toolchains";

/** What is masked in every OCI container (runtime-spec, moby's DefaultLinuxSpec), and the kernel's own workshops. */
export const MASKED: readonly string[] = [
  ...[
    "acpi",
    "asound",
    "interrupts",
    "kcore",
    "keys",
    "latency_stats",
    "sched_debug",
    "scsi",
    "timer_list",
    "timer_stats",
  ].map((name) => `/proc/${name}`),
  "/sys/devices/virtual/powercap",
  "/sys/firmware",
  "/sys/fs/bpf",
  "/sys/kernel/debug",
  "/sys/kernel/security",
  "/sys/kernel/tracing",
];

/** Whether something further in is shown, so that a mask would cover it too. */
export function holdsOthers(place: Place, places: readonly Place[]): boolean {
  return places.some((other) => other !== place && isInside(other.path, place.path));
}

function namedByUser(profile: ResolvedProfile, facts: HostFacts): string[] {
  // By name: a pattern such as "~/.config/*" says what is wanted of a folder, and not that its tokens are.
  return [...profile.filesystem.read, ...profile.filesystem.write].flatMap((text) =>
    named(text, facts).flatMap(({ path, fact, byPattern }) => (byPattern ? [] : [fact?.real ?? path])),
  );
}

/** Credentials and other secrets, where they can be seen. What the user's profile names itself is the user's choice. */
export function visibleSecrets(profile: ResolvedProfile, places: readonly Place[], facts: HostFacts): string[] {
  const chosen = namedByUser(profile, facts);
  const homes = new Set([facts.home, ...facts.toolchains.flatMap(({ otherHome }) => otherHome ?? [])]);
  const credentials = [...homes].flatMap((home) => CREDENTIALS.map((name) => `${home}/${name}`));
  return [...facts.secrets, ...credentials].filter(
    (path) =>
      isVisible(places, path) &&
      !isInside(path, facts.workspace) &&
      !isInside(facts.workspace, path) &&
      !chosen.some((one) => isInside(one, path)),
  );
}

/** Secrets and sockets, where they can be seen, and what the profile hides. */
export function maskedPaths(profile: ResolvedProfile, places: readonly Place[], facts: HostFacts): string[] {
  const chosen = namedByUser(profile, facts);
  const sockets = facts.sockets.filter((path) => isVisible(places, path) && !chosen.includes(path));
  const hidden = places
    .filter((place) => place.access === "hidden" && !holdsOthers(place, places))
    .map(({ path }) => path);
  const all = [...new Set([...MASKED, ...visibleSecrets(profile, places, facts), ...sockets, ...hidden])];
  return all.filter((path) => !all.some((other) => other !== path && isInside(path, other)));
}
