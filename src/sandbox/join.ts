// One more command in a sandbox that runs already: it joins all of its namespaces and gives up the same privileges.

import type { SpawnOptions, SysProcAttr } from "../spawner";
import { commandOptions, ownSession } from "./command-options";
import type { HostFacts } from "./host";
import type { ResolvedProfile } from "./schema";
import type { SandboxCommand } from "./types";

/** What made the sandbox's world, which is there already. */
const WORLD: readonly (keyof SysProcAttr)[] = [
  "cloneflags",
  "uidMappings",
  "gidMappings",
  "hostname",
  "loopback",
  "rootfs",
  "mounts",
  "maskedPaths",
  "readonlyPaths",
  "init",
  "setsid",
  "cgroupFD",
];

/**
 * Spawn options for a command that joins a sandbox. Whatever holds the sandbox's first command down holds this one down
 * as well, what later profiles may add too: only what is known to have made its world is left out.
 * @param pidfd of the sandbox's PID 1
 * @param first options that the sandbox was started with
 * @param cgroup fd of its cgroup
 */
export function compileJoin(
  command: SandboxCommand,
  profile: ResolvedProfile,
  facts: HostFacts,
  pidfd: number,
  first: SpawnOptions,
  cgroup?: number,
): SpawnOptions {
  const { sys = {}, onDenied } = first;
  const restrictions: SysProcAttr = { ...sys };
  for (const key of WORLD) delete restrictions[key];
  return {
    ...commandOptions(command, profile, facts),
    // Looked up inside, where it is a folder or is not.
    cwd: command.cwd ?? facts.workspace,
    ...(onDenied === undefined ? {} : { onDenied }),
    sys: {
      ...restrictions,
      ...ownSession(command),
      ...(cgroup === undefined ? {} : { cgroupFD: cgroup }),
      setns: [{ fd: pidfd, nstype: sys.cloneflags ?? [] }],
    },
  };
}
