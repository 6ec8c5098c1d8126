// Landlock alone: what holds a sandbox where namespaces are refused, if the user has allowed that for the profile. Less than
// with namespaces, and so never used where those can be had, never silently, and not at all for what it can't hold.

import { SpawnError } from "../../spawner";
import type { FeatureName } from "../../spawner/features";
import { landlockAbi } from "../../spawner/landlock-abi";
import type { SpawnOptions } from "../../spawner/types";
import { entriesAround, type HostFacts } from "../host";
import { layout, type Place } from "../layout";
import type { ResolvedProfile } from "../schema";
import type { SandboxCommand } from "../types";
import { compileAlone } from "./compile";
import { makeOwnFolder, type OwnFolder, removeFolder } from "./folder";
import { type Blocker, refuseWhatCantBeHeld } from "./refusals";
import { leftOut, NEEDED_ABI } from "./rules";

/** What a sandbox with namespaces begins with. AppArmor lets a user namespace be made and refuses what follows in it. */
const NAMESPACES: ReadonlySet<FeatureName> = new Set<FeatureName>([
  "user namespace",
  "id maps",
  "mount namespace",
  "pid namespace",
  "uts namespace",
  "ipc namespace",
  "cgroup namespace",
  "network namespace with loopback",
  "recursive read-only root",
]);

/** Why namespaces are refused here, if that is why a spawn failed. */
export function blockerOf(error: unknown): Blocker | undefined {
  if (!(error instanceof SpawnError) || error.feature === undefined || !NAMESPACES.has(error.feature)) return undefined;
  return { reason: error.message, feature: error.feature };
}

/** The refusal of namespaces, with a word on the fallback where it would be worth a thought. */
export function withHint(error: unknown): unknown {
  if (blockerOf(error) === undefined || !(error instanceof SpawnError)) return error;
  if (process.getuid?.() === 0 || landlockAbi() < NEEDED_ABI) return error;
  const hint =
    'Where that can\'t be done, a profile of your own may say "fallback": "landlock": Landlock alone then holds the sandbox, which is less (docs/profiles.md says what).';
  const { code, errno, syscall, step, index, steps, path, feature } = error;
  const remedy = error.remedy === undefined ? hint : `${error.remedy}\n${hint}`;
  return new SpawnError(error.message, { code, errno, syscall, step, index, steps, path, feature, remedy });
}

/** A sandbox that Landlock alone will hold: what is true of it for all commands in it. */
export class AloneWorld {
  private constructor(
    private readonly profile: ResolvedProfile,
    private readonly places: readonly Place[],
    private readonly facts: HostFacts,
    readonly folder: OwnFolder,
  ) {}

  /**
   * Makes its folder. The caller removes it.
   * @throws SandboxError for what can't be held
   */
  static async make(profile: ResolvedProfile, facts: HostFacts, blocker: Blocker): Promise<AloneWorld> {
    const places = layout(profile, facts);
    refuseWhatCantBeHeld(profile, places, facts, landlockAbi(), blocker);
    const entries = await entriesAround(leftOut(profile, places, facts), []);
    const whole = { ...facts, entries };
    return new AloneWorld(profile, places, whole, await makeOwnFolder(places, whole));
  }

  compile(command: SandboxCommand): SpawnOptions {
    return compileAlone(command, this.profile, this.places, this.facts, this.folder);
  }

  remove(): Promise<void> {
    return removeFolder(this.folder.path);
  }
}
