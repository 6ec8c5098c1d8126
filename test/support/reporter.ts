// Mocha reporter of every suite: the usual list on the screen, and beside it a JSON report that scripts/test.mjs adds
// up, and a text log that can be followed from outside where the suite has no screen (inside VS Code).

import * as fs from "node:fs";
import * as path from "node:path";
import { type MochaOptions, type Runner, reporters, type Test } from "mocha";
import { LOG_FILE_VARIABLE, REPORT_FILE_VARIABLE, type SuiteReport } from "./report";

function titleOf(test: Test): string {
  return test.titlePath().join(" > ");
}

function append(file: string, text: string): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.appendFileSync(file, text);
}

class SuiteReporter extends reporters.Spec {
  constructor(runner: Runner, options?: MochaOptions) {
    super(runner, options);
    const report: SuiteReport = { passed: [], failed: [], skipped: [], milliseconds: 0 };
    const start = Date.now();
    const logFile = process.env[LOG_FILE_VARIABLE];
    const log = (line: string): void => {
      if (logFile !== undefined) append(logFile, `${line}\n`);
    };
    let depth = 0;
    const indent = (): string => "  ".repeat(depth);

    runner.on("suite", (suite) => {
      if (suite.title !== "") log(`${indent()}${suite.title}`);
      depth++;
    });
    runner.on("suite end", () => {
      depth--;
    });
    runner.on("pass", (test) => {
      report.passed.push({ title: titleOf(test), milliseconds: test.duration ?? 0 });
      log(`${indent()}ok: ${test.title} (${test.duration ?? 0} ms)`);
    });
    runner.on("fail", (test, error: unknown) => {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      report.failed.push({ title: titleOf(test), error: text });
      log(`${indent()}FAILED: ${test.title}\n${text}`);
    });
    runner.on("pending", (test) => {
      report.skipped.push({ title: titleOf(test) });
      log(`${indent()}skipped: ${test.title}`);
    });
    runner.on("end", () => {
      report.milliseconds = Date.now() - start;
      const file = process.env[REPORT_FILE_VARIABLE];
      if (file === undefined) return;
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, `${JSON.stringify(report, undefined, 2)}\n`);
    });
  }
}

// Mocha takes a reporter from module.exports.
export = SuiteReporter;
