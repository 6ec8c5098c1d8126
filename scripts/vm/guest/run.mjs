// Runs in the test machine, as root, in the job's folder: each run of the job's plan by mocha, as the one it is for, and
// a look at what it left behind. The reports, and how each run ended, are put into results/ for the host.

import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compare, RUN_MARK, snapshot } from "../../leftovers.mjs";
import { runInGroup } from "../../run.mjs";
import { reportFile, SLOWNESS, USER } from "../runs.mjs";

const MINUTE = 60_000;
const JOB = process.cwd();
const USER_ID = 1000;

/** @typedef {import("../runs.mjs").Run} Run */

/** @param {string} word */
const quoted = (word) => `'${word.replaceAll("'", "'\\''")}'`;

/**
 * The command as the user in a new session: su(1) as a login goes through PAM, and so through systemd-logind. A login
 * starts with a clean environment, and its shell takes one string.
 * @param {string[]} words
 */
function loggedIn(words) {
  return ["su", "--login", USER, "--command", `cd ${quoted(JOB)} && exec ${words.map(quoted).join(" ")}`];
}

/**
 * @param {import("../runs.mjs").As} as
 * @param {Record<string, string>} env
 * @param {string[]} command
 * @param {number} limitMs
 */
function wrapped(as, env, command, limitMs) {
  const words = ["env", ...Object.entries(env).map(([name, value]) => `${name}=${value}`), ...command];
  switch (as) {
    case "root":
      return words;
    case "session":
      return loggedIn(words);
    case "service": {
      // Not through a shell: systemd-run would expand what looks like a variable.
      const options = ["--user", "--quiet", "--wait", "--collect", "--pipe", `--working-directory=${JOB}`];
      // It is no child of ours: its manager ends it.
      const properties = ["--property=Delegate=yes", `--property=RuntimeMaxSec=${limitMs / 1000}`];
      return loggedIn(["systemd-run", ...options, ...properties, "--", "/usr/bin/env", ...words.slice(1)]);
    }
  }
}

/** @param {Run} run */
async function perform(run) {
  console.log(`\n--- ${run.name}`);
  const report = join(JOB, "results", reportFile(run));
  const temp = mkdtempSync("/tmp/sbx-");
  if (run.as !== "root") chownSync(temp, USER_ID, USER_ID);
  chmodSync(temp, 0o711); // root's tests start programs as other users, too
  const mark = run.name.replaceAll(/\W+/g, "-");
  const env = {
    [RUN_MARK]: mark,
    SANDBOX_TASKS_TEST_REPORT: join(temp, "report.json"),
    SANDBOX_TASKS_TEST_SLOWNESS: String(SLOWNESS),
    TMPDIR: temp,
  };
  const mocha = [
    ...[join(JOB, "node"), "node_modules/mocha/bin/mocha.js", "--forbid-only", "--timeout", String(MINUTE)],
    ...["--require", "./out/test/support/mocha-slowness.js", "--reporter", "out/test/support/reporter.js"],
    ...run.leftOut.flatMap((file) => ["--ignore", file]),
    ...run.files,
  ];
  const before = snapshot();
  const start = Date.now();
  const [file, ...args] = wrapped(run.as, env, mocha, run.limitMs);
  const ended = await runInGroup(file, args, {
    cwd: JOB,
    limitMs: run.limitMs,
    lastFile: env.SANDBOX_TASKS_TEST_REPORT,
  });
  const seconds = (Date.now() - start) / 1000;
  try {
    writeFileSync(report, readFileSync(env.SANDBOX_TASKS_TEST_REPORT));
    rmSync(env.SANDBOX_TASKS_TEST_REPORT);
  } catch {
    // It ended without: the host sees that none is there.
  }
  const { left, counts } = await compare(before, mark, temp);
  console.log(counts);
  rmSync(temp, { recursive: true, force: true });
  return { name: run.name, ...ended, seconds, left };
}

const plan = JSON.parse(readFileSync(join(JOB, "plan.json"), "utf8"));
mkdirSync(join(JOB, "results"), { recursive: true });
const endings = [];
for (const run of plan) {
  endings.push(await perform(run));
  writeFileSync(join(JOB, "results/endings.json"), JSON.stringify(endings));
}
