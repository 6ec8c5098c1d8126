// What Landlock alone can't hold is refused by name, before anything is made or run. Pure.

import type { FeatureName } from "../../spawner/features";
import { abiWords } from "../../spawner/landlock";
import { permits, type SeccompRule } from "../../spawner/seccomp/oci";
import { SandboxError } from "../errors";
import type { HostFacts } from "../host";
import { guardedPaths, named, type Place, placeOf } from "../layout";
import { visibleSecrets } from "../masks";
import { isInside } from "../paths";
import type { ResolvedProfile } from "../schema";
import { NEEDED_ABI } from "./rules";

/** Why namespaces can't be had here. */
export interface Blocker {
  readonly reason: string;
  readonly feature: FeatureName | undefined;
}

/** One thing that can't be held, and what to do. */
export interface Refusal {
  /** Key of the profile, or a path. */
  readonly at: string;
  /** What, and why not: a sentence without its full stop. */
  readonly why: string;
  readonly remedy: string;
  readonly feature?: FeatureName;
}

function ofMachine({ uid }: HostFacts, abi: number): Refusal[] {
  if (uid === 0) {
    return [
      {
        at: "fallback",
        why: "the user is root, to whom the system's own files belong, and Landlock keeps nobody from changing owners, permission bits and times",
        remedy: "Run the editor as an ordinary user.",
      },
    ];
  }
  if (abi >= NEEDED_ABI) return [];
  return [
    {
      at: "fallback",
      why: `it takes Landlock ${abiWords(NEEDED_ABI)}, which keeps signals inside; this kernel has ${abi <= 0 ? "no Landlock, or it is off" : abiWords(abi)}`,
      remedy: "Update the kernel, or see what the check of this system says.",
      feature: "Landlock",
    },
  ];
}

/** Whether a profile's own rules let through more than the default filter, or have it look at other architectures. */
function loosens({ seccomp }: ResolvedProfile): boolean {
  if (typeof seccomp === "string") return seccomp === "off";
  const rules = (seccomp.syscalls ?? []) as readonly SeccompRule[];
  return (
    seccomp.extends === undefined ||
    (seccomp.architectures ?? []).length > 0 ||
    rules.some(({ action }) => permits(action))
  );
}

function ofProfile(profile: ResolvedProfile): Refusal[] {
  const { filesystem, capabilities, landlock } = profile;
  return [
    ...(landlock === "off"
      ? [{ at: "landlock", why: '"landlock": "off" leaves nothing that could hold it', remedy: "Leave it out." }]
      : []),
    ...(loosens(profile)
      ? [
          {
            at: "seccomp",
            why: "without the default filter of system calls, or with more allowed than in that, other programs of yours could be reached",
            remedy: 'Set seccomp to "default"; rules that refuse more may extend it.',
          },
        ]
      : []),
    ...(capabilities.length > 0
      ? [
          {
            at: "capabilities",
            why: `${capabilities.join(", ")} can only be had in a user namespace`,
            remedy: "Leave capabilities out.",
          },
        ]
      : []),
    ...(filesystem.workspace === "copy-on-write"
      ? [
          {
            at: "filesystem.workspace",
            why: '"copy-on-write" takes a mount of its own',
            remedy: 'Set filesystem.workspace to "readonly" or "readwrite".',
          },
        ]
      : []),
  ];
}

const isWritable = ({ access }: Place): boolean => access === "write" || access === "keep";

/** The writable place around a path that is not to be written, or not even to be seen. */
function around(path: string, places: readonly Place[]): Place | undefined {
  return places.find((place) => isWritable(place) && place.path !== path && isInside(path, place.path));
}

const some = (paths: readonly string[]): string =>
  paths.length <= 3 ? paths.join(", ") : `${paths.slice(0, 2).join(", ")} and ${paths.length - 2} more`;

/** Protected paths of writable folders, without those that the user has named one by one. */
function ofProtected(profile: ResolvedProfile, places: readonly Place[], facts: HostFacts): Refusal[] {
  const givenUp = new Set(
    profile.filesystem.write.flatMap((text) =>
      named(text, facts).flatMap(({ fact, byPattern }) => (byPattern || fact === undefined ? [] : [fact.real])),
    ),
  );
  const paths = guardedPaths(places, facts)
    .filter(({ path, kind }) => kind !== "missing" && !givenUp.has(path))
    .map(({ path }) => path);
  const [first] = paths;
  if (first === undefined) return [];
  const names = paths.map(
    (path) => `"${isInside(path, facts.workspace) ? path.slice(facts.workspace.length + 1) : path}"`,
  );
  return [
    {
      at: first,
      why: `git or the editor acts upon ${some(paths)} outside of any sandbox, and Landlock can't protect a part of a folder that it lets be written`,
      remedy: `Set filesystem.workspace to "readonly" and name the folders that are to be written in filesystem.write; or give them up: "write": [${names.join(", ")}].`,
    },
  ];
}

function ofPlaces(profile: ResolvedProfile, places: readonly Place[], facts: HostFacts): Refusal[] {
  const kept = places.filter((place) => !isWritable(place) && place.access !== "link").map(({ path }) => path);
  const secrets = visibleSecrets(profile, places, facts).filter((path) => isWritable(placeOf(places, path)));
  return [...kept, ...secrets].flatMap((path): Refusal[] => {
    const outer = around(path, places);
    if (outer === undefined) return [];
    return [
      {
        at: path,
        why: `${path} would be hidden or read-only inside ${outer.path}, which can be written, and Landlock can't take back a part of what it gives`,
        remedy: `Name the folders in ${outer.path} that are to be written, instead of all of it.`,
      },
    ];
  });
}

/**
 * The first thing that can't be held; undefined where all can.
 * @param abi newest of the kernel's Landlock; 0 or less where there is none
 */
export function whatCantBeHeld(
  profile: ResolvedProfile,
  places: readonly Place[],
  facts: HostFacts,
  abi: number,
): Refusal | undefined {
  const [first] = [
    ...ofMachine(facts, abi),
    ...ofProfile(profile),
    ...ofProtected(profile, places, facts),
    ...ofPlaces(profile, places, facts),
  ];
  return first;
}

/** @throws SandboxError for the first thing that can't be held */
export function refuseWhatCantBeHeld(
  profile: ResolvedProfile,
  places: readonly Place[],
  facts: HostFacts,
  abi: number,
  blocker: Blocker,
): void {
  const first = whatCantBeHeld(profile, places, facts, abi);
  if (first === undefined) return;
  throw new SandboxError(
    "fallback",
    first.at,
    `Namespaces are refused here (${blocker.reason}), and Landlock alone, which the profile allows, can't hold this: ${first.why}.`,
    first.remedy,
    first.feature,
  );
}
