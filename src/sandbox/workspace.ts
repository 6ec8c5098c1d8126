// Which folders may be a workspace, and which paths in one must not be changed by a task, because the editor or git
// would run what stands there, outside of any sandbox.

import { lstat, readdir, readFile, realpath } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { SandboxError } from "./errors";
import { isInside } from "./paths";

/** Folders of the system: as a workspace they would be writable as a whole. */
const SYSTEM: ReadonlySet<string> = new Set(
  [
    "/ /bin /boot /dev /dev/shm /etc /home /lib /lib32 /lib64 /libx32 /media /mnt /nix /nix/store /opt /proc /root /run",
    "/run/media /run/user /sbin /snap /srv /sys /tmp /usr /usr/bin /usr/lib /usr/local /usr/local/bin /usr/local/lib",
    "/usr/sbin /usr/share /usr/src /var /var/home /var/lib /var/log /var/tmp",
  ].flatMap((line) => line.split(" ")),
);

/** Whether a folder belongs to the system as a whole, and so is nobody's own. */
export function isSystemFolder(path: string): boolean {
  return SYSTEM.has(path);
}

/** Folders of the kernel: nothing below them is anybody's project. */
const KERNELS = ["/proc", "/sys", "/dev"];

/**
 * Whether a folder may be a workspace.
 * @param workspace real path
 * @param home real path
 * @throws SandboxError
 */
export function checkWorkspace(workspace: string, home: string): void {
  const remedy = "Open the folder of one project instead.";
  const refuse = (why: string): never => {
    throw new SandboxError("workspace", workspace, `${workspace} can't be the workspace of a sandbox: ${why}.`, remedy);
  };
  if (workspace === home) {
    refuse("it is your home folder, which a sandbox hides");
  }
  if (isInside(home, workspace)) {
    refuse(`your home folder ${home} lies inside it, which a sandbox hides`);
  }
  if (isSystemFolder(workspace)) {
    refuse("it is a folder of the system");
  }
  const kernels = KERNELS.find((folder) => isInside(workspace, folder) && !isInside(workspace, "/dev/shm"));
  if (kernels !== undefined) {
    refuse(`${kernels} belongs to the kernel`);
  }
}

export type PathKind = "directory" | "file" | "symlink" | "missing";

/** A path in the workspace that a task may not change. */
export interface ProtectedPath {
  readonly path: string;
  readonly kind: PathKind;
}

/** What stands at a path, without following a link. */
export async function kindOf(path: string): Promise<PathKind> {
  try {
    const stats = await lstat(path);
    return stats.isSymbolicLink() ? "symlink" : stats.isDirectory() ? "directory" : "file";
  } catch {
    return "missing";
  }
}

async function protectedPath(path: string): Promise<ProtectedPath> {
  return { path, kind: await kindOf(path) };
}

/** One by one, not from a list of the folder: a file system may take HOOKS for hooks, and git would. */
async function kindsIn(folder: string, names: readonly string[]): Promise<ProtectedPath[]> {
  return Promise.all(names.map((name) => protectedPath(join(folder, name))));
}

/**
 * In a repository: what git runs (hooks), what tells git what to run (config: core.fsmonitor, core.hooksPath, filters,
 * aliases), and what tells git to look for those elsewhere (commondir, gitdir files).
 */
const IN_GIT_DIRECTORY = ["hooks", "config", "config.worktree", "commondir"];

const IN_WORKTREE_DIRECTORY = ["config.worktree", "commondir", "gitdir"];

/** Submodules keep a git directory each, nested as their names are ("libs/zlib"). */
const MODULE_DEPTH = 4;

async function subdirectories(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
  } catch {
    return [];
  }
}

async function moduleDirectories(folder: string, depth: number): Promise<string[]> {
  const found: string[] = [];
  for (const path of depth > 0 ? await subdirectories(folder) : []) {
    if ((await kindOf(join(path, "HEAD"))) === "file") {
      found.push(path, ...(await moduleDirectories(join(path, "modules"), depth - 1)));
    } else {
      found.push(...(await moduleDirectories(path, depth - 1)));
    }
  }
  return found;
}

/** Folders in which nobody works. */
const NO_PROJECTS = [".git", "node_modules"];

/** Where the files of a submodule's git directory are: real path; undefined when it does not say so. */
export async function worktreeOfModule(directory: string): Promise<string | undefined> {
  try {
    const config = await readFile(join(directory, "config"), "utf8");
    const [, named] = /^\s*worktree\s*=\s*([^"#;\n]+?)\s*$/m.exec(config) ?? [];
    return named === undefined ? undefined : await realpath(resolve(directory, named));
  } catch {
    return undefined;
  }
}

/** The files that lead from submodules to their git directories: another one in their place could lead anywhere. */
async function markersOf(modules: readonly string[], workspace: string): Promise<ProtectedPath[]> {
  const folders = await Promise.all(modules.map(worktreeOfModule));
  const inside = folders.filter(
    (folder) => folder !== undefined && folder !== workspace && isInside(folder, workspace),
  );
  const markers = await Promise.all(inside.map((folder) => protectedPath(join(folder ?? workspace, ".git"))));
  return markers.filter(({ kind }) => kind === "file");
}

/** How many folders are looked into for repositories: this many take some four milliseconds. */
const MOST_FOLDERS = 100;

/**
 * The `.git` of repositories that lie in folders of the workspace: VS Code opens those directly inside by itself
 * (git.repositoryScanMaxDepth), and runs git in them. Two deep where the workspace is a folder of repositories; not in one
 * that is itself a repository, as build systems make clones there, and change and remove them.
 */
async function nestedRepositories(folder: string, depth: number): Promise<ProtectedPath[]> {
  let budget = MOST_FOLDERS;
  const search = async (around: string, left: number): Promise<ProtectedPath[]> => {
    const names = (await subdirectories(around)).filter((path) => !NO_PROJECTS.includes(basename(path))).sort();
    const folders = names.slice(0, Math.max(0, budget));
    budget -= folders.length;
    const found: ProtectedPath[] = [];
    const others: string[] = [];
    for (const path of await Promise.all(folders.map((path) => protectedPath(join(path, ".git"))))) {
      if (path.kind === "missing") others.push(dirname(path.path));
      else found.push(path);
    }
    for (const path of left > 1 ? others : []) found.push(...(await search(path, left - 1)));
    return found;
  };
  return search(folder, depth);
}

/** What is protected of them; where git's own files are links (Android's repo), nothing can be. */
async function protectedInNested(folder: string, depth: number): Promise<ProtectedPath[]> {
  const nested = await nestedRepositories(folder, depth);
  const found = await Promise.all(
    nested.map((git) => (git.kind === "directory" ? protectedInGitDirectory(git.path) : [git])),
  );
  return found.flat().filter(({ kind }) => kind !== "symlink");
}

/**
 * The paths of a workspace that a task may not change, with what stands there now. Those that are missing can't be
 * protected without leaving a stub in the repository: they are looked at again when the sandbox has ended.
 * @param workspace real path
 */
export async function protectedPaths(workspace: string): Promise<ProtectedPath[]> {
  const git = join(workspace, ".git");
  const [editor, repository] = await Promise.all([protectedPath(join(workspace, ".vscode")), protectedPath(git)]);
  const nested = await protectedInNested(workspace, repository.kind === "missing" ? 2 : 1);
  if (repository.kind !== "directory") {
    // A file leads to the git directory of a worktree or submodule; a missing one may come to be.
    return [editor, repository, ...nested];
  }
  const modules = await moduleDirectories(join(git, "modules"), MODULE_DEPTH);
  const own = [...(await protectedInGitDirectory(git, modules)), ...(await markersOf(modules, workspace))];
  const known = new Set(own.map(({ path }) => path));
  return [editor, ...own, ...nested.filter(({ path }) => !known.has(path))];
}

/**
 * The same for a repository's git directory, wherever it is, with those of its submodules and worktrees.
 * @param known the git directories of its submodules, where they have been looked for already
 */
export async function protectedInGitDirectory(git: string, known?: readonly string[]): Promise<ProtectedPath[]> {
  const [own, modules, worktrees] = await Promise.all([
    kindsIn(git, IN_GIT_DIRECTORY),
    known ?? moduleDirectories(join(git, "modules"), MODULE_DEPTH),
    subdirectories(join(git, "worktrees")),
  ]);
  const inModules = modules.map((directory) => kindsIn(directory, IN_GIT_DIRECTORY));
  const inWorktrees = worktrees.map(protectedInWorktreeDirectory);
  return [...own, ...(await Promise.all([...inModules, ...inWorktrees])).flat()];
}

/** A linked worktree's git directory says where its repository and its files are. */
export function protectedInWorktreeDirectory(directory: string): Promise<ProtectedPath[]> {
  return kindsIn(directory, IN_WORKTREE_DIRECTORY);
}

/** Of the paths that were missing, those that are there now: a task made them. */
export async function createdProtectedPaths(before: readonly ProtectedPath[]): Promise<string[]> {
  const missing = before.filter(({ kind }) => kind === "missing");
  const now = await Promise.all(missing.map(async ({ path }) => ({ path, kind: await kindOf(path) })));
  return now.filter(({ kind }) => kind !== "missing").map(({ path }) => path);
}
