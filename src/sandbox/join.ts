// One more command in a sandbox that runs already: it joins all of its namespaces and gives up the same privileges.

import type { SpawnOptions } from "../spawner";
import { sandboxEnvironment } from "./environment";
import type { HostFacts } from "./host";
import type { ResolvedProfile } from "./schema";
import type { SandboxCommand } from "./types";

/**
 * Spawn options for a command that joins a sandbox.
 * @param pidfd of the sandbox's PID 1
 * @param first options that the sandbox was started with
 */
export function compileJoin(
  command: SandboxCommand,
  profile: ResolvedProfile,
  facts: HostFacts,
  pidfd: number,
  first: SpawnOptions,
): SpawnOptions {
  const { cloneflags = [], rlimits, capabilities } = first.sys ?? {};
  const fixed = { HOME: facts.home, ...(facts.temporaryFolders.includes("/tmp") ? { TMPDIR: "/tmp" } : {}) };
  return {
    // Looked up inside, where it is a folder or is not.
    cwd: command.cwd ?? facts.workspace,
    env: sandboxEnvironment(command.env ?? facts.environment, profile.environment, fixed),
    ...(command.terminal ? { terminal: command.terminal } : {}),
    ...(command.stdio && !command.terminal ? { stdio: command.stdio } : {}),
    sys: {
      setns: [{ fd: pidfd, nstype: cloneflags }],
      ...(command.terminal ? {} : { setsid: true }),
      pdeathsig: "SIGKILL",
      ...(rlimits === undefined ? {} : { rlimits }),
      ...(capabilities === undefined ? {} : { capabilities }),
      noNewPrivileges: true,
      newSessionKeyring: true,
    },
  };
}
