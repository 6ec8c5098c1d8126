// A linked worktree (git-worktree(1)) or a submodule keeps its repository elsewhere, often in the hidden home folder:
// without it git does not work in the sandbox. It is shown once it is certain that it is this folder's repository: a `.git`
// file comes with the folder and may have been written by anybody ("gitdir: /home/me/.ssh").

import { readFile, realpath } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import {
  kindOf,
  type ProtectedPath,
  protectedInGitDirectory,
  protectedInWorktreeDirectory,
  worktreeOfModule,
} from "./workspace";

/** A repository outside of the workspace that belongs to it. */
export interface OuterRepository {
  /** Real path of the git directory; of a worktree's, the one that it shares with others. */
  readonly path: string;
  /** What git writes when it commits; of a worktree's shared one neither what tells git what to run, nor its own index. */
  readonly written: readonly string[];
  /** In what is written: what a task may not change. */
  readonly protected: readonly ProtectedPath[];
}

async function lineOf(file: string): Promise<string> {
  return (await readFile(file, "utf8")).replace(/\n+$/, "");
}

/** What worktrees of one repository share and write: objects, branches, and the log of those (gitrepository-layout(5)). */
const SHARED = ["objects", "refs", "reftable", "logs"];

/**
 * It is certain when the repository's own records name this folder: the git directory must lie in `worktrees` of the
 * repository it claims to be a part of, and lead back to the very file that names it. Who could forge those can write
 * into the repository already.
 */
async function repositoryOfWorktree(marker: string, own: string): Promise<OuterRepository | undefined> {
  const repository = await realpath(resolve(own, await lineOf(join(own, "commondir"))));
  const back = await realpath(resolve(own, await lineOf(join(own, "gitdir"))));
  if (dirname(own) !== join(repository, "worktrees") || back !== marker) {
    return undefined;
  }
  const shared = SHARED.map((name) => join(repository, name));
  const kinds = await Promise.all(shared.map(kindOf));
  return {
    path: repository,
    written: [own, ...shared.filter((_, index) => kinds[index] === "directory")],
    protected: await protectedInWorktreeDirectory(own),
  };
}

/** The same for a submodule: its git directory's config says where its files are (core.worktree, git-config(1)). */
async function repositoryOfSubmodule(workspace: string, own: string): Promise<OuterRepository | undefined> {
  const files = await worktreeOfModule(own);
  return files === workspace ? { path: own, written: [own], protected: await protectedInGitDirectory(own) } : undefined;
}

/**
 * The repository of a workspace that is a linked worktree or a submodule.
 * @param workspace real path
 * @returns undefined when it is neither, or when that is not certain
 */
export async function outerRepository(workspace: string): Promise<OuterRepository | undefined> {
  const marker = join(workspace, ".git");
  if ((await kindOf(marker)) === "directory") {
    return undefined;
  }
  try {
    const [, named] = /^gitdir: (.+)$/.exec(await lineOf(marker)) ?? [];
    if (named === undefined) {
      return undefined;
    }
    const own = await realpath(resolve(workspace, named));
    return (await kindOf(join(own, "commondir"))) === "file"
      ? await repositoryOfWorktree(marker, own)
      : await repositoryOfSubmodule(workspace, own);
  } catch {
    // No such file, or a record that leads nowhere.
    return undefined;
  }
}
