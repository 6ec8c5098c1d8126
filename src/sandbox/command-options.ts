// What a command brings along, whether it starts a sandbox or joins one: its variables, its terminal or streams.

import type { SpawnOptions } from "../spawner";
import { sandboxEnvironment } from "./environment";
import type { HostFacts } from "./host";
import type { ResolvedProfile } from "./schema";
import type { SandboxCommand } from "./types";

/** The spawn options that say so; `env` is what the profile lets through. */
export function commandOptions(command: SandboxCommand, profile: ResolvedProfile, facts: HostFacts): SpawnOptions {
  const temporary = facts.temporaryFolders.includes("/tmp") ? { TMPDIR: "/tmp" } : undefined;
  const { terminal, stdio } = command;
  return {
    env: sandboxEnvironment(command.env ?? facts.environment, profile.environment, { HOME: facts.home, ...temporary }),
    ...(terminal ? { terminal } : {}),
    ...(stdio && !terminal ? { stdio } : {}),
  };
}

/** With a terminal the session comes with it. Without one, too: nothing inside may type into the editor's. */
export function ownSession(command: SandboxCommand): { setsid?: boolean } {
  return command.terminal ? {} : { setsid: true };
}
