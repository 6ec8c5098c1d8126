// Starts VS Code for the browser on a free port of 127.0.0.1, with nothing of the user's in it: fresh settings, fresh
// extensions, a process group of its own. Closing it ends every process and removes every file of it.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { endGroup, endMarked, MARK, type MarkedProcess, waitUntil } from "../processes";
import { makeTemp, removeTemp } from "../temp";
import { type HostInstall, installHost } from "./install";

const START_LIMIT_MS = 60_000;
const INSTALL_EXTENSION_LIMIT_MS = 120_000;

/** Settings that keep a fresh VS Code from talking, asking and phoning home. */
const QUIET: Record<string, unknown> = {
  "chat.disableAIFeatures": true,
  "extensions.autoCheckUpdates": false,
  "extensions.autoUpdate": false,
  "extensions.ignoreRecommendations": true,
  "git.enabled": false,
  "git.openRepositoryInParentFolders": "never",
  "security.workspace.trust.startupPrompt": "never",
  "telemetry.telemetryLevel": "off",
  // Text of a terminal is in the page then, and not in a picture: tests and screen readers can read it.
  "terminal.integrated.gpuAcceleration": "off",
  "terminal.integrated.enablePersistentSessions": false,
  "update.mode": "none",
  // Settings and trust over all the rest would keep keys from it.
  "workbench.editor.useModal": "off",
  "window.restoreWindows": "none",
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
};

export interface ServerOptions {
  /** Packaged extensions to install. */
  readonly vsix?: readonly string[];
  /** User settings, on top of the quiet ones. */
  readonly settings?: Record<string, unknown>;
  /** Leave workspace trust on. Default: off, every folder is trusted. */
  readonly workspaceTrust?: boolean;
  /** Let the page's test driver in, without which a built VS Code ignores extensionTestsPath. */
  readonly testDriver?: boolean;
  /** Added to the environment of the server, and so of the extension host and of every task. */
  readonly env?: Record<string, string>;
  /** A program and its arguments that start the server: to take something away from it. Default: none. */
  readonly wrapper?: readonly string[];
  /** Ask for this password at the door. Default: none is asked; the port is open to this machine alone. */
  readonly password?: string;
  readonly log?: (line: string) => void;
}

export interface VsCodeServer {
  /** http://127.0.0.1:PORT, without a slash at the end. */
  readonly url: string;
  readonly authority: string;
  /** The server's own process; the extension host is below it. */
  readonly pid: number;
  /** Everything that the server printed. */
  output(): string;
  /** Address that opens a folder, or a workspace of several by its .code-workspace file. */
  folderUrl(opened: string): string;
  /** End it. Returns the processes that had not ended by themselves and were killed: a leak, for a test to report. */
  close(): Promise<MarkedProcess[]>;
}

interface Folders {
  readonly root: string;
  readonly userData: string;
  readonly extensions: string;
}

function makeFolders(settings: Record<string, unknown>): Folders {
  const root = makeTemp("host");
  const folders = { root, userData: path.join(root, "user"), extensions: path.join(root, "extensions") };
  const user = path.join(folders.userData, "User");
  for (const folder of [user, folders.extensions, path.join(root, "tmp")]) fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(user, "settings.json"), `${JSON.stringify({ ...QUIET, ...settings }, undefined, 2)}\n`);
  fs.writeFileSync(path.join(root, "config.yaml"), "cert: false\n");
  return folders;
}

/** Our own environment without what npm and another VS Code left in it, so that a task sees what a user's would. */
function serverEnvironment(folders: Folders, mark: string, options: ServerOptions): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value === undefined || /^(npm_|VSCODE_|ELECTRON_|INIT_CWD$|NODE_OPTIONS$|PASSWORD$)/.test(name)) continue;
    env[name] = value;
  }
  // npm puts the project's node_modules/.bin in front of PATH.
  env.PATH = (env.PATH ?? "")
    .split(":")
    .filter((folder) => !/\/node_modules\/(\.bin$|npm\/node_modules\/)/.test(folder))
    .join(":");
  return {
    ...env,
    [MARK]: mark,
    // Sockets and logs of the server: into the folder that is removed at the end.
    TMPDIR: path.join(folders.root, "tmp"),
    XDG_DATA_HOME: path.join(folders.root, "data"),
    XDG_CONFIG_HOME: path.join(folders.root, "config"),
    XDG_CACHE_HOME: path.join(folders.root, "cache"),
    XDG_RUNTIME_DIR: path.join(folders.root, "tmp"),
    ...(options.password === undefined ? {} : { PASSWORD: options.password }),
    ...options.env,
  };
}

function commonArguments(host: HostInstall, folders: Folders): string[] {
  return [
    host.entry,
    `--config=${path.join(folders.root, "config.yaml")}`,
    `--user-data-dir=${folders.userData}`,
    `--extensions-dir=${folders.extensions}`,
  ];
}

function installExtension(host: HostInstall, folders: Folders, vsix: string, env: Record<string, string>): void {
  if (!fs.existsSync(vsix)) throw new Error(`No packaged extension at ${vsix}: run "npm run package" first.`);
  const run = spawnSync(host.node, [...commonArguments(host, folders), `--install-extension=${vsix}`, "--force"], {
    encoding: "utf8",
    env,
    timeout: INSTALL_EXTENSION_LIMIT_MS,
  });
  // It answers 0 for some failures too, and says so only in words.
  if (run.status !== 0 || !/successfully installed/i.test(run.stdout)) {
    const why = run.error?.message ?? `exit code ${run.status ?? run.signal}`;
    throw new Error(`VS Code did not install ${vsix}: ${why}\n${run.stdout}${run.stderr}`.trimEnd());
  }
}

/** Folders of extensions that VS Code has installed, by their packages: it takes seconds for that, and a copy none. */
const installed = new Map<string, string>();

function extensionsOf(host: HostInstall, vsix: readonly string[]): string {
  const key = vsix.join("\n");
  let folder = installed.get(key);
  if (folder === undefined) {
    const folders = makeFolders({});
    process.once("exit", () => removeTemp(folders.root));
    for (const one of vsix) installExtension(host, folders, one, serverEnvironment(folders, randomUUID(), {}));
    folder = folders.extensions;
    installed.set(key, folder);
  }
  return folder;
}

/** Wait for the line that tells the port; a server that ends before that has failed. */
async function waitForPort(child: ChildProcess, output: () => string): Promise<number> {
  return waitUntil(
    "VS Code listens",
    () => {
      const port = /HTTP server listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(output())?.[1];
      if (port !== undefined) return Number(port);
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new Error(`VS Code ended at once (${child.exitCode ?? child.signalCode}):\n${output()}`);
      }
      return undefined;
    },
    START_LIMIT_MS,
  );
}

/**
 * Start VS Code for the browser. The caller closes it.
 * @throws Error with what the server printed, when it does not start; nothing is left then
 */
export async function startServer(options: ServerOptions = {}): Promise<VsCodeServer> {
  const host = installHost(options.log ?? console.log);
  const folders = makeFolders(options.settings ?? {});
  const mark = randomUUID();
  const env = serverEnvironment(folders, mark, options);
  let output = "";
  let child: ChildProcess | undefined;

  const close = async (): Promise<MarkedProcess[]> => {
    if (child?.pid !== undefined) await endGroup(child.pid);
    const left = await endMarked(mark);
    removeTemp(folders.root);
    return left;
  };

  try {
    fs.cpSync(extensionsOf(host, options.vsix ?? []), folders.extensions, { recursive: true });
    const args = [
      ...commonArguments(host, folders),
      `--auth=${options.password === undefined ? "none" : "password"}`,
      "--bind-addr=127.0.0.1:0",
      "--disable-telemetry",
      "--disable-update-check",
      "--disable-getting-started-override",
      "--disable-proxy",
      "--ignore-last-opened",
      ...(options.workspaceTrust === true ? [] : ["--disable-workspace-trust"]),
      ...(options.testDriver === true ? ["--vscode-option=enable-smoke-test-driver=true"] : []),
    ];
    // detached: a process group of its own, which can be ended as a whole.
    const [file = host.node, ...before] = [...(options.wrapper ?? []), host.node];
    child = spawn(file, [...before, ...args], { env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    const collect = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout?.on("data", collect);
    child.stderr?.on("data", collect);
    child.on("error", (error) => {
      output += `${error.message}\n`;
    });
    const port = await waitForPort(child, () => output);
    const authority = `127.0.0.1:${port}`;
    return {
      url: `http://${authority}`,
      authority,
      pid: child.pid ?? -1,
      output: () => output,
      folderUrl: (opened) => {
        const kind = opened.endsWith(".code-workspace") ? "workspace" : "folder";
        return `http://${authority}/?${kind}=${encodeURIComponent(opened)}`;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
