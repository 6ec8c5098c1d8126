// What lies in the workspace and is acted upon outside of any sandbox: git's hooks and configuration, the editor's tasks.

import { existsSync, mkdirSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { Attempt } from "../attempt";
import type { Bait } from "../bait";

const tasks = ({ workspace }: Bait): string => join(workspace, ".vscode/tasks.json");
const config = ({ workspace }: Bait): string => join(workspace, ".git/config");

/** An attempt to have the secret in a file there. */
function writing(name: string, path: (bait: Bait) => string, words: (bait: Bait) => string[]): Attempt {
  return { group: "workspace", name, lay: words, seen: (bait) => bait.isWritten(path(bait)) };
}

const hook = (bait: Bait): string => bait.hook;

export const workspace: readonly Attempt[] = [
  writing("write a hook", hook, (bait) => ["append", bait.hook, bait.secret]),
  writing("write a hook by another name of its folder", hook, (bait) => {
    const other = join(bait.workspace, "folder/hooks");
    symlinkSync("../.git/hooks", other);
    return ["append", join(other, "pre-commit"), bait.secret];
  }),
  writing("write a hook by the root of /proc", hook, (bait) => ["append", `/proc/self/root${bait.hook}`, bait.secret]),
  writing("write a hook by its open file", hook, (bait) => ["reopen", bait.hook, bait.secret]),
  writing("write a hook by another name of its own", hook, (bait) => [
    "hard-link",
    bait.hook,
    join(bait.workspace, "hard-link"),
    bait.secret,
  ]),
  writing("put a new hook in place", hook, (bait) => [
    "replace-folder",
    join(bait.workspace, ".git/hooks"),
    bait.hook,
    bait.secret,
  ]),
  writing("put a new repository in place", hook, (bait) => [
    "replace-folder",
    join(bait.workspace, ".git"),
    bait.hook,
    bait.secret,
  ]),
  writing(
    "exchange the repository for another",
    (bait) => join(bait.workspace, ".git/config"),
    (bait) => ["exchange-folder", join(bait.workspace, ".git"), "/config", bait.secret],
  ),
  writing("put a new workspace in place", hook, (bait) => ["replace-folder", bait.workspace, bait.hook, bait.secret]),
  writing(
    "write a hook of a submodule",
    ({ workspace: folder }) => join(folder, ".git/modules/library/hooks/pre-commit"),
    (bait) => ["append", join(bait.workspace, ".git/modules/library/hooks/pre-commit"), bait.secret],
  ),
  {
    ...writing("have git run a program for it", config, (bait) => [
      "-c",
      'git -C "$0" config core.fsmonitor "$1" || echo "refused: git: 30 EROFS"',
      bait.workspace,
      bait.secret,
    ]),
    file: () => "sh",
  },
  writing("write what git is configured to do", config, (bait) => ["append", config(bait), bait.secret]),
  writing("write the editor's tasks", tasks, (bait) => ["append", tasks(bait), bait.secret]),
  writing("put new tasks in place", tasks, (bait) => [
    "replace-folder",
    join(bait.workspace, ".vscode"),
    tasks(bait),
    bait.secret,
  ]),
  {
    group: "workspace",
    name: "remove a hook",
    lay: (bait) => ["remove", bait.hook],
    seen: (bait) => !existsSync(bait.hook),
  },
  {
    group: "workspace",
    name: "make a hook writable for all",
    lay: (bait) => ["change-mode", bait.hook],
    notAlone: "permission bits are nothing that Landlock knows",
    seen: (bait) => (statSync(bait.hook).mode & 0o777) === 0o777,
  },
  {
    ...writing(
      "write in a workspace that is read-only",
      (bait) => join(bait.workspace, "new"),
      (bait) => ["append", join(bait.workspace, "new"), bait.secret],
    ),
    only: ["strict"],
  },
  {
    ...writing(
      "write in a folder of the workspace that is read-only, by a link",
      (bait) => join(bait.workspace, "folder/new"),
      (bait) => {
        mkdirSync(join(bait.workspace, "links"));
        symlinkSync("../folder", join(bait.workspace, "links/out"));
        return ["append", join(bait.workspace, "links/out/new"), bait.secret];
      },
    ),
    only: ["strict"],
  },
];
