// A home folder, a workspace and a way to run a line of shell in a sandbox, for the tests that need the real thing.

import { lstatSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { LIBRARY } from "../support/library";
import { SLOWNESS } from "../support/slowness";

/** The built library, as another program would load it. */
export const api: typeof import("../../src/api") = require(LIBRARY);

type Ref = Parameters<typeof api.sandbox.run>[1];
type Command = Parameters<typeof api.sandbox.run>[0];

export interface Outcome {
  readonly code: number | null;
  /** stdout, then stderr. */
  readonly output: string;
  readonly warnings: readonly string[];
}

export class World {
  readonly #started: Awaited<ReturnType<typeof api.sandbox.run>>[] = [];
  readonly root: string;
  readonly home: string;
  readonly workspace: string;

  /** @param parent where it is made; a folder for temporary files by default */
  constructor(parent = tmpdir()) {
    this.root = realpathSync(mkdtempSync(join(parent, "sandbox-world-")));
    this.home = join(this.root, "home");
    this.workspace = join(this.home, "project");
    mkdirSync(this.workspace, { recursive: true });
  }

  /** Makes a file, with the folders above it, below the root of this world. */
  write(path: string, content = `${path}\n`, mode = 0o644): string {
    const file = join(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content, { mode });
    return file;
  }

  /** A git directory as git makes it, by hand. */
  makeRepository(folder = "home/project"): void {
    this.write(`${folder}/.git/HEAD`, "ref: refs/heads/main\n");
    this.write(`${folder}/.git/config`, "[core]\n\tbare = false\n");
    this.write(`${folder}/.git/hooks/pre-commit`, "#!/bin/sh\necho original\n", 0o755);
  }

  get context(): { workspace: string; home: string } {
    return { workspace: this.workspace, home: this.home };
  }

  async start(script: string, profile: Ref = "build", more: Partial<Command> = {}): ReturnType<typeof api.sandbox.run> {
    const command = { file: "bash", args: ["-c", script], ...more };
    const sandbox = await api.sandbox.run(command, profile, this.context);
    this.#started.push(sandbox);
    return sandbox;
  }

  /** Runs a line of shell to its end. */
  async run(script: string, profile: Ref = "build", more: Partial<Command> = {}): Promise<Outcome> {
    const sandbox = await this.start(script, profile, more);
    sandbox.process.stdin?.end();
    const [out, err, ended] = await Promise.all([
      sandbox.process.stdout ? text(sandbox.process.stdout) : "",
      sandbox.process.stderr ? text(sandbox.process.stderr) : "",
      sandbox.ended,
    ]);
    return { code: ended.status.code, output: out + err, warnings: ended.warnings };
  }

  /** Ends what a failed test left running, and removes the folders. */
  async remove(): Promise<void> {
    await Promise.all(this.#started.map((sandbox) => sandbox.terminate(0)));
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Every path below a folder, with its kind and size: to compare before and after. */
export function listing(folder: string, prefix = ""): string[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const stats = lstatSync(join(folder, name));
      const at = `${prefix}${name}`;
      return stats.isDirectory()
        ? [`${at}/`, ...listing(join(folder, name), `${at}/`)]
        : [`${at} ${stats.mode.toString(8)} ${stats.size}`];
    });
}

/** Waits for something to become true, and says what it was when it does not. */
export async function until<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  // By the clock: on a slow machine a look takes much longer than the pause after it.
  const end = Date.now() + 15_000 * SLOWNESS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`Waited ${15 * SLOWNESS} s in vain until ${what}.`);
    await delay(20);
  }
}
