// A profile, a command and the facts of the machine become spawn options without any namespace: Landlock, a filter of system
// calls, and an owner that ends all that is started. Pure: looks at nothing, runs nothing.

import type { SpawnOptions } from "../../spawner/types";
import { CACHE_VARIABLES } from "../caches";
import { commandOptions, ownSession } from "../command-options";
import type { HostFacts } from "../host";
import type { Place } from "../layout";
import { rlimits, workingDirectory } from "../process-options";
import { parseDuration } from "../quantities";
import type { ResolvedProfile } from "../schema";
import type { SandboxCommand } from "../types";
import { aloneFilter } from "./filter";
import type { OwnFolder } from "./folder";
import { aloneRules } from "./rules";

/** The variables that say where the sandbox's own folders are. */
function ownVariables(
  { tmp: kind }: ResolvedProfile["filesystem"],
  { home, tmp, runtime }: OwnFolder,
): Record<string, string> {
  return {
    HOME: home,
    TMPDIR: kind === "private" ? tmp : "/tmp",
    XDG_CACHE_HOME: `${home}/.cache`,
    XDG_CONFIG_HOME: `${home}/.config`,
    XDG_DATA_HOME: `${home}/.local/share`,
    XDG_STATE_HOME: `${home}/.local/state`,
    XDG_RUNTIME_DIR: runtime,
  };
}

function environment(
  command: SandboxCommand,
  profile: ResolvedProfile,
  facts: HostFacts,
  own: OwnFolder,
): Record<string, string | undefined> {
  const { filesystem, environment: rule } = profile;
  const filtered = { ...commandOptions(command, profile, facts).env };
  // They name the user's caches, which can't be written; without them programs use those in their home.
  if (filesystem.caches === "private") for (const name of CACHE_VARIABLES) delete filtered[name];
  return { ...filtered, ...ownVariables(filesystem, own), ...rule.set };
}

/** What is empty and the sandbox's own elsewhere is a part of its folder here. */
function folderOf(command: SandboxCommand, places: readonly Place[], facts: HostFacts, own: OwnFolder): string {
  const folder = workingDirectory(command, places, facts);
  if (folder === facts.home) return own.home;
  const isPrivate = places.some(({ path, access }) => path === folder && access === "private");
  return facts.temporaryFolders.includes(folder) && isPrivate ? own.tmp : folder;
}

/**
 * Spawn options for a command under a profile that Landlock alone holds.
 * @param facts with the entries around what leftOut() says
 * @throws ProfileError, SandboxError when it can't be made as asked
 */
export function compileAlone(
  command: SandboxCommand,
  profile: ResolvedProfile,
  places: readonly Place[],
  facts: HostFacts,
  own: OwnFolder,
): SpawnOptions {
  const { wallTime } = profile.limits;
  const limits = rlimits(profile, facts);
  const timeout = wallTime === undefined ? undefined : parseDuration(wallTime);
  return {
    cwd: folderOf(command, places, facts, own),
    ...commandOptions(command, profile, facts),
    env: environment(command, profile, facts, own),
    ...(timeout === undefined ? {} : { timeout }),
    sys: {
      ...ownSession(command),
      pdeathsig: "SIGKILL",
      ...(limits.length === 0 ? {} : { rlimits: limits }),
      ...(facts.cgroup === undefined ? {} : { cgroupFD: facts.cgroup }),
      newSessionKeyring: true,
      // Nobody without rights can empty the bounding set, which bounds nothing under no_new_privs.
      capabilities: { keepBounding: true },
      noNewPrivileges: true,
      subreaper: true,
      landlock: aloneRules(profile, places, facts, own.path, command.terminal !== undefined),
      seccomp: aloneFilter(profile),
    },
  };
}
