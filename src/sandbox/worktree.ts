// A linked worktree (git-worktree(1)) keeps its repository elsewhere, often in the hidden home folder: without it git
// does not work in the sandbox. It is shown read-only, once it is certain that it is this worktree's repository: a
// `.git` file comes with the folder and may have been written by anybody ("gitdir: /home/me/.ssh").

import { readFile, realpath } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { kindOf } from "./workspace";

async function lineOf(file: string): Promise<string> {
  return (await readFile(file, "utf8")).replace(/\n+$/, "");
}

/**
 * The repository of a linked worktree. It is certain when its own records, gitrepository-layout(5), name this folder:
 * the git directory that the `.git` file names must lie in `worktrees` of the repository it claims to be a part of, and
 * lead back to that very file. Who could forge those can write into the repository already.
 * @param workspace real path
 * @returns real path of the repository's git directory; undefined when the workspace is no linked worktree
 */
export async function repositoryOfWorktree(workspace: string): Promise<string | undefined> {
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
    const repository = await realpath(resolve(own, await lineOf(join(own, "commondir"))));
    const back = await realpath(resolve(own, await lineOf(join(own, "gitdir"))));
    return dirname(own) === join(repository, "worktrees") && back === marker ? repository : undefined;
  } catch {
    // No such file, or a record that leads nowhere.
    return undefined;
  }
}
