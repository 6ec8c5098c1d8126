// Entry of the integration suite: VS Code's extension host calls run(). It runs every *.test.js of the folder that the
// environment names, because suites that need another workspace run in another VS Code.

import * as fs from "node:fs";
import * as path from "node:path";
import Mocha from "mocha";
import SuiteReporter from "../support/reporter";

/** Environment variable: folder of the compiled tests, beside this file; subfolders are suites of their own. */
const SUITE_VARIABLE = "SANDBOX_TASKS_TEST_SUITE";

const TEST_LIMIT_MS = 60_000;

/**
 * @throws Error (which makes VS Code exit with 1) when a test fails, or when there is none to run
 */
export async function run(): Promise<void> {
  const folder = path.resolve(__dirname, process.env[SUITE_VARIABLE] ?? ".");
  const files = fs.readdirSync(folder).filter((name) => name.endsWith(".test.js"));
  if (files.length === 0) throw new Error(`No *.test.js in ${folder}.`);
  const mocha = new Mocha({ ui: "bdd", color: false, timeout: TEST_LIMIT_MS, reporter: SuiteReporter });
  for (const file of files.sort()) mocha.addFile(path.join(folder, file));
  const failures = await new Promise<number>((resolve) => {
    mocha.run(resolve);
  });
  if (failures > 0) throw new Error(`${failures} of the integration tests failed.`);
}
