// Runs a program of the project with its output on the screen.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { buildIsStale, ROOT } from "./files.mjs";

/** Long enough to close a VS Code and to remove its files. */
const END_LIMIT_MS = 60_000;

/**
 * Run a Node script to its end.
 * @param {string} script relative to the root of the repository
 * @param {string[]} [args]
 * @param {Record<string, string>} [env] in addition to ours
 * @throws Error when it fails; what it printed is on the screen
 */
export function runNode(script, args = [], env = {}) {
  const options = { cwd: ROOT, stdio: "inherit", env: { ...process.env, ...env } };
  const run = spawnSync(process.execPath, [join(ROOT, script), ...args], options);
  if (run.status === 0) return;
  throw new Error(
    `${script} ${args.join(" ")} failed: ${run.error?.message ?? `exit code ${run.status ?? run.signal}`}`,
  );
}

/**
 * The same beside us.
 * @param {string} script relative to the root of the repository
 * @returns {Promise<void>} of its end
 */
export async function runNodeAside(script) {
  const child = spawn(process.execPath, [join(ROOT, script)], { cwd: ROOT, stdio: "inherit" });
  const [code, signal] = await once(child, "exit");
  if (code !== 0) throw new Error(`${script} failed: exit code ${code ?? signal}`);
}

/** Build when dist/ is missing or older than the sources. */
export function buildIfStale() {
  if (!buildIsStale()) return;
  console.log("Building: the extension by webpack, the addon by node-gyp (up to a minute the first time).");
  runNode("scripts/build.mjs");
}

/** All of src/ and test/ into out/; what the compiler has found stays there for the next time, as when lint comes after it. */
export const TSC_ARGUMENTS = ["-p", ".", "--incremental", "--tsBuildInfoFile", "out/.tsbuildinfo"];

/** Compile the part of test/support that starts VS Code in the browser. */
export function compileHost() {
  runNode("node_modules/typescript/bin/tsc", ["-p", "test/support"]);
}

/**
 * Run a program in a process group of its own, to its end or to a time limit, when the whole group is killed.
 * @param {string} file
 * @param {string[]} args
 * @param {{cwd?: string, env?: NodeJS.ProcessEnv, limitMs: number, lastFile?: string}} options lastFile: what it writes
 *   last of all; some seconds after that it must have ended
 * @returns {Promise<{code: number | null, killed?: string}>} code is null when a signal ended it; killed says why we did.
 *   Rejects when it was interrupted by Ctrl-C
 */
export function runInGroup(file, args, { cwd = ROOT, env = process.env, limitMs, lastFile }) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, env, stdio: ["ignore", "inherit", "inherit"], detached: true });
    const killGroup = () => {
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // The group has ended by itself.
      }
    };
    let killed;
    const kill = (why) => {
      killed ??= why;
      killGroup();
    };
    const timer = setTimeout(() => kill(`did not end within ${limitMs / 60_000} minutes`), limitMs);
    // A program that has said all and does not end is kept alive by something that it forgot to end.
    let finishedAt;
    const watch = setInterval(() => {
      if (lastFile === undefined || !existsSync(lastFile)) return;
      finishedAt ??= Date.now();
      if (Date.now() - finishedAt > END_LIMIT_MS) kill("did not end after its last test: something keeps it alive");
    }, 1000);
    // A group of its own does not get the terminal's Ctrl-C: pass it on, and do not go on ourselves.
    let interrupted = false;
    const interrupt = () => {
      interrupted = true;
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
      clearInterval(watch);
      process.off("SIGINT", interrupt);
      if (interrupted) reject(new Error(`${file} was interrupted.`));
      else resolve({ code, ...(killed === undefined ? {} : { killed }) });
    });
  });
}
