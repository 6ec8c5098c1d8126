// npm test: installs what the tests need, builds, lints, and runs every suite; `npm test -- unit native` runs only those.
// The very last line is the sum: "N passed, N failed, N skipped".

import { randomUUID } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { filesBelow, ROOT } from "./files.mjs";
import { compare, RUN_MARK, snapshot } from "./leftovers.mjs";
import { buildVariant } from "./native.mjs";
import { nodeFor, withOrdinaryUser } from "./ordinary-user.mjs";
import { runInGroup, runNode } from "./run.mjs";
import { SANITIZERS, sanitizedNode, sanitizerReports } from "./sanitizers.mjs";
import { ensureSystemPackages, PACKAGES } from "./system-packages.mjs";
import { hasImage, whyNoImage } from "./vm/image.mjs";
import { runInMachine } from "./vm/job.mjs";
import { LIMIT_RUNS, NATIVE_RUNS, reportFile } from "./vm/runs.mjs";

const MINUTE = 60_000;
const SUITE_LIMIT_MS = 20 * MINUTE;
const RESULTS = join(ROOT, "test-results");
const MOCHA = "node_modules/mocha/bin/mocha.js";
const isRoot = process.getuid?.() === 0;

/**
 * @typedef {object} Result of one suite
 * @property {string} name
 * @property {number} passed
 * @property {{title: string, error: string}[]} failed
 * @property {string[]} skipped titles, with the reason in them
 * @property {number} seconds
 */

/** @type {Result[]} */
const results = [];

function heading(text) {
  console.log(`\n=== ${text}`);
}

/** @param {string} name @param {string} title @param {string} error */
function addFailure(name, title, error) {
  results.push({ name, passed: 0, failed: [{ title, error }], skipped: [], seconds: 0 });
}

/**
 * Run a suite that writes a report, and add the report to the results. A suite that ends without one has failed.
 * @param {string} name
 * @param {string} reportFile
 * @param {() => Promise<{code: number | null, killed?: string}>} run
 */
async function runSuite(name, reportFile, run) {
  heading(name);
  rmSync(reportFile, { force: true });
  const start = Date.now();
  const ending = await run();
  addReport(name, reportFile, { ...ending, seconds: (Date.now() - start) / 1000 });
}

/**
 * Add the report of a suite that has ended.
 * @param {string} name
 * @param {string} reportFile
 * @param {{code: number | null, killed?: string, seconds: number}} ending
 */
function addReport(name, reportFile, { code, killed, seconds }) {
  /** @type {Result} */
  const result = { name, passed: 0, failed: [], skipped: [], seconds };
  results.push(result);
  if (existsSync(reportFile)) {
    const report = JSON.parse(readFileSync(reportFile, "utf8"));
    result.passed = report.passed.length;
    result.failed = report.failed;
    result.skipped = report.skipped.map((test) => test.title);
  }
  if (killed !== undefined) {
    result.failed.push({ title: name, error: `The suite ${killed}.` });
  } else if (code !== 0 && result.failed.length === 0) {
    result.failed.push({ title: name, error: `The suite ended with exit code ${code} and no failed test.` });
  } else if (result.passed + result.failed.length === 0) {
    result.failed.push({ title: name, error: "The suite ran no test." });
  }
}

/** Arguments of mocha for the compiled tests of a folder. */
function mochaArguments(pattern, timeout, leftOut = []) {
  const reporter = "out/test/support/reporter.js";
  const ignored = leftOut.flatMap((file) => ["--ignore", file]);
  return [MOCHA, "--forbid-only", "--timeout", String(timeout), "--reporter", reporter, ...ignored, pattern];
}

/** @param {string} name */
const reportOf = (name) => join(RESULTS, `${name.replaceAll(/\W+/g, "-")}.json`);

/** @param {string} name @param {string} pattern @param {number} timeout of one test @param {Record<string, string>} [more] variables */
function runMocha(name, pattern, timeout, more = {}) {
  const env = { ...process.env, ...more, SANDBOX_TASKS_TEST_REPORT: reportOf(name) };
  const args = mochaArguments(pattern, timeout);
  return runSuite(name, reportOf(name), () =>
    runInGroup(process.execPath, args, { env, limitMs: SUITE_LIMIT_MS, lastFile: reportOf(name) }),
  );
}

/**
 * A suite as whoever we are; as root, once more as an ordinary user.
 * @param {string} name
 * @param {string} pattern
 * @param {number} timeout of one test
 * @param {(who: "root" | "user", folder: string) => Record<string, string>} [more] variables; folder: where that user may write
 */
async function asRootAndUser(name, pattern, timeout = MINUTE, more = () => ({})) {
  const own = isRoot ? "root" : "user";
  await runMocha(isRoot ? `${name} as root` : name, pattern, timeout, more(own, RESULTS));
  if (!isRoot) {
    console.log("The half of this suite that runs as root was left out: you are not root.");
    return;
  }
  await withOrdinaryUser(async (user) => {
    const title = `${name} as user ${user.name}`;
    const report = join(user.temp, "report.json");
    const env = {
      ...user.env,
      ...more("user", user.temp),
      [RUN_MARK]: process.env[RUN_MARK],
      SANDBOX_TASKS_TEST_REPORT: report,
    };
    const [file, args] = user.wrap(nodeFor(user), mochaArguments(pattern, timeout));
    await runSuite(title, report, () =>
      runInGroup(file, args, { cwd: user.folder, env, limitMs: SUITE_LIMIT_MS, lastFile: report }),
    );
    for (const book of Object.values(more("user", user.temp)).filter((path) => existsSync(path))) {
      copyFileSync(book, join(RESULTS, basename(book)));
    }
  });
}

async function nativeSuite() {
  buildVariant("arm64"); // for the tests of what the built files ask for
  await asRootAndUser("native", "out/test/native/**/*.test.js");
}

/** What the escape suite writes down for `npm run escape`. */
function escapeBook(who, folder) {
  if (process.env.SANDBOX_TASKS_ESCAPE_COMPARE === undefined) return {};
  return { SANDBOX_TASKS_ESCAPE_VERDICTS: join(folder, `escape-${who}.json`) };
}

/** The native tests once more for each sanitizer, as whoever we are. */
async function sanitizerSuites() {
  for (const sanitizer of SANITIZERS) {
    const name = `native with ${sanitizer.title}`;
    const folder = join(RESULTS, `sanitizer-${sanitizer.variant}`);
    rmSync(folder, { recursive: true, force: true });
    const { node, env: options } = sanitizedNode(sanitizer, folder);
    const env = {
      ...process.env,
      ...options,
      SANDBOX_TASKS_TEST_LIBRARY: buildVariant(sanitizer.variant),
      SANDBOX_TASKS_TEST_NODE: node,
      SANDBOX_TASKS_TEST_REPORT: reportOf(name),
    };
    const args = mochaArguments("out/test/native/**/*.test.js", 2 * MINUTE, sanitizer.leftOut);
    await runSuite(name, reportOf(name), () =>
      runInGroup(node, args, { env, limitMs: SUITE_LIMIT_MS, lastFile: reportOf(name) }),
    );
    for (const report of sanitizerReports(folder)) {
      console.log(report);
      const title = /^.*(ERROR|WARNING|runtime error|leak of).*$/m.exec(report)?.[0] ?? "a report";
      addFailure(name, title.trim(), report.trim());
    }
  }
}

async function integrationSuites() {
  runNode("scripts/package.mjs");
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
    await runSuite(name, reportOf(name), () =>
      runInGroup(process.execPath, args, { env, limitMs: SUITE_LIMIT_MS, lastFile: reportOf(name) }),
    );
  }
}

async function endToEndSuite() {
  // Alone, or after the integration suites: packaging again costs a second.
  runNode("scripts/package.mjs");
  await runMocha("e2e", "out/test/e2e/**/*.e2e.test.js", 2 * MINUTE);
}

/** In a machine of our own, with a cgroup v2 hierarchy, systemd and a user whose cgroup is delegated. */
async function machineSuites(runs) {
  heading("vm");
  // Several minutes for who has not asked: on two busy cores it took five to build, and as long to run.
  const isAsked = process.argv.length > 2;
  const why = whyNoImage() ?? (isAsked || hasImage() ? undefined : "not built yet; npm run test:vm builds it");
  if (why !== undefined) {
    const skipped = runs.map((run) => `${run.name} [skipped: no test machine: ${why}]`);
    results.push({ name: "vm", passed: 0, failed: [], skipped, seconds: 0 });
    return;
  }
  const endings = await runInMachine(runs, { results: RESULTS, console: join(RESULTS, "vm-console.log") });
  for (const run of runs) {
    const ending = endings.find(({ name }) => name === run.name);
    if (ending === undefined) {
      addFailure(run.name, run.name, "The test machine did not come to it.");
      continue;
    }
    addReport(run.name, join(RESULTS, reportFile(run)), ending);
    for (const one of ending.left) addFailure(run.name, one, "was there in the test machine after the suite had ended");
  }
}

function lint() {
  heading("lint");
  try {
    runNode("scripts/lint.mjs");
  } catch (error) {
    addFailure("lint", "lint", error instanceof Error ? error.message : String(error));
  }
}

const SUITES = {
  lint,
  unit: () => runMocha("unit", "out/test/unit/**/*.test.js", MINUTE / 3),
  native: nativeSuite,
  escape: () => asRootAndUser("escape", "out/test/escape/**/*.test.js", MINUTE, escapeBook),
  builds: () => asRootAndUser("builds", "out/test/builds/**/*.test.js", 2 * MINUTE),
  sanitizers: sanitizerSuites,
  fuzz: () => runMocha("fuzz", "out/test/fuzz/**/*.test.js", 3 * MINUTE),
  integration: integrationSuites,
  e2e: endToEndSuite,
  vm: () => machineSuites(LIMIT_RUNS),
  "vm-native": () => machineSuites(NATIVE_RUNS),
};

/** Left out of `npm test` without arguments: software emulation takes most of an hour for it. */
const ONLY_WHEN_ASKED = ["vm-native"];
const USUAL = Object.keys(SUITES).filter((name) => !ONLY_WHEN_ASKED.includes(name));

/** Compiled files whose source is gone would be run as if they were still tests. */
function removeOrphans() {
  for (const file of filesBelow("out")) {
    if (!/\.js(\.map)?$/.test(file)) continue; // test/support/programs.ts compiles its own
    const source = file.replace(/^out\//, "").replace(/\.js(\.map)?$/, ".ts");
    if (!existsSync(join(ROOT, source))) rmSync(join(ROOT, file));
  }
}

function prepare(chosen) {
  const needsBrowser = chosen.includes("integration") || chosen.includes("e2e");
  ensureSystemPackages([
    ...(chosen.includes("lint") ? [PACKAGES.clangFormat] : []),
    // Without them those tests are skipped; only root can install them.
    ...((chosen.includes("native") || chosen.includes("builds")) && isRoot ? [PACKAGES.strace] : []),
    ...(chosen.includes("builds") && isRoot ? [PACKAGES.cmake, PACKAGES.gdb, PACKAGES.tmux] : []),
    ...(chosen.includes("native") ? [PACKAGES.crossCompiler] : []),
    ...(chosen.includes("fuzz") ? [PACKAGES.clang, PACKAGES.fuzzer] : []),
    ...(needsBrowser ? [PACKAGES.chromium, PACKAGES.fonts] : []),
  ]);
  heading("build");
  runNode("scripts/build.mjs");
  runNode("node_modules/typescript/bin/tsc", ["-p", "."]);
  removeOrphans();
  if (needsBrowser) {
    const { installHost } = createRequire(import.meta.url)(join(ROOT, "out/test/support/vscode-host/install.js"));
    installHost(console.log);
  }
}

function summary() {
  heading("summary");
  const failures = results.flatMap((result) => result.failed.map((test) => ({ suite: result.name, ...test })));
  const skipped = results.flatMap((result) => result.skipped.map((title) => `${result.name}: ${title}`));
  for (const { suite, title, error } of failures) console.log(`FAILED ${suite}: ${title}\n  ${error.split("\n")[0]}`);
  for (const line of skipped) console.log(`skipped ${line}`);
  for (const { name, passed, failed, skipped: left, seconds } of results) {
    console.log(`${name}: ${passed} passed, ${failed.length} failed, ${left.length} skipped, ${seconds.toFixed(1)} s`);
  }
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  if (failures.length > 0) process.exitCode = 1;
  console.log(`\n${passed} passed, ${failures.length} failed, ${skipped.length} skipped`);
}

async function main() {
  const chosen = process.argv.length > 2 ? process.argv.slice(2) : USUAL;
  const unknown = chosen.filter((name) => !(name in SUITES));
  if (unknown.length > 0)
    throw new Error(`No suite ${unknown.join(", ")}; there are ${Object.keys(SUITES).join(", ")}.`);

  mkdirSync(RESULTS, { recursive: true });
  prepare(chosen);

  // Everything temporary of this run goes into one folder, so that what is left in it is known to be ours.
  const temp = realpathSync(mkdtempSync(join(tmpdir(), "sbx-")));
  chmodSync(temp, 0o711);
  process.env.TMPDIR = temp;
  process.env[RUN_MARK] = randomUUID();
  const before = snapshot();
  try {
    for (const name of chosen) {
      try {
        await SUITES[name]();
      } catch (error) {
        console.error(error);
        addFailure(name, name, error instanceof Error ? error.message : String(error));
      }
    }
    heading("left behind");
    const { left, counts } = await compare(before, process.env[RUN_MARK], temp);
    console.log(counts);
    for (const one of left) addFailure("left behind", one, "was there after all suites had ended");
  } finally {
    rmSync(temp, { recursive: true, force: true });
  }
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  addFailure("npm test", "preparation", error instanceof Error ? error.message : String(error));
}
summary();
