// Runs a suite as an ordinary user: sandboxes of a user without privileges take other paths through the kernel than
// those of root. The user is made for the run and removed after it, and works on a copy, because the checkout may be in
// a folder that only root can enter.

import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./files.mjs";

const USER = "ordinary-tester";

/** What the compiled native tests and the core below them load. */
const MODULES = ["mocha", "fast-check", "zod", "fastest-levenshtein", "jsonc-parser"];

/** @param {string} file @param {string[]} args */
function mustRun(file, args) {
  const run = spawnSync(file, args, { encoding: "utf8" });
  if (run.status === 0) return run.stdout.trim();
  throw new Error(`${file} ${args.join(" ")} failed: ${run.error?.message ?? run.stderr.trim()}`);
}

function hasUser() {
  return spawnSync("id", ["-u", USER]).status === 0;
}

/** Copy packages and what they depend on, as Node would find them from the project's folder. */
function copyModules(target) {
  const done = new Set();
  const copy = (name) => {
    if (done.has(name)) return;
    done.add(name);
    const from = join(ROOT, "node_modules", name);
    cpSync(from, join(target, "node_modules", name), { recursive: true });
    // Packages nested in this one are copied with it; those that it finds beside it are copied here.
    const nested = (folder) => {
      const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
      for (const dependency of Object.keys(manifest.dependencies ?? {})) {
        const inside = join(from, "node_modules", dependency);
        if (existsSync(inside)) nested(inside);
        else if (existsSync(join(ROOT, "node_modules", dependency))) copy(dependency);
      }
    };
    nested(from);
  };
  for (const name of MODULES) copy(name);
}

/** A copy of what the native tests need, readable for everybody; its `tmp` is the user's. */
function makeCopy() {
  const copy = mkdtempSync("/tmp/sbx-user-");
  chmodSync(copy, 0o755);
  for (const part of ["dist", "out", "package.json", "test/fixtures"]) {
    cpSync(join(ROOT, part), join(copy, part), { recursive: true });
  }
  copyModules(copy);
  // The modes of the checkout follow root's umask.
  mustRun("chmod", ["-R", "a+rX", copy]);
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
 * @returns {Promise<T>}
 */
export async function withOrdinaryUser(use) {
  const isNew = !hasUser();
  if (isNew) mustRun("useradd", ["--create-home", "--shell", "/bin/sh", USER]);
  let folder;
  try {
    folder = makeCopy();
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
