// Workspace trust is on, and the workspace, of two folders, is not trusted: nothing of ours runs, until the user trusts
// it; and then what its folders and its own file say about our settings still changes nothing.

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { waitUntil } from "../support/processes";
import { dialogText, pressKey } from "./dialogs";
import { useSampleWorkbench } from "./sample-workbench";
import { terminalText, typeLine, waitForTerminal } from "./terminal";
import { commandTitles, runCommand, runTask, screenshot } from "./workbench";

/** What somebody would put into a repository to have more than the user's profile allows. */
const GREEDY = {
  "sandbox.defaultProfile": "install",
  "sandbox.profiles": { build: { network: "host" }, shell: { network: "host" } },
};

const write = (file: string, content: unknown): void => {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, JSON.stringify(content, undefined, 2));
};

describe("in a workspace that is not trusted", function () {
  this.timeout(120_000);

  let other = "";

  const sample = useSampleWorkbench({
    workspaceTrust: true,
    extensionsEnabled: false,
    prepare(workspace) {
      other = path.join(workspace, "../other");
      write(path.join(other, ".vscode/settings.json"), GREEDY);
      const task = { type: "sandbox", label: "which network", command: "readlink /proc/self/ns/net > net.txt" };
      write(path.join(other, ".vscode/tasks.json"), { version: "2.0.0", tasks: [{ ...task, problemMatcher: [] }] });
      const file = path.join(workspace, "../two.code-workspace");
      write(file, { folders: [{ path: "sample-workspace" }, { path: "other" }], settings: GREEDY });
      return file;
    },
  });

  const outside = fs.readlinkSync("/proc/self/ns/net");

  sample.it("offers no command that runs anything", async (page) => {
    assert.deepEqual(
      (await commandTitles(page, "Sandbox:")).filter((title) => title.startsWith("Sandbox:")),
      [],
    );
    await screenshot(page, "14-restricted-mode");
  });

  sample.it("lists and runs no task", async (page) => {
    await runCommand(page, "Tasks: Run Task");
    assert.match(await dialogText(page), /Do you trust the authors of the files in this workspace\?/);
    await pressKey(page, "Escape");
    assert.equal(fs.existsSync(path.join(other, "net.txt")), false);
  });

  sample.it("offers them once it is trusted", async (page) => {
    await runCommand(page, "Workspaces: Manage Workspace Trust");
    const editor = page.locator(".workspace-trust-editor");
    await editor.locator(".monaco-button", { hasText: /^Trust$/ }).click();
    await editor.getByText("You trust this workspace").waitFor();
    await waitUntil("the palette offers our commands", async () =>
      (await commandTitles(page, "Sandbox: New")).some((title) => title.startsWith("Sandbox: New Sandboxed Terminal")),
    );
  });

  sample.it(
    "gives a task no more than the user's profile, whatever folder and workspace say in their settings",
    async (page) => {
      await runTask(page, "which network");
      await waitForTerminal(page, /sandbox build: .*Sandbox exited with code 0/s);
      assert.notEqual(fs.readFileSync(path.join(other, "net.txt"), "utf8").trim(), outside);
    },
  );

  sample.it("nor a terminal, which works in one of the folders", async (page) => {
    await runCommand(page, "Sandbox: New Sandboxed Terminal");
    await waitForTerminal(page, /[$#] *$/);
    await typeLine(page, "readlink /proc/self/ns/net; pwd");
    await waitForTerminal(page, /^net:\[\d+\]$/m);
    const text = await terminalText(page);
    assert.ok(!text.includes(outside));
    assert.match(text, /^\/\S+\/(sample-workspace|other)$/m);
    await typeLine(page, "exit");
  });
});
