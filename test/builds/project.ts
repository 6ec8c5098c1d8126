// A project of somebody's, and a way to build it as a developer would: a line of shell in the workspace, under the
// unmodified `build` profile, with the user's real home folder and toolchains.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { listing } from "../native/sandbox-world";
import { LIBRARY } from "../support/library";
import { skipBecause } from "../support/skip";
import { makeTemp, removeTemp } from "../support/temp";

const api: typeof import("../../src/api") = require(LIBRARY);

/** Skips the test, naming what is not there. */
export function needs(context: Mocha.Context, ...commands: string[]): void {
  const missing = commands.filter((name) => spawnSync("sh", ["-c", `command -v "$0"`, name]).status !== 0);
  if (missing.length > 0) skipBecause(context, `no ${missing.join(", no ")} on this machine`);
}

export class Project {
  readonly #root = makeTemp("project");
  readonly folder = join(this.#root, "project");

  constructor(files: Readonly<Record<string, string>> = {}) {
    mkdirSync(this.folder);
    this.add(files);
  }

  /** Files by their path in the project. Scripts, known by their first line, can be run. */
  add(files: Readonly<Record<string, string>>): void {
    for (const [name, content] of Object.entries(files)) {
      const path = join(this.folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content, { mode: content.startsWith("#!") ? 0o755 : 0o644 });
    }
  }

  /** What the developer does outside of any sandbox, to prepare. */
  outside(line: string): void {
    const run = spawnSync("bash", ["-ec", line], { cwd: this.folder, encoding: "utf8" });
    assert.equal(run.status, 0, run.stdout + run.stderr);
  }

  /**
   * Builds it, and looks what became of the folder: nothing that was there is changed, and nothing is new but its outputs.
   * @param outputs paths, or folders, that the build makes
   * @returns what it printed
   */
  async build(line: string, outputs: readonly string[], terminal = false): Promise<string> {
    const before = listing(this.folder);
    const output = await this.run(line, terminal);
    const isOutput = (one: string): boolean =>
      outputs.some((name) => one === `${name}/` || one.startsWith(`${name}/`) || one.startsWith(`${name} `));
    const changes = listing(this.folder).filter((one) => !before.includes(one) && !isOutput(one));
    const gone = before.filter((one) => !listing(this.folder).includes(one) && !isOutput(one));
    assert.deepEqual({ changes, gone }, { changes: [], gone: [] }, output);
    return output;
  }

  /** Runs a line to its end, which must be a good one. */
  async run(line: string, terminal: boolean): Promise<string> {
    const stdio = terminal ? { terminal: { columns: 80, rows: 24 } } : {};
    const command = { file: "bash", args: ["-ec", line], ...stdio };
    const { process, ended } = await api.sandbox.run(command, "build", { workspace: this.folder });
    process.stdin?.end();
    const [out, err, { status, warnings }] = await Promise.all([
      process.stdout ? text(process.stdout) : process.terminal ? text(process.terminal.output) : "",
      process.stderr ? text(process.stderr) : "",
      ended,
    ]);
    const output = `${out}${err}`.replaceAll("\r\n", "\n");
    assert.equal(status.code, 0, `${JSON.stringify(status)}\n${output}`);
    assert.deepEqual(warnings, []);
    return output;
  }

  remove(): void {
    removeTemp(this.#root);
  }
}
