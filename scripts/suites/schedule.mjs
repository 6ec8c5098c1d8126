// Runs suites side by side, as many as there are processors, up to two: most of a suite's time is waiting, but VS Code in
// a browser is not, and the tests are to hold on a machine that is busy and not on one that is drowned.

import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { ROOT } from "../files.mjs";
import { failure, RESULTS } from "./results.mjs";
import { SUITES } from "./suites.mjs";

/** @typedef {import("./results.mjs").Result} Result */

const AT_ONCE = Math.min(2, availableParallelism());

/**
 * @param {string} name
 * @param {boolean} onScreen; else what it prints is shown when it has ended, as a whole
 * @returns {Promise<Result[]>}
 */
async function runOne(name, onScreen) {
  const [results, log] = ["json", "log"].map((type) => join(RESULTS, `suite-${name}.${type}`));
  rmSync(results, { force: true });
  const output = onScreen ? "inherit" : openSync(log, "w");
  if (!onScreen) console.log(`${name}: begun; its output goes to test-results/suite-${name}.log`);
  const args = [join(ROOT, "scripts/suites/one.mjs"), name, results];
  const ending = await new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ["ignore", output, output] });
    child.on("error", (error) => resolve(error.message));
    child.on("exit", (code, signal) => resolve(`exit code ${code ?? signal}`));
  });
  if (typeof output === "number") {
    closeSync(output);
    console.log(readFileSync(log, "utf8"));
  }
  return existsSync(results)
    ? JSON.parse(readFileSync(results, "utf8"))
    : [failure(name, name, `The suite ended without a result (${ending}).`)];
}

/**
 * @param {readonly string[]} names of SUITES
 * @returns {Promise<Result[]>} in the order of the names; without those that an interrupt has kept from beginning
 */
export async function runSuites(names) {
  const waiting = [...names];
  const found = new Map();
  let userIsBusy = false;
  // The terminal's Ctrl-C reaches those that run as well: they end in order, and no other begins.
  process.once("SIGINT", () => waiting.splice(0));
  /** The next one that can run now. Of those that run as the ordinary user one can. */
  const take = () => {
    const at = waiting.findIndex((name) => !(userIsBusy && SUITES[name].user));
    return at < 0 ? undefined : waiting.splice(at, 1)[0];
  };
  const work = async () => {
    for (let name = take(); name !== undefined; name = take()) {
      if (SUITES[name].user) userIsBusy = true;
      found.set(name, await runOne(name, names.length === 1));
      if (SUITES[name].user) userIsBusy = false;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return names.flatMap((name) => found.get(name) ?? []);
}
