// What the suites of npm test have found, and the sum of it.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../files.mjs";

/** Folder of reports and logs. */
export const RESULTS = join(ROOT, "test-results");

/**
 * @typedef {object} Result of one suite
 * @property {string} name
 * @property {number} passed
 * @property {{title: string, error: string}[]} failed
 * @property {string[]} skipped titles, with the reason in them
 * @property {number} seconds
 */

/** @param {string} text */
export function heading(text) {
  console.log(`\n=== ${text}`);
}

/** @param {string} name file-system-safe name of a suite's report */
export const reportOf = (name) => join(RESULTS, `${name.replaceAll(/\W+/g, "-")}.json`);

/** @param {string} name @param {string} title @param {string} error @returns {Result} */
export const failure = (name, title, error) => ({
  name,
  passed: 0,
  failed: [{ title, error }],
  skipped: [],
  seconds: 0,
});

/**
 * The result of a suite that has ended and was to write a report. One that ends without it has failed.
 * @param {string} name
 * @param {string} reportFile
 * @param {{code: number | null, killed?: string, seconds: number}} ending
 * @returns {Result}
 */
export function resultOf(name, reportFile, { code, killed, seconds }) {
  /** @type {Result} */
  const result = { name, passed: 0, failed: [], skipped: [], seconds };
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
  return result;
}

/**
 * Print what failed, what was skipped, and the figures; the very last line is "N passed, N failed, N skipped".
 * @param {readonly Result[]} results
 * @returns {boolean} whether nothing failed
 */
export function summary(results) {
  heading("summary");
  const failures = results.flatMap((result) => result.failed.map((test) => ({ suite: result.name, ...test })));
  const skipped = results.flatMap((result) => result.skipped.map((title) => `${result.name}: ${title}`));
  for (const { suite, title, error } of failures) console.log(`FAILED ${suite}: ${title}\n  ${error.split("\n")[0]}`);
  for (const line of skipped) console.log(`skipped ${line}`);
  for (const { name, passed, failed, skipped: left, seconds } of results) {
    console.log(`${name}: ${passed} passed, ${failed.length} failed, ${left.length} skipped, ${seconds.toFixed(1)} s`);
  }
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  console.log(`\n${passed} passed, ${failures.length} failed, ${skipped.length} skipped`);
  return failures.length === 0;
}
