// The folder that a benchmark works in: a workspace as a repository looks, with the test programs in it, compiled at the
// start. It is removed at the end of the process, however that comes about, but for SIGKILL.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const PROGRAMS = ["nothing", "stamp", "tree", "limit"];
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

/**
 * @typedef {object} Place
 * @property {string} workspace absolute path of a folder that a sandbox may work in
 * @property {Record<"nothing" | "stamp" | "tree" | "limit", string>} programs absolute paths, inside the workspace
 */

/** @param {string} name @param {string} folder */
function compileProgram(name, folder) {
  const source = join(dirname(fileURLToPath(import.meta.url)), "programs", `${name}.cc`);
  const program = join(folder, name);
  const args = ["-O2", "-std=c++17", "-static", "-o", program, source, "-lutil"];
  const run = spawnSync("g++", args, { encoding: "utf8" });
  if (run.status === 0) return program;
  throw new Error(`g++ ${args.join(" ")} failed: ${run.error?.message ?? run.stderr.trim()}`);
}

/**
 * Make the folder below the one for temporary files.
 * @returns {Place}
 */
export function makePlace() {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "sandbox-bench-")));
  // What is still running then ends by itself: sandboxes with this process (PR_SET_PDEATHSIG), the others at the end of
  // their stdin or of their output.
  process.on("exit", () => rmSync(root, { recursive: true, force: true }));
  // Not once(): a second Ctrl-C would end the process by itself, in the midst of the removal.
  for (const [signal, number] of Object.entries(SIGNALS)) process.on(signal, () => process.exit(128 + number));

  const workspace = join(root, "workspace");
  mkdirSync(join(workspace, ".git/hooks"), { recursive: true });
  mkdirSync(join(workspace, ".vscode"));
  writeFileSync(join(workspace, ".git/HEAD"), "ref: refs/heads/main\n");
  writeFileSync(join(workspace, ".git/config"), "[core]\n\tbare = false\n");
  const bin = join(workspace, "bin");
  mkdirSync(bin);
  const programs = PROGRAMS.map((name) => [name, compileProgram(name, bin)]);
  return { workspace, programs: Object.fromEntries(programs) };
}
