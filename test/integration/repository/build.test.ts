// The main job on real input: this repository, opened as the workspace, builds itself in a sandbox, with its compiler,
// its linker and its bundler, and the result is the same as outside.

import * as assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import * as vscode from "vscode";
import { Command } from "../../../src/contributions";
import { waitUntil } from "../../support/processes";
import { REPOSITORY } from "../../support/vscode-host/paths";
import { api, inWorkspace, nextEnd } from "../sandboxTasks";

const BUILD_LIMIT_MS = 5 * 60_000;

/** SHA-256 of every file below a folder, by relative path. */
function hashes(folder: string): Record<string, string> {
  const files = fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files
      .map((entry) => path.join(entry.parentPath, entry.name))
      .sort()
      .map((file) => [path.relative(folder, file), createHash("sha256").update(fs.readFileSync(file)).digest("hex")]),
  );
}

describe("this repository as the workspace", () => {
  it("builds itself in a sandbox, and leaves the same dist/ as outside", async function () {
    this.timeout(BUILD_LIMIT_MS);
    await api();
    assert.ok(!fs.existsSync(inWorkspace("dist")), "nothing is built before");
    const before = fs.readdirSync(inWorkspace()).sort();

    const name = "build";
    // npm's own extension begins to look for scripts only now.
    await waitUntil("VS Code knows the script", async () =>
      (await vscode.tasks.fetchTasks({ type: "npm" })).some((task) => task.name === name),
    );
    const end = nextEnd(name);
    await vscode.commands.executeCommand(Command.RunTask, name, "build");
    assert.equal(await end, 0, "exit code of npm run build");

    assert.deepEqual(hashes(inWorkspace("dist")), hashes(path.join(REPOSITORY, "dist")));
    const added = fs.readdirSync(inWorkspace()).filter((entry) => !before.includes(entry));
    assert.deepEqual(added, ["dist"], "nothing else appeared in the workspace");
  });
});
