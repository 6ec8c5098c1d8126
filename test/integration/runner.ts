// Starts the integration suites: mocha inside a real extension host, against the packaged .vsix, through
// @vscode/test-electron. On a desktop in a desktop VS Code, elsewhere in VS Code in the browser.
//
// Usage: node runner.js SUITE, where SUITE is "." (this folder's tests, on the sample workspace) or a subfolder of tests
// with a workspace of its own.

import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { downloadAndUnzipVSCode, resolveCliArgsFromVSCodeExecutablePath, runTests } from "@vscode/test-electron";
import { makeTemp, removeTemp } from "../support/temp";
import { DESKTOP_SHIM, REPOSITORY, VSIX } from "../support/vscode-host/paths";
import { copyRepository, copySampleWorkspace, makeHome, type TemporaryFolder } from "../support/workspace";

/** Environment variable: "browser", "desktop", or the path of a desktop VS Code's executable. */
const HOST_VARIABLE = "SANDBOX_TASKS_TEST_VSCODE";

const INSTALL_LIMIT_MS = 120_000;

const STUB_EXTENSION = path.join(REPOSITORY, "test/fixtures/stub-extension");

/** What each suite opens. The repository's copy lives long enough for a whole build in it. */
const WORKSPACES: Record<string, () => TemporaryFolder> = {
  ".": copySampleWorkspace,
  repository: copyRepository,
};

interface Host {
  readonly executable: string;
  readonly launchArgs: string[];
  remove(): void;
}

/** VS Code in the browser: installs the .vsix itself, and makes folders of its own. */
function browserHost(): Host {
  return { executable: DESKTOP_SHIM, launchArgs: [`--install-extension=${VSIX}`], remove: () => {} };
}

/** A desktop VS Code with fresh folders and the .vsix installed. */
function desktopHost(executable: string): Host {
  const root = makeTemp("desktop");
  const launchArgs = [
    `--user-data-dir=${path.join(root, "user")}`,
    `--extensions-dir=${path.join(root, "extensions")}`,
  ];
  const [cli, ...cliArgs] = resolveCliArgsFromVSCodeExecutablePath(executable, { reuseMachineInstall: true });
  if (cli === undefined) throw new Error(`No command line belongs to ${executable}.`);
  execFileSync(cli, [...cliArgs, ...launchArgs, `--install-extension=${VSIX}`, "--force"], {
    stdio: "inherit",
    timeout: INSTALL_LIMIT_MS,
  });
  return { executable, launchArgs, remove: () => removeTemp(root) };
}

async function chooseHost(): Promise<Host> {
  const hasDesktop = process.env.DISPLAY !== undefined || process.env.WAYLAND_DISPLAY !== undefined;
  const chosen = process.env[HOST_VARIABLE] ?? (hasDesktop ? "desktop" : "browser");
  if (chosen === "browser") return browserHost();
  if (chosen !== "desktop") return desktopHost(chosen);
  const executable = await downloadAndUnzipVSCode().catch((error: unknown) => {
    // Told, not hidden: it is the same suite and the same extension host, in another shell.
    console.log(`A desktop VS Code cannot be downloaded (${String(error)}): testing in VS Code in the browser.`);
    return undefined;
  });
  return executable === undefined ? browserHost() : desktopHost(executable);
}

async function main(suite: string): Promise<void> {
  const makeWorkspace = WORKSPACES[suite];
  if (makeWorkspace === undefined) {
    throw new Error(`No suite "${suite}"; there are ${Object.keys(WORKSPACES).join(", ")}.`);
  }
  if (!fs.existsSync(VSIX)) throw new Error(`No packaged extension at ${VSIX}: run "npm run package" first.`);
  const host = await chooseHost();
  const workspace = makeWorkspace();
  const home = makeHome();
  try {
    await runTests({
      vscodeExecutablePath: host.executable,
      extensionDevelopmentPath: STUB_EXTENSION,
      extensionTestsPath: path.join(__dirname, "index.js"),
      launchArgs: [workspace.path, ...host.launchArgs],
      extensionTestsEnv: { HOME: home.path, SANDBOX_TASKS_TEST_SUITE: suite },
    });
  } finally {
    workspace.remove();
    home.remove();
    host.remove();
  }
}

main(process.argv[2] ?? ".").catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
