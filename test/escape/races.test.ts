// Races against the mounts: while sandboxes start, a folder in the workspace changes places with a link that leads to
// the user's keys, thousands of times a second. Whatever each sandbox sees, nothing behind the link is shown or written.

import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { LIBRARY } from "../support/library";
import { program } from "../support/programs";
import { Bait } from "./bait";

const api: typeof import("../../src/api") = require(LIBRARY);

type Ref = Parameters<typeof api.sandbox.run>[1];

/** Sandboxes a race. By path, about every second mount would follow the link. */
const STARTS = 20;

/** As many at most until one has run: a repository must be itself at several looks, or the sandbox is refused. */
const MOST_STARTS = 400;

describe("escape by a race", () => {
  let bait: Bait;
  let keys: string;
  let exchange: ChildProcess | undefined;

  beforeEach(() => {
    bait = new Bait();
    keys = join(bait.home, ".keys");
    for (const name of ["file", "config", "hooks/pre-commit", "tasks.json", "inner/file"]) bait.write(join(keys, name));
  });
  afterEach(async () => {
    await stop();
    await bait.remove();
  });

  /** Until it is told to stop, a folder of the workspace and a link to the keys change places. */
  async function race(name: string): Promise<void> {
    const link = join(bait.workspace, "racing-link");
    fs.symlinkSync(keys, link);
    exchange = spawn(program("attempt"), ["exchange", join(bait.workspace, name), link], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    await once(exchange, "spawn");
  }

  async function stop(): Promise<void> {
    if (exchange === undefined || exchange.exitCode !== null) return;
    const ended = once(exchange, "exit");
    exchange.stdin?.end();
    assert.deepEqual(await ended, [0, null], "the race went on to the end");
  }

  /** One sandbox that prints and writes what it can. @returns what it printed; undefined when it was refused */
  async function tryOnce(profile: Ref, names: readonly string[]): Promise<string | undefined> {
    const line = names.map((name) => `cat ${name}/*; echo mark > ${name}/written`).join("; ");
    const command = { file: "sh", args: ["-c", `${line}; find . -type f -size -9 -exec cat {} +`] };
    try {
      const { process, ended } = await api.sandbox.run(command, profile, bait);
      process.stdin?.end();
      const [out] = await Promise.all([
        process.stdout ? text(process.stdout) : "",
        process.stderr ? text(process.stderr) : "",
        ended,
      ]);
      return out;
    } catch (error) {
      // A link where a folder was asked for is refused, and must be by name.
      assert.match(String(error), /^(SandboxError|ProfileError|SpawnError)/);
      return undefined;
    }
  }

  async function holds(name: string, profile: Ref, names: readonly string[]): Promise<void> {
    const before = fs.readdirSync(keys, { recursive: true }).sort();
    await race(name);
    let ran = 0;
    for (let at = 0; at < STARTS || (ran === 0 && at < MOST_STARTS); at++) {
      const out = await tryOnce(profile, names);
      if (out !== undefined) ran++;
      assert.ok(!out?.includes(bait.secret), "a sandbox showed what lies behind the link");
    }
    await stop();
    assert.ok(ran > 0, "some of them ran");
    assert.deepEqual(fs.readdirSync(keys, { recursive: true }).sort(), before);
    assert.equal(fs.readFileSync(join(keys, "config"), "utf8"), `${bait.secret}\n`);
  }

  it("follows the link when mounts are made by path: the race is real", async () => {
    await race("folder");
    const script = `
      for turn in $(seq 200); do
        mount --bind "$1" "$2" 2>/dev/null || continue
        read -r line < "$2/file" && case $line in harmless) own=1 ;; *) followed=1 ;; esac
        umount "$2"
        test -n "$own" && test -n "$followed" && echo "$line" && exit
      done`;
    const folder = join(bait.workspace, "folder");
    const run = spawnSync("unshare", ["-Urm", "sh", "-c", script, "sh", folder, bait.empty], { encoding: "utf8" });
    assert.notEqual(run.stdout, "", `in 200 mounts it was always one of both: ${run.stderr}`);
  });

  it("shows nothing behind a repository that becomes a link", () => holds(".git", "build", [".git", ".git/hooks"]));

  it("shows nothing behind the editor's folder", () => holds(".vscode", "build", [".vscode"]));

  it("shows and opens nothing behind a folder that the profile makes writable", () =>
    holds("folder", { extends: "strict", filesystem: { write: ["folder"] } }, ["folder"]));

  it("shows nothing behind what a pattern makes writable", () =>
    holds("folder", { extends: "strict", filesystem: { write: ["fold*", "folder/*"] } }, ["folder"]));

  it("shows nothing behind the parent of a folder that the profile makes writable", async () => {
    bait.write(join(bait.workspace, "folder/inner/file"), "harmless\n");
    await holds("folder", { extends: "strict", filesystem: { write: ["folder/inner"] } }, ["folder/inner"]);
  });

  it("shows nothing behind a folder that the profile hides", () =>
    holds("folder", { extends: "build", filesystem: { hide: ["folder"] } }, ["folder"]));
});
