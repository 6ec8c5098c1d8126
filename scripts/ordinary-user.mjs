// Runs a suite as an ordinary user: sandboxes of a user without privileges take other paths through the kernel than
// those of root. The user is made for the run and removed after it, and works on a copy, because the checkout may be in
// a folder that only root can enter.

import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { copyProject } from "./project-copy.mjs";

const USER = "ordinary-tester";

/** @param {string} file @param {string[]} args */
function mustRun(file, args) {
  const run = spawnSync(file, args, { encoding: "utf8" });
  if (run.status === 0) return run.stdout.trim();
  throw new Error(`${file} ${args.join(" ")} failed: ${run.error?.message ?? run.stderr.trim()}`);
}

function hasUser() {
  return spawnSync("id", ["-u", USER]).status === 0;
}

/** A copy of what the tests need, readable for everybody; its `tmp` is the user's. */
function makeCopy(modules) {
  const copy = mkdtempSync("/tmp/sbx-user-");
  chmodSync(copy, 0o755);
  copyProject(copy, modules);
  mkdirSync(join(copy, "tmp"));
  mustRun("chown", [USER, join(copy, "tmp")]);
  return copy;
}

/**
 * As root: call `use` with what runs a command as an ordinary user.
 * @template T
 * @param {(user: {name: string, folder: string, temp: string, wrap: (file: string, args: string[]) => [string, string[]], env: Record<string, string>}) => Promise<T>} use
 *   folder: the copy of the project to work in; temp: a folder the user may write to; wrap: turns a command into one
 *   that runs as the user
 * @param {string[]} [modules] packages that the copy has besides
 * @returns {Promise<T>}
 */
export async function withOrdinaryUser(use, modules = []) {
  const isNew = !hasUser();
  if (isNew) mustRun("useradd", ["--create-home", "--shell", "/bin/sh", USER]);
  let folder;
  try {
    folder = makeCopy(modules);
    const home = mustRun("sh", ["-c", `getent passwd ${USER} | cut -d: -f6`]);
    const ids = [`--reuid=${USER}`, `--regid=${USER}`, "--init-groups"];
    const wrap = (file, args) => /** @type {[string, string[]]} */ (["setpriv", [...ids, "--", file, ...args]]);
    const env = {
      PATH: "/usr/local/bin:/usr/bin:/bin",
      HOME: home,
      USER,
      LOGNAME: USER,
      LANG: process.env.LANG ?? "C.UTF-8",
      TMPDIR: join(folder, "tmp"),
    };
    return await use({ name: USER, folder, temp: join(folder, "tmp"), wrap, env });
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    if (isNew) spawnSync("userdel", ["--remove", USER]);
  }
}

/** A Node that the user can execute: ours, or a copy in the folder where ours is below a folder of root's. */
export function nodeFor(user) {
  const [file, args] = user.wrap(process.execPath, ["--version"]);
  if (spawnSync(file, args, { cwd: "/", env: user.env }).status === 0) return process.execPath;
  const node = join(user.folder, "node");
  cpSync(process.execPath, node, { dereference: true });
  chmodSync(node, 0o755);
  return node;
}
