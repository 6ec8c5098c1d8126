// npm run package: makes sandbox-tasks-linux-x64.vsix, and refuses one that lacks the addon or has grown too big.

import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./files.mjs";
import { buildIfStale } from "./run.mjs";
import { zipEntries } from "./zip.mjs";

const VSIX = "sandbox-tasks-linux-x64.vsix";
const LIMIT = 2 * 1024 * 1024;

/** Without any of these the extension does not work, or the Marketplace refuses it. */
const REQUIRED = [
  "package.json",
  "package.nls.json",
  "readme.md",
  "changelog.md",
  "LICENSE.txt",
  "ThirdPartyNotices.txt",
  "media/icon.png",
  "dist/extension.js",
  "dist/schemas.js",
  "dist/dbus.js",
  "dist/native/spawner.node",
  "dist/native/sandbox-init",
];

/** Time of the last commit, so that two packages of one commit are the same; without git, a fixed time. */
function sourceDate() {
  const git = spawnSync("git", ["log", "-1", "--format=%ct"], { cwd: ROOT, encoding: "utf8" });
  return git.status === 0 ? git.stdout.trim() : "1700000000";
}

function makeVsix() {
  const vsce = join(ROOT, "node_modules/@vscode/vsce/vsce");
  const args = [vsce, "package", "--target", "linux-x64", "--no-dependencies", "--out", VSIX];
  const env = { ...process.env, SOURCE_DATE_EPOCH: process.env.SOURCE_DATE_EPOCH ?? sourceDate() };
  const run = spawnSync(process.execPath, args, {
    cwd: ROOT,
    encoding: "utf8",
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (run.status === 0) return;
  throw new Error(`vsce package failed (${run.error?.message ?? run.status}):\n${run.stdout}${run.stderr}`.trimEnd());
}

function checkVsix() {
  const entries = zipEntries(join(ROOT, VSIX));
  const names = entries.map((entry) => entry.name.replace(/^extension\//, ""));
  for (const { name, size } of entries) console.log(`${String(size).padStart(9)}  ${name}`);
  const size = statSync(join(ROOT, VSIX)).size;
  console.log(`${VSIX}: ${(size / 1024).toFixed(0)} KiB, ${entries.length} files`);

  const missing = REQUIRED.filter((name) => !names.includes(name));
  if (missing.length > 0) throw new Error(`${VSIX} lacks ${missing.join(", ")}: see .vscodeignore and npm run build`);
  if (size > LIMIT) throw new Error(`${VSIX} has ${size} bytes, more than the ${LIMIT} allowed`);
}

try {
  buildIfStale();
  makeVsix();
  checkVsix();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
