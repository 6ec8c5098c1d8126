// Workspace trust is on, and the folder is not trusted: nothing of ours runs, until the user trusts it.

import * as assert from "node:assert/strict";
import { waitUntil } from "../support/processes";
import { useSampleWorkbench } from "./sample-workbench";
import { commandTitles, runCommand, screenshot } from "./workbench";

describe("in a folder that is not trusted", function () {
  this.timeout(120_000);

  const sample = useSampleWorkbench({ workspaceTrust: true, extensionsEnabled: false });

  it("offers no command that runs anything", async () => {
    const { page } = sample.workbench;
    assert.deepEqual(
      (await commandTitles(page, "Sandbox:")).filter((title) => title.startsWith("Sandbox:")),
      [],
    );
    await screenshot(page, "14-restricted-mode");
  });

  it("offers them once the folder is trusted", async () => {
    const { page } = sample.workbench;
    await runCommand(page, "Workspaces: Manage Workspace Trust");
    await page.locator(".workspace-trust-editor .monaco-button", { hasText: /^Trust$/ }).click();
    await waitUntil("the palette offers our commands", async () =>
      (await commandTitles(page, "Sandbox: New")).some((title) => title.startsWith("Sandbox: New Sandboxed Terminal")),
    );
  });
});
