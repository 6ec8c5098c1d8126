// What a profile and a command say about the process itself, wherever it is held: its limits, its working directory. Pure.

import type { Rlimit } from "../spawner/types";
import { ProfileError, SandboxError } from "./errors";
import type { HostFacts } from "./host";
import { isVisible, lookup, type Place } from "./layout";
import { parseDuration, parseSize } from "./quantities";
import type { ResolvedProfile } from "./schema";
import type { SandboxCommand } from "./types";

export function rlimits(profile: ResolvedProfile, facts: HostFacts): Rlimit[] {
  const { cpuTime, openFiles, fileSize, memory, swap } = profile.limits;
  if (swap !== undefined && memory === undefined) {
    throw new ProfileError([
      { path: "limits.swap", message: "it is what may be used beyond limits.memory: set that, too" },
    ]);
  }
  const seconds = cpuTime === undefined ? undefined : Math.max(1, Math.ceil((parseDuration(cpuTime) ?? 0) / 1000));
  const bytes = typeof fileSize === "string" ? parseSize(fileSize) : fileSize;
  const wanted: readonly (readonly [
    key: string,
    type: string,
    name: string,
    soft: number | undefined,
    spare: number,
  ])[] = [
    // SIGXCPU at the soft limit can be caught; one second later SIGKILL can't.
    ["cpuTime", "RLIMIT_CPU", "Max cpu time", seconds, 1],
    ["openFiles", "RLIMIT_NOFILE", "Max open files", openFiles, 0],
    ["fileSize", "RLIMIT_FSIZE", "Max file size", bytes, 0],
  ];
  return wanted.flatMap(([key, type, name, soft, spare]): Rlimit[] => {
    if (soft === undefined) {
      return [];
    }
    const most = facts.limits.find((limit) => limit.name === name)?.hard ?? Number.POSITIVE_INFINITY;
    if (soft > most) {
      throw new ProfileError([
        {
          path: `limits.${key}`,
          message: `${soft} is more than the editor itself may have (${most}, its hard ${type}); lower it`,
        },
      ]);
    }
    return [{ type, soft, hard: Math.min(soft + spare, most) }];
  });
}

export function workingDirectory(command: SandboxCommand, places: readonly Place[], facts: HostFacts): string {
  if (command.cwd === undefined) {
    return facts.workspace;
  }
  const { path, fact } = lookup(command.cwd, facts);
  if (fact?.kind !== "directory") {
    const what = fact ? "is not a folder" : "does not exist, or you may not see it";
    throw new SandboxError("cwd", path, `The working directory ${path} ${what}.`, "Name a folder.");
  }
  const { real } = fact;
  // An empty private folder can be entered, but it is not the folder that was meant; /tmp and home are.
  const isOwn = facts.temporaryFolders.includes(real) || real === facts.home;
  if (!isOwn && !isVisible(places, real)) {
    throw new SandboxError(
      "cwd",
      path,
      `The working directory ${path} can't be seen inside the sandbox.`,
      `Choose a folder in the workspace (${facts.workspace}), or add it to filesystem.read or filesystem.write of the profile.`,
    );
  }
  return real;
}
