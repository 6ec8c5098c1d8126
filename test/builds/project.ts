// A project of somebody's, and a way to build it as a developer would: a line of shell in the workspace, under the
// unmodified `build` profile, with the user's real home folder and toolchains.

import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { listing } from "../native/sandbox-world";
import { LIBRARY } from "../support/library";
import { skipBecause } from "../support/skip";
import { makeTemp, removeTemp } from "../support/temp";

const execFileAsync = promisify(execFile);

const api: typeof import("../../src/api") = require(LIBRARY);

/** Skips the test, naming what is not there. */
export function needs(context: Mocha.Context, ...commands: string[]): void {
  const missing = commands.filter((name) => spawnSync("sh", ["-c", `command -v "$0"`, name]).status !== 0);
  if (missing.length > 0) skipBecause(context, `no ${missing.join(", no ")} on this machine`);
}

export class Project {
  /** Holds the project, and what lies beside it. */
  readonly root = makeTemp("project");
  readonly folder = join(this.root, "project");
  /** Another home folder than the user's own, where a test fills caches. */
  #home: string | undefined;

  constructor() {
    mkdirSync(this.folder);
  }

  /** Files by their path in the project. Scripts, known by their first line, can be run. */
  add(files: Readonly<Record<string, string>>, folder = this.folder): void {
    for (const [name, content] of Object.entries(files)) {
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content, { mode: content.startsWith("#!") ? 0o755 : 0o644 });
    }
  }

  /** From now on the home folder is a new one, with the user's toolchains and without the user's caches. */
  moveHome(): void {
    this.#home = join(this.root, "home");
    mkdirSync(this.#home);
    for (const name of [".rustup", ".pyenv"]) {
      if (existsSync(join(homedir(), name))) symlinkSync(join(homedir(), name), join(this.#home, name));
    }
  }

  /** The user's variables but for those that say where caches are. */
  get #environment(): Record<string, string> | undefined {
    if (this.#home === undefined) return undefined;
    const { PATH = "", LANG = "C.UTF-8" } = process.env;
    return { PATH, LANG, HOME: this.#home };
  }

  /** What the developer does outside of any sandbox, to prepare. */
  async outside(line: string, cwd = this.folder): Promise<void> {
    const env = this.#environment ?? process.env;
    await execFileAsync("bash", ["-ec", line], { cwd, env, encoding: "utf8" });
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
    const after = listing(this.folder);
    const [known, kept] = [new Set(before), new Set(after)];
    const changes = after.filter((one) => !known.has(one) && !isOutput(one));
    const gone = before.filter((one) => !kept.has(one) && !isOutput(one));
    assert.deepEqual({ changes, gone }, { changes: [], gone: [] }, output);
    return output;
  }

  /** Runs a line to its end, which must be a good one. */
  async run(line: string, terminal: boolean): Promise<string> {
    const stdio = terminal ? { terminal: { columns: 80, rows: 24 } } : {};
    const env = this.#environment;
    const command = { file: "bash", args: ["-ec", line], ...stdio, ...(env === undefined ? {} : { env }) };
    const context = { workspace: this.folder, ...(this.#home === undefined ? {} : { home: this.#home }) };
    const { process, ended } = await api.sandbox.run(command, "build", context);
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
    removeTemp(this.root);
  }
}
