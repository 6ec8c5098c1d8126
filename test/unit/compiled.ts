// A machine that is described and not had, and profiles compiled for it.

import { compile } from "../../src/sandbox/compile";
import type { HostFacts } from "../../src/sandbox/host";
import { resolveProfile } from "../../src/sandbox/profiles";
import type { ProfileRef } from "../../src/sandbox/schema";
import type { SandboxCommand } from "../../src/sandbox/types";
import type { Mount, SpawnOptions } from "../../src/spawner/types";

export const FACTS: HostFacts = {
  uid: 1000,
  gid: 1000,
  home: "/home/me",
  workspace: "/home/me/project",
  environment: { PATH: "/usr/bin", SECRET: "x" },
  privateFolders: ["/run", "/home", "/root", "/home/me"],
  temporaryFolders: ["/tmp", "/var/tmp"],
  toolchains: [],
  caches: [],
  settings: [],
  secrets: ["/var/lib/docker"],
  sockets: [],
  protected: [],
  resolver: "/run/systemd/resolve/stub-resolv.conf",
  links: [],
  paths: {},
  matches: {},
  mountPoints: [],
  entries: {
    "/": ["dev", "etc", "home", "opt", "proc", "root", "run", "srv", "sys", "tmp", "usr", "var"],
    "/var": ["lib", "log", "tmp"],
  },
  inRootCgroup: false,
  inOldCgroups: false,
  limits: [{ name: "Max open files", soft: 1024, hard: 4096, unit: "files" }],
};

export const COMMAND: SandboxCommand = { file: "true" };

export function compiled(
  ref: ProfileRef,
  facts: Partial<HostFacts> = {},
  command: SandboxCommand = COMMAND,
): SpawnOptions {
  const all = { ...FACTS, ...facts };
  return compile(command, resolveProfile(ref), { workspace: all.workspace }, all);
}

export const mountsOf = (options: SpawnOptions): readonly Mount[] => options.sys?.mounts ?? [];
export const mountAt = (options: SpawnOptions, path: string): Mount | undefined =>
  mountsOf(options).findLast(({ destination }) => destination === path);
export const orderOf = (options: SpawnOptions): string[] => mountsOf(options).map(({ destination }) => destination);
