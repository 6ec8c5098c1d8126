// Landlock alone: what holds a sandbox where namespaces are refused, if the user has allowed that for the profile. Less than
// with namespaces, and so never used where those can be had, never silently, and not at all for what it can't hold.

import { SpawnError, spawn } from "../../spawner";
import type { FeatureName } from "../../spawner/features";
import { landlockAbi } from "../../spawner/landlock-abi";
import type { SpawnOptions } from "../../spawner/types";
import { entriesAround, type HostFacts, readHostFacts } from "../host";
import { layout, type Place } from "../layout";
import { resolveProfile } from "../profiles";
import type { ResolvedProfile } from "../schema";
import type { RunContext, SandboxCommand } from "../types";
import { compileAlone } from "./compile";
import { makeOwnFolder, type OwnFolder, removeFolder } from "./folder";
import { type Blocker, refuseWhatCantBeHeld, whatCantBeHeld } from "./refusals";
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

export interface FallbackResult {
  readonly runs: boolean;
  /** Why not. */
  readonly reason?: string;
}

/** Tries it whether or not namespaces can be had: for the check of a system. Nothing is left behind. */
export async function tryAlone(context: RunContext): Promise<FallbackResult> {
  const profile = resolveProfile({ extends: "build", fallback: "landlock" });
  const command = { file: "sh", args: ["-c", ":"], stdio: "ignore" } as const;
  const facts = await readHostFacts(context, { profile, command });
  const refusal = whatCantBeHeld(profile, layout(profile, facts), facts, landlockAbi());
  if (refusal !== undefined) return { runs: false, reason: refusal.why };
  const world = await AloneWorld.make(profile, facts, { reason: "", feature: undefined });
  try {
    const child = await spawn(command.file, command.args, world.compile(command));
    const { code, signal } = await child.exited;
    if (code === 0) return { runs: true };
    return { runs: false, reason: `a shell that does nothing ended with ${signal ?? `code ${code}`}` };
  } catch (error) {
    return { runs: false, reason: error instanceof Error ? error.message : String(error) };
  } finally {
    await world.remove();
  }
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
