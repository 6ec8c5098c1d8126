// Runs compiled tests by mocha, as whoever we are or as an ordinary user.

import { copyFileSync, existsSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { RUN_MARK } from "../leftovers.mjs";
import { nodeFor, withOrdinaryUser } from "../ordinary-user.mjs";
import { runInGroup } from "../run.mjs";
import { heading, RESULTS, reportOf, resultOf } from "./results.mjs";

/** @typedef {import("./results.mjs").Result} Result */

export const MINUTE = 60_000;
const SUITE_LIMIT_MS = 20 * MINUTE;
const MOCHA = "node_modules/mocha/bin/mocha.js";
export const isRoot = process.getuid?.() === 0;

/**
 * Run a program that writes a report.
 * @param {string} name
 * @param {string} report its file
 * @param {string} file
 * @param {string[]} args
 * @param {{env: NodeJS.ProcessEnv, cwd?: string}} options
 * @returns {Promise<Result>}
 */
export async function runReported(name, report, file, args, options) {
  heading(name);
  rmSync(report, { force: true });
  const start = Date.now();
  const ending = await runInGroup(file, args, { ...options, limitMs: SUITE_LIMIT_MS, lastFile: report });
  return resultOf(name, report, { ...ending, seconds: (Date.now() - start) / 1000 });
}

/**
 * Arguments of mocha for compiled tests.
 * @param {string} pattern
 * @param {number} timeout of one test, milliseconds
 * @param {string[]} [leftOut]
 */
export function mochaArguments(pattern, timeout, leftOut = []) {
  const reporter = "out/test/support/reporter.js";
  const ignored = leftOut.flatMap((file) => ["--ignore", file]);
  return [MOCHA, "--forbid-only", "--timeout", String(timeout), "--reporter", reporter, ...ignored, pattern];
}

/**
 * @param {string} name
 * @param {string} pattern
 * @param {number} timeout of one test, milliseconds
 * @param {Record<string, string>} [more] variables
 * @returns {Promise<Result>}
 */
export function runMocha(name, pattern, timeout, more = {}) {
  const env = { ...process.env, ...more, SANDBOX_TASKS_TEST_REPORT: reportOf(name) };
  return runReported(name, reportOf(name), process.execPath, mochaArguments(pattern, timeout), { env });
}

/**
 * A suite as whoever we are; as root, once more as an ordinary user.
 * @param {string} name
 * @param {string} pattern
 * @param {number} timeout of one test, milliseconds
 * @param {(who: "root" | "user", folder: string) => Record<string, string>} [more] variables; folder: where that user may write
 * @param {string[]} [modules] packages that the user's copy of the project has besides
 * @returns {Promise<Result[]>}
 */
export async function asRootAndUser(name, pattern, timeout = MINUTE, more = () => ({}), modules = []) {
  const own = isRoot ? "root" : "user";
  const first = await runMocha(isRoot ? `${name} as root` : name, pattern, timeout, more(own, RESULTS));
  if (!isRoot) {
    console.log("The half of this suite that runs as root was left out: you are not root.");
    return [first];
  }
  const second = await withOrdinaryUser(async (user) => {
    const report = join(user.temp, "report.json");
    const env = {
      ...user.env,
      ...more("user", user.temp),
      [RUN_MARK]: process.env[RUN_MARK],
      SANDBOX_TASKS_TEST_REPORT: report,
    };
    const [file, args] = user.wrap(nodeFor(user), mochaArguments(pattern, timeout));
    const result = await runReported(`${name} as user ${user.name}`, report, file, args, { cwd: user.folder, env });
    for (const book of Object.values(more("user", user.temp)).filter((path) => existsSync(path))) {
      copyFileSync(book, join(RESULTS, basename(book)));
    }
    return result;
  }, modules);
  return [first, second];
}
