// A copy of what the compiled native tests need, for whoever can't enter the checkout: an ordinary user, or another machine.

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./files.mjs";

const PARTS = ["dist", "out", "package.json", "test/fixtures"];

/** What the compiled native tests and the core below them load. */
const MODULES = ["mocha", "fast-check", "zod", "fastest-levenshtein", "jsonc-parser"];

/** Copy packages and what they depend on, as Node would find them from the project's folder. */
function copyModules(target, names) {
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
  for (const name of names) copy(name);
}

/** What is built with in the tests of builds. */
export const BUILD_MODULES = ["typescript", "webpack", "webpack-cli"];

/**
 * Copy the built project, readable for everybody.
 * @param {string} target an existing folder
 * @param {string[]} [more] packages
 */
export function copyProject(target, more = []) {
  for (const part of PARTS) cpSync(join(ROOT, part), join(target, part), { recursive: true });
  copyModules(target, [...MODULES, ...more]);
  // The modes of the checkout follow root's umask.
  const run = spawnSync("chmod", ["-R", "a+rX", target], { encoding: "utf8" });
  if (run.status !== 0) throw new Error(`chmod -R a+rX ${target} failed: ${run.error?.message ?? run.stderr.trim()}`);
}
