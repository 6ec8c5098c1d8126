// Where the repository and the VS Code that it is tested in are. This file runs from out/test/support/vscode-host.

import * as path from "node:path";

/** Root folder of the repository. */
export const REPOSITORY = path.resolve(__dirname, "../../../..");

/** Ignored by git; removing it is always safe, the next run installs it again. */
export const HOST_FOLDER = path.join(REPOSITORY, ".vscode-host");

/** Executable that takes the flags of a desktop VS Code's test run. */
export const DESKTOP_SHIM = path.join(REPOSITORY, "test/support/vscode-host/code");

export const SAMPLE_WORKSPACE = path.join(REPOSITORY, "test/fixtures/sample-workspace");

/** What the last test run left to look at: screenshots, logs, reports. Ignored by git. */
export const TEST_RESULTS = path.join(REPOSITORY, "test-results");

/** The packaged extension, as scripts/package.mjs leaves it. */
export const VSIX = path.join(REPOSITORY, "sandbox-tasks-linux-x64.vsix");
