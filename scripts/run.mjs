// Runs a program of the project with its output on the screen.

import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { buildIsStale, ROOT } from "./files.mjs";

/**
 * Run a Node script to its end.
 * @param {string} script relative to the root of the repository
 * @param {string[]} [args]
 * @throws Error when it fails; what it printed is on the screen
 */
export function runNode(script, args = []) {
  const run = spawnSync(process.execPath, [join(ROOT, script), ...args], { cwd: ROOT, stdio: "inherit" });
  if (run.status === 0) return;
  throw new Error(
    `${script} ${args.join(" ")} failed: ${run.error?.message ?? `exit code ${run.status ?? run.signal}`}`,
  );
}

/** Build when dist/ is missing or older than the sources. */
export function buildIfStale() {
  if (!buildIsStale()) return;
  console.log("Building: the extension by webpack, the addon by node-gyp (up to a minute the first time).");
  runNode("scripts/build.mjs");
}

/** Compile the part of test/support that starts VS Code in the browser. */
export function compileHost() {
  runNode("node_modules/typescript/bin/tsc", ["-p", "test/support"]);
}

/**
 * Run a program in a process group of its own, to its end or to a time limit, when the whole group is killed.
 * @param {string} file
 * @param {string[]} args
 * @param {{cwd?: string, env?: NodeJS.ProcessEnv, limitMs: number}} options
 * @returns {Promise<{code: number | null, timedOut: boolean}>} code is null when a signal ended it
 */
export function runInGroup(file, args, { cwd = ROOT, env = process.env, limitMs }) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, env, stdio: ["ignore", "inherit", "inherit"], detached: true });
    const killGroup = () => {
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // The group has ended by itself.
      }
    };
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      killGroup();
    }, limitMs);
    // A group of its own does not get the terminal's Ctrl-C: pass it on.
    const interrupt = () => {
      try {
        process.kill(-child.pid, "SIGINT");
      } catch {
        // The group has ended by itself.
      }
    };
    process.on("SIGINT", interrupt);
    child.on("error", reject);
    child.on("exit", (code) => {
      clearTimeout(timer);
      process.off("SIGINT", interrupt);
      resolve({ code, timedOut });
    });
  });
}
