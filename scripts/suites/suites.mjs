// The suites of npm test, by name.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { filesBelow } from "../files.mjs";
import { buildVariant } from "../native.mjs";
import { BUILD_MODULES } from "../project-copy.mjs";
import { runNode } from "../run.mjs";
import { SANITIZERS, sanitizedNode, sanitizerReports } from "../sanitizers.mjs";
import { MACHINE_GROUPS, MACHINE_SUITES } from "./machine.mjs";
import { asRootAndUser, MINUTE, mochaArguments, runMocha, runReported } from "./mocha.mjs";
import { failure, heading, RESULTS, reportOf } from "./results.mjs";

/** @typedef {import("./results.mjs").Result} Result */

/** @returns {Promise<Result[]>} */
function buildSuite() {
  return asRootAndUser("builds", "out/test/builds/**/*.test.js", 2 * MINUTE, () => ({}), BUILD_MODULES);
}

/** @returns {Promise<Result[]>} */
async function lint() {
  heading("lint");
  const start = Date.now();
  try {
    runNode("scripts/lint.mjs");
  } catch (error) {
    return [failure("lint", "lint", error instanceof Error ? error.message : String(error))];
  }
  return [{ name: "lint", passed: 1, failed: [], skipped: [], seconds: (Date.now() - start) / 1000 }];
}

async function native() {
  buildVariant("arm64"); // for the tests of what the built files ask for
  return asRootAndUser("native", "out/test/native/**/*.test.js");
}

/** What the escape suite writes down for `npm run escape`. */
function escapeBook(who, folder) {
  if (process.env.SANDBOX_TASKS_ESCAPE_COMPARE === undefined) return {};
  return { SANDBOX_TASKS_ESCAPE_VERDICTS: join(folder, `escape-${who}.json`) };
}

/**
 * The native tests on a build with a sanitizer, as whoever we are.
 * @param {string} variant
 */
async function sanitized(variant) {
  const sanitizer = SANITIZERS.find((one) => one.variant === variant);
  if (sanitizer === undefined) throw new Error(`There is no sanitizer ${variant}.`);
  const name = `native with ${sanitizer.title}`;
  const folder = join(RESULTS, `sanitizer-${variant}`);
  rmSync(folder, { recursive: true, force: true });
  const { node, env: options } = sanitizedNode(sanitizer, folder);
  const env = {
    ...process.env,
    ...options,
    SANDBOX_TASKS_TEST_LIBRARY: buildVariant(variant),
    SANDBOX_TASKS_TEST_NODE: node,
    SANDBOX_TASKS_TEST_REPORT: reportOf(name),
  };
  const args = mochaArguments("out/test/native/**/*.test.js", 2 * MINUTE, sanitizer.leftOut);
  const results = [await runReported(name, reportOf(name), node, args, { env })];
  for (const report of sanitizerReports(folder)) {
    console.log(report);
    const title = /^.*(ERROR|WARNING|runtime error|leak of).*$/m.exec(report)?.[0] ?? "a report";
    results.push(failure(name, title.trim(), report.trim()));
  }
  return results;
}

async function integration() {
  const results = [];
  for (const [suite, folder] of [
    [".", "test/integration"],
    ["repository", "test/integration/repository"],
  ]) {
    const hasTests = filesBelow(folder, () => false).some((path) => path.endsWith(".test.ts"));
    if (!hasTests && suite !== ".") continue;
    const name = suite === "." ? "integration" : `integration on this ${suite}`;
    const log = join(RESULTS, `${suite === "." ? "integration" : suite}.log`);
    rmSync(log, { force: true });
    const env = { ...process.env, SANDBOX_TASKS_TEST_REPORT: reportOf(name), SANDBOX_TASKS_TEST_LOG: log };
    const args = ["out/test/integration/runner.js", suite];
    results.push(await runReported(name, reportOf(name), process.execPath, args, { env }));
  }
  return results;
}

/**
 * In the order in which they are begun: long ones first, so that the last ones to end do so at the same time.
 * user: has a half that runs as the ordinary user, whose processes others would count as theirs.
 * editor: opens VS Code, from the package of the extension, in the browser.
 * onlyWhenAsked: left out of `npm test` without arguments.
 * @typedef {{run: () => Promise<Result[]>, user?: true, editor?: true, onlyWhenAsked?: true}} Suite
 * @type {Readonly<Record<string, Suite>>}
 */
export const SUITES = {
  native: { run: native, user: true },
  address: { run: () => sanitized("address") },
  thread: { run: () => sanitized("thread") },
  e2e: { run: async () => [await runMocha("e2e", "out/test/e2e/**/*.e2e.test.js", 2 * MINUTE)], editor: true },
  integration: { run: integration, editor: true },
  escape: { run: () => asRootAndUser("escape", "out/test/escape/**/*.test.js", MINUTE, escapeBook), user: true },
  builds: { run: buildSuite, user: true },
  fuzz: { run: async () => [await runMocha("fuzz", "out/test/fuzz/**/*.test.js", 3 * MINUTE)] },
  lint: { run: lint },
  unit: { run: async () => [await runMocha("unit", "out/test/unit/**/*.test.js", MINUTE / 3)] },
  ...MACHINE_SUITES,
};

/** Names that stand for several suites. */
export const GROUPS = { sanitizers: ["address", "thread"], ...MACHINE_GROUPS };
