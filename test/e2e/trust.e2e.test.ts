// Workspace trust is on, and the folder is not trusted: nothing of ours runs, until the user trusts it.

import * as assert from "node:assert/strict";
import { waitUntil } from "../support/processes";
import { VSIX } from "../support/vscode-host/paths";
import { copySampleWorkspace, makeHome, type TemporaryFolder } from "../support/workspace";
import { commandTitles, openWorkbench, runCommand, screenshot, type Workbench } from "./workbench";

describe("in a folder that is not trusted", function () {
  this.timeout(120_000);

  let workspace: TemporaryFolder;
  let home: TemporaryFolder;
  let workbench: Workbench;

  before(async () => {
    workspace = copySampleWorkspace();
    home = makeHome();
    workbench = await openWorkbench(workspace.path, {
      vsix: [VSIX],
      env: { HOME: home.path },
      workspaceTrust: true,
      extensionsEnabled: false,
    });
  });

  after(async () => {
    const left = await workbench?.close();
    workspace?.remove();
    home?.remove();
    assert.deepEqual(left ?? [], [], "processes outlived the editor");
  });

  it("offers no command that runs anything", async () => {
    const { page } = workbench;
    assert.deepEqual(
      (await commandTitles(page, "Sandbox:")).filter((title) => title.startsWith("Sandbox:")),
      [],
    );
    await screenshot(page, "14-restricted-mode");
  });

  it("offers them once the folder is trusted", async () => {
    const { page } = workbench;
    await runCommand(page, "Workspaces: Manage Workspace Trust");
    await page.locator(".workspace-trust-editor .monaco-button", { hasText: /^Trust$/ }).click();
    await waitUntil("the palette offers our commands", async () =>
      (await commandTitles(page, "Sandbox: New")).some((title) => title.startsWith("Sandbox: New Sandboxed Terminal")),
    );
  });
});
