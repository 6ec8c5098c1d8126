// What the machine is like, looked at before each sandbox: real paths, toolchains, secrets, sockets, and what stands in
// the workspace. Gathered in one place, so that compiling a profile is a pure function of it.

import type { Stats } from "node:fs";
import { lstat, readdir, readFile, readlink, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { limits as readLimits } from "../inspect/limits";
import { type MountEntry, mounts } from "../inspect/mounts";
import { unixSockets } from "../inspect/sockets";
import type { LimitInfo } from "../inspect/types";
import { aliasesOf } from "./aliases";
import { CACHE_VARIABLES, type Cache, findCaches, secretsBesideCaches } from "./caches";
import { isInOldHierarchies, ownCgroup } from "./cgroups/own";
import { ProfileError, SandboxError } from "./errors";
import { expandGlob, GlobError, isGlob, splitGlob } from "./globs";
import { type PathFact, pathFact, realOf } from "./path-facts";
import { expand, isInside } from "./paths";
import type { ResolvedProfile } from "./schema";
import { ALWAYS, rootSecrets } from "./secrets";
import { findSettings, type Setting, settingsWithTokens } from "./settings";
import { findToolchains, type Toolchain } from "./toolchains";
import type { RunContext, SandboxCommand } from "./types";
import { KERNELS_OWN, mixedFolders } from "./wall";
import { checkWorkspace, isSystemFolder, type ProtectedPath, protectedPaths } from "./workspace";
import { type OuterRepository, outerRepository } from "./worktree";

/** What the machine is like by itself, whatever the workspace: worth keeping for some seconds. */
interface MachineFacts {
  /** Real paths of the folders that get a private file system of their own: /run, other homes; outermost first. */
  readonly privateFolders: readonly string[];
  /** Real paths of the folders for temporary files. */
  readonly temporaryFolders: readonly string[];
  readonly toolchains: readonly Toolchain[];
  /** Where package managers keep what they have fetched. */
  readonly caches: readonly Cache[];
  /** Settings of programs in the home folder, without what is secret in them. */
  readonly settings: readonly Setting[];
  /** What must not be read wherever it is visible. */
  readonly secrets: readonly string[];
  /** Links in /run that a system's whole PATH goes through (NixOS), with their text: one shows no more than is seen there. */
  readonly links: readonly { readonly path: string; readonly target: string }[];
}

export interface HostFacts extends MachineFacts {
  readonly uid: number;
  readonly gid: number;
  /** Real path of the home folder. */
  readonly home: string;
  /** Real path of the workspace. */
  readonly workspace: string;
  /** Who owns the workspace, and its permission bits. */
  readonly workspaceOwner?: { readonly uid: number; readonly gid: number; readonly mode: number };
  /** The environment that is filtered when a command brings none. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Real paths of bound Unix sockets. */
  readonly sockets: readonly string[];
  /** In the workspace, and in each folder that the profile makes writable. */
  readonly protected: readonly ProtectedPath[];
  /** The repository of a workspace that is a linked worktree or a submodule. */
  readonly repository?: OuterRepository;
  /** Where /etc/resolv.conf really is; undefined without one, or where the profile has no use for it. */
  readonly resolver: string | undefined;
  /** Where something is mounted; empty where the profile throws no changes away. */
  readonly mountPoints: readonly string[];
  /** By absolute path as it was written: what a profile or a command names. */
  readonly paths: Readonly<Record<string, PathFact | "missing">>;
  /** By pattern as it was written: what it matches. */
  readonly matches: Readonly<Record<string, readonly PathFact[]>>;
  /** What is in the folders that hold both what is shown and what is not: names, without those of symbolic links. */
  readonly entries: Readonly<Record<string, readonly string[]>>;
  /** The limits that this process is under: no child may have more. Empty where the profile sets none. */
  readonly limits: readonly LimitInfo[];
  /** fd of the cgroup that was made for the sandbox; undefined without one. */
  readonly cgroup?: number;
  /** Our own cgroup is the root of all, from which every other can be seen. */
  readonly inRootCgroup: boolean;
  /** We are in cgroups of the old kind, v1, too. */
  readonly inOldCgroups: boolean;
}

/** What else is looked up, beyond what is always needed. */
export interface FactsRequest {
  readonly profile?: ResolvedProfile;
  readonly command?: SandboxCommand;
}

async function existing(paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(paths.map(pathFact));
  return [...new Set(found.filter((fact) => fact?.kind === "directory").map((fact) => fact?.real ?? ""))];
}

/** Real path of the folder the sandbox works in, and whose it is; an error that says what to do when it is not one. */
async function workspaceOf(context: RunContext): Promise<{ path: string; owner: Stats }> {
  const path = await realOf(resolve(context.workspace));
  const owner = path === undefined ? undefined : await stat(path).catch(() => undefined);
  if (path === undefined || !owner?.isDirectory()) {
    const what = owner ? "is not a folder" : "does not exist, or you may not see it";
    throw new SandboxError(
      "workspace",
      context.workspace,
      `The workspace ${context.workspace} ${what}.`,
      "Open the folder of a project.",
    );
  }
  return { path, owner };
}

async function homeOf(context: RunContext): Promise<string> {
  const asked = context.home ?? homedir();
  const home = asked.startsWith("/") ? ((await realOf(asked)) ?? resolve(asked)) : "/";
  if (home === "/") {
    throw new SandboxError(
      "home",
      asked,
      `The home folder is "${asked}", so it can't be hidden from a sandbox.`,
      "Set HOME to the folder that holds your own files, and start the editor again.",
    );
  }
  return home;
}

/** Homes of other people: uids from 1000 in /etc/passwd (login.defs(5), UID_MIN), what holds homes, and root's. */
async function otherHomes(home: string): Promise<string[]> {
  const passwd = await readFile("/etc/passwd", "utf8").catch(() => "");
  const homes = passwd.split("\n").flatMap((line) => {
    const [, , uid, , , folder] = line.split(":");
    const isPerson = Number(uid) >= 1000 && Number(uid) < 65534;
    return isPerson && folder?.startsWith("/") && !isSystemFolder(folder) ? [folder] : [];
  });
  return (await existing(["/home", "/root", ...homes])).filter((folder) => folder !== "/" && folder !== home);
}

/** Windows' drives under WSL, which hold the Windows home with all its keys. */
function windowsDrives(mounts: readonly MountEntry[]): string[] {
  return mounts
    .filter(({ type, source }) => /^(9p|drvfs|virtiofs)$/.test(type) && /^(drvfs|[A-Z]:)/i.test(source))
    .map(({ mountPoint }) => mountPoint);
}

async function boundSockets(): Promise<string[]> {
  // A desktop has a hundred of them in a dozen folders: each folder is resolved once.
  const folders = new Map<string, Promise<string | undefined>>();
  const realFolder = (path: string): Promise<string | undefined> => {
    const known = folders.get(path) ?? realOf(path);
    folders.set(path, known);
    return known;
  };
  const found = await Promise.all(
    (await unixSockets()).map(async (path): Promise<string | undefined> => {
      try {
        // The table tells the name that was bound, perhaps in another mount namespace, perhaps unlinked since.
        if (!(await lstat(path)).isSocket()) return undefined;
        const folder = await realFolder(dirname(path));
        return folder === undefined ? undefined : join(folder, basename(path));
      } catch {
        return undefined;
      }
    }),
  );
  return [...new Set(found.filter((path) => path !== undefined))].sort();
}

async function linksInRun(): Promise<{ path: string; target: string }[]> {
  const links = await Promise.all(
    ["/run/current-system", "/run/booted-system", "/run/opengl-driver"].map(async (path) => {
      const target = await readlink(path).catch(() => undefined);
      return target === undefined ? undefined : { path, target };
    }),
  );
  return links.filter((link) => link !== undefined);
}

/**
 * The names in the folders around some paths: in those that a sandbox sees the host's files in.
 * @param own real paths of the folders that are the sandbox's own: nothing in them is the host's
 */
export async function entriesAround(paths: readonly string[], own: readonly string[]): Promise<HostFacts["entries"]> {
  const folders = mixedFolders(paths).filter((folder) => !own.some((one) => isInside(folder, one)));
  const listed = await Promise.all(
    folders.map(async (folder): Promise<[string, string[]]> => {
      const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
      return [folder, entries.filter((entry) => !entry.isSymbolicLink()).map(({ name }) => name)];
    }),
  );
  return Object.fromEntries(listed);
}

async function machineFacts(home: string, path: string): Promise<MachineFacts> {
  const [homes, mounted] = await Promise.all([otherHomes(home), mounts()]);
  const [run, own, drives, temporaryFolders, toolchains, caches, settings, tokens, secrets, links] = await Promise.all([
    existing(["/run", "/var/run", "/mnt/wslg"]),
    aliasesOf(home, mounted),
    existing(windowsDrives(mounted)),
    existing(["/tmp", "/var/tmp"]),
    findToolchains(home, homes, path),
    findCaches(home, process.env),
    findSettings(home),
    settingsWithTokens(home),
    process.getuid?.() === 0 ? rootSecrets() : [],
    linksInRun(),
  ]);
  const folders = [...new Set([...run, ...homes, ...drives, ...own, ...(await existing([home]))])];
  return {
    // One inside another is empty already; but the home folder is there to be worked in.
    privateFolders: folders.filter(
      (folder) => folder === home || !folders.some((other) => other !== folder && isInside(folder, other)),
    ),
    temporaryFolders,
    toolchains,
    caches,
    settings,
    secrets: [...ALWAYS, ...tokens, ...secrets, ...secretsBesideCaches(process.env)],
    links,
  };
}

/** What the patterns of a profile match now, by pattern. */
async function matchesOf(
  profile: ResolvedProfile | undefined,
  home: string,
  workspace: string,
): Promise<Record<string, PathFact[]>> {
  const result: Record<string, PathFact[]> = {};
  for (const list of ["read", "write", "hide"] as const) {
    for (const [index, text] of (profile?.filesystem[list] ?? []).entries()) {
      if (!isGlob(text)) continue;
      const { prefix, segments } = splitGlob(text);
      const folder = await pathFact(expand(prefix, home, workspace));
      try {
        const paths = folder === undefined ? [] : await expandGlob(folder.real, segments);
        const facts = (await Promise.all(paths.map(pathFact))).filter((fact) => fact !== undefined);
        const { links } = folder ?? {};
        result[text] =
          links === undefined ? facts : facts.map((fact) => ({ ...fact, links: [...links, ...(fact.links ?? [])] }));
      } catch (error) {
        if (!(error instanceof GlobError)) throw error;
        throw new ProfileError([{ path: `filesystem.${list}[${index}]`, message: `${text} ${error.message}` }]);
      }
    }
  }
  return result;
}

/** How long the search for toolchains and secrets is good for, milliseconds. Sockets and the workspace are always looked at. */
const KEEP = 30_000;
let kept: { key: string; until: number; facts: Promise<MachineFacts> } | undefined;

function keptMachineFacts(home: string, path: string): Promise<MachineFacts> {
  const key = [process.getuid?.(), home, path, ...CACHE_VARIABLES.map((name) => process.env[name])].join("\0");
  const now = performance.now();
  if (kept === undefined || kept.key !== key || kept.until < now) {
    kept = { key, until: now + KEEP, facts: machineFacts(home, path) };
  }
  return kept.facts;
}

/** To be called when something of the machine was changed by us. */
export function forgetMachineFacts(): void {
  kept = undefined;
}

/**
 * Looks at the machine. Reads only.
 * @param request the profile and the command whose paths are looked up; without them, paths are taken as written
 * @throws SandboxError when the workspace or the home folder can't be used
 */
export async function readHostFacts(context: RunContext, request: FactsRequest = {}): Promise<HostFacts> {
  const [{ path: workspace, owner }, home] = await Promise.all([workspaceOf(context), homeOf(context)]);
  checkWorkspace(workspace, home);
  const { profile } = request;
  const { filesystem } = profile ?? {};
  const named = [
    ...(filesystem?.read ?? []),
    ...(filesystem?.write ?? []),
    ...(filesystem?.hide ?? []),
    ...(request.command?.cwd === undefined ? [] : [request.command.cwd]),
  ].map((text) => expand(text, home, workspace));
  const paths = Object.fromEntries(
    await Promise.all(
      named.map(async (path): Promise<[string, PathFact | "missing"]> => [path, (await pathFact(path)) ?? "missing"]),
    ),
  );
  const matches = await matchesOf(profile, home, workspace);
  const writable = (filesystem?.write ?? []).flatMap((text) => {
    const facts = [paths[expand(text, home, workspace)], ...(matches[text] ?? [])];
    return facts.flatMap((fact) =>
      fact !== undefined && fact !== "missing" && fact.kind === "directory" ? [fact.real] : [],
    );
  });
  // What no part of the profile asks about is not looked up: each look costs the event loop some 50 microseconds.
  const usesResolver = profile === undefined || profile.network === "host";
  const usesLimits = profile === undefined || Object.keys(profile.limits).length > 0;
  const usesMounts = profile === undefined || profile.filesystem.workspace === "copy-on-write";
  const [machine, sockets, mounted, guarded, resolver, own, repository, group, inOldCgroups] = await Promise.all([
    keptMachineFacts(home, process.env.PATH ?? ""),
    boundSockets(),
    usesMounts ? mounts() : [],
    Promise.all([...new Set([workspace, ...writable])].map(protectedPaths)),
    usesResolver ? realOf("/etc/resolv.conf") : undefined,
    usesLimits ? readLimits(process.pid) : undefined,
    outerRepository(workspace),
    ownCgroup(),
    isInOldHierarchies(),
  ]);
  const shown = [...Object.values(paths), ...Object.values(matches).flat()].flatMap((fact) =>
    fact === "missing" ? [] : [fact.real],
  );
  const ofOwn = [...machine.privateFolders, ...machine.temporaryFolders];
  const besides = [
    ...machine.caches.map(({ real }) => real),
    ...(repository === undefined ? [] : [repository.path, ...repository.written]),
  ];
  const entries =
    profile?.landlock === "off"
      ? {}
      : await entriesAround([...ofOwn, workspace, ...shown, ...besides, ...KERNELS_OWN], ofOwn);
  return {
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    home,
    workspace,
    workspaceOwner: { uid: owner.uid, gid: owner.gid, mode: owner.mode },
    environment: process.env,
    ...machine,
    sockets,
    mountPoints: mounted.map(({ mountPoint }) => mountPoint),
    protected: [...guarded.flat(), ...(repository?.protected ?? [])],
    ...(repository === undefined ? {} : { repository }),
    resolver,
    paths,
    matches,
    entries,
    limits: own ?? [],
    inRootCgroup: group?.inRoot !== false,
    inOldCgroups,
  };
}
