// npm start: builds and packages the extension and opens VS Code with it on a copy of the sample workspace: a desktop VS
// Code where there is one, else VS Code in the browser, on 127.0.0.1. Ctrl-C ends everything and removes everything.
//
// Options: --browser (also where a desktop VS Code is), --password (the browser asks for one, printed here).

import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "./files.mjs";
import { compileHost, runNode } from "./run.mjs";
import { findCommand } from "./system-packages.mjs";

const VSIX = join(ROOT, "sandbox-tasks-linux-x64.vsix");

/** A copy, because trying things out changes it. */
function copyWorkspace(folder) {
  const workspace = join(folder, "sample-workspace");
  cpSync(join(ROOT, "test/fixtures/sample-workspace"), workspace, { recursive: true });
  return workspace;
}

/** `code` of a desktop VS Code, when there is a screen to open it on. */
function desktopCode() {
  const hasScreen = Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
  return hasScreen ? findCommand("code") : undefined;
}

/** Resolves when the window is closed. The user's own settings and extensions are left alone. */
async function startDesktop(code, workspace, folder) {
  const user = join(folder, "user");
  mkdirSync(join(user, "User"), { recursive: true });
  const settings = { "workbench.startupEditor": "none", "security.workspace.trust.enabled": false };
  writeFileSync(join(user, "User/settings.json"), JSON.stringify(settings));
  const folders = [`--user-data-dir=${user}`, `--extensions-dir=${join(folder, "extensions")}`];
  // VS Code refuses to start as root without this.
  if (process.getuid?.() === 0) folders.push("--no-sandbox");
  const install = spawnSync(code, [...folders, `--install-extension=${VSIX}`, "--force"], { stdio: "inherit" });
  if (install.status !== 0) throw new Error(`${code} --install-extension ${VSIX} failed (${install.status})`);
  console.log(`\nVS Code opens on the desktop, with the sample workspace ${workspace}.`);
  console.log("Closing its window, or Ctrl-C here, ends it.");
  const child = spawn(code, [...folders, "--wait", "--new-window", workspace, join(workspace, "README.md")], {
    stdio: "inherit",
  });
  await Promise.race([new Promise((resolve) => child.on("exit", resolve)), interrupted()]);
  child.kill();
}

/** Resolves at Ctrl-C, or when we are told to end. */
function interrupted() {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => resolve(signal));
  });
}

async function startBrowser(workspace, { askPassword }) {
  compileHost();
  const { startServer } = createRequire(import.meta.url)(join(ROOT, "out/test/support/vscode-host/server.js"));
  const password = askPassword ? randomBytes(9).toString("base64url") : undefined;
  const end = interrupted();
  const server = await startServer({
    vsix: [VSIX],
    password,
    log: console.log,
    // The guide of the sample workspace is open when VS Code is.
    settings: { "workbench.startupEditor": "readme" },
  });
  try {
    console.log("\nVS Code with Sandbox Tasks and a sample workspace runs at");
    console.log(`\n  ${server.folderUrl(workspace)}\n`);
    if (password !== undefined) console.log(`Password: ${password}`);
    else console.log("Whoever is logged in on this machine can open it while it runs; --password asks for one.");
    console.log("Open the address in a browser on this machine. Ctrl-C ends it and removes its files.");
    await end;
    console.log("\nEnding VS Code.");
  } finally {
    const left = await server.close();
    for (const { pid, command } of left) console.error(`Had to be killed: ${pid} ${command}`);
  }
}

async function main() {
  const options = process.argv.slice(2);
  const unknown = options.filter((option) => !["--browser", "--password"].includes(option));
  if (unknown.length > 0) throw new Error(`Unknown option ${unknown.join(", ")}; there are --browser and --password.`);

  runNode("scripts/package.mjs");
  const folder = mkdtempSync(join(tmpdir(), "sbx-start-"));
  try {
    const workspace = copyWorkspace(folder);
    const code = options.includes("--browser") ? undefined : desktopCode();
    if (code !== undefined) await startDesktop(code, workspace, folder);
    else await startBrowser(workspace, { askPassword: options.includes("--password") });
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
