// Fresh copies of what tests work on, so that no test sees what another one left, and nothing in the repository changes.

import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { makeTemp, removeTemp } from "./temp";
import { REPOSITORY, SAMPLE_WORKSPACE } from "./vscode-host/paths";

/** What the planted private key says; no sandbox may print it. */
export const PLANTED_SECRET = "planted-by-the-test-suite: not a real key";

export interface TemporaryFolder {
  readonly path: string;
  remove(): void;
}

/** A copy of the sample workspace. */
export function copySampleWorkspace(): TemporaryFolder {
  const root = makeTemp("workspace");
  const folder = path.join(root, "sample-workspace");
  fs.cpSync(SAMPLE_WORKSPACE, folder, { recursive: true });
  return { path: folder, remove: () => removeTemp(root) };
}

/**
 * A copy of this repository as a developer has it after `npm ci`: the tracked files with their changes, and
 * node_modules; nothing that a build made.
 */
export function copyRepository(): TemporaryFolder {
  const root = makeTemp("repository");
  const folder = path.join(root, path.basename(REPOSITORY));
  fs.mkdirSync(folder);
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: REPOSITORY,
    encoding: "utf8",
  });
  for (const file of listed.split("\0")) {
    // Listed and gone: removed, and not yet told git.
    if (file === "" || !fs.existsSync(path.join(REPOSITORY, file))) continue;
    fs.cpSync(path.join(REPOSITORY, file), path.join(folder, file));
  }
  execFileSync("cp", ["-a", "--reflink=auto", path.join(REPOSITORY, "node_modules"), folder]);
  return { path: folder, remove: () => removeTemp(root) };
}

/** A home folder with what a thief would look for in it. */
export function makeHome(): TemporaryFolder {
  const home = makeTemp("home");
  const secrets: Record<string, string> = {
    ".ssh/id_ed25519": `${PLANTED_SECRET}\n`,
    ".aws/credentials": `[default]\naws_secret_access_key = ${PLANTED_SECRET}\n`,
    ".bash_history": `export TOKEN='${PLANTED_SECRET}'\n`,
    ".npmrc": "fund=false\n",
  };
  for (const [name, content] of Object.entries(secrets)) {
    const file = path.join(home, name);
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    fs.writeFileSync(file, content, { mode: 0o600 });
  }
  return { path: home, remove: () => removeTemp(home) };
}
