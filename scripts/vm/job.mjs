// A job for the test machine: a disk with a copy of the project, the Node that runs here and what is to be run; and the
// reports that come back.

import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../files.mjs";
import { copyProject } from "../project-copy.mjs";
import { ensureImage } from "./image.mjs";
import { runMachine } from "./machine.mjs";
import { reportFile } from "./runs.mjs";

const MINUTE = 60_000;

/** Room on the job's disk beside the copy, for what the job writes there. */
const SPARE_MEGABYTES = 256;

/**
 * @typedef {object} Ending of a run
 * @property {string} name
 * @property {number | null} code
 * @property {string} [killed] why it was
 * @property {number} seconds
 * @property {string[]} left what it left behind in the machine, one line each
 */

/** @param {string} file @param {string[]} args */
function mustRun(file, args) {
  const run = spawnSync(file, args, { encoding: "utf8" });
  if (run.status === 0) return run.stdout;
  throw new Error(`${file} ${args.join(" ")} failed: ${run.error?.message ?? run.stderr.trim()}`);
}

/** There is no compiler in the machine. */
function compilePrograms() {
  createRequire(import.meta.url)(join(ROOT, "out/test/support/programs.js")).compilePrograms();
}

/**
 * @param {string} work folder for temporary files
 * @param {import("./runs.mjs").Run[]} runs
 * @returns {string} the disk's file
 */
function makeDisk(work, runs) {
  compilePrograms();
  const folder = join(work, "job");
  mkdirSync(folder, { mode: 0o755 });
  cpSync(join(ROOT, "scripts"), join(folder, "scripts"), { recursive: true });
  // The machine is of the same Debian, and so has the libraries that our Node needs.
  copyFileSync(process.execPath, join(folder, "node"));
  writeFileSync(join(folder, "plan.json"), JSON.stringify(runs));
  copyProject(folder);
  chmodSync(folder, 0o755);
  const disk = join(work, "job.img");
  const megabytes = Number.parseInt(mustRun("du", ["--summarize", "--block-size=1M", folder]), 10);
  const size = `${Math.ceil(megabytes * 1.1) + SPARE_MEGABYTES}M`;
  mustRun("mke2fs", ["-q", "-t", "ext4", "-O", "^has_journal", "-d", folder, disk, size]);
  rmSync(folder, { recursive: true });
  return disk;
}

/**
 * Run compiled tests in the test machine.
 * @param {import("./runs.mjs").Run[]} runs one after another
 * @param {{kernel: import("./image.mjs").Kernel, results: string, console: string, commandLine?: string[]}} options results: folder for the reports, named by
 *   reportFile(); console: file for what the machine's serial line shows, kept when something goes wrong
 * @returns {Promise<Ending[]>}
 * @throws Error when the machine can't be made, does not boot or is not done in time; the console's end is in it
 */
export async function runInMachine(runs, { kernel, results, console: consoleFile, commandLine }) {
  const image = ensureImage();
  for (const run of runs) rmSync(join(results, reportFile(run)), { force: true });
  const work = mkdtempSync(join(tmpdir(), "sbx-vm-"));
  try {
    const archive = join(work, "results.tar");
    const limitMs = runs.reduce((sum, run) => sum + run.limitMs, 5 * MINUTE);
    const times = await runMachine({
      image,
      kernel,
      job: makeDisk(work, runs),
      results: archive,
      console: consoleFile,
      limitMs,
      commandLine,
    });
    console.log(
      `The machine's job began after ${times.bootSeconds.toFixed(0)} s; in all ${times.seconds.toFixed(0)} s.`,
    );
    const unpacked = join(work, "results");
    mkdirSync(unpacked);
    mustRun("tar", ["-x", "-f", archive, "-C", unpacked]);
    const endings = join(unpacked, "endings.json");
    if (!existsSync(endings)) throw new Error("The test machine turned itself off without a result.");
    const reports = runs.map(reportFile).filter((name) => existsSync(join(unpacked, name)));
    for (const name of reports) copyFileSync(join(unpacked, name), join(results, name));
    rmSync(consoleFile, { force: true });
    return JSON.parse(readFileSync(endings, "utf8"));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
