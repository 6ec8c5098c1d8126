// An editor whose system refuses what sandboxes are made of, as in a container with Docker's default filter: from the
// task that is not run to the line of the report that says what to do.

import * as assert from "node:assert/strict";
import { waitUntil } from "../support/processes";
import { program } from "../support/programs";
import { useSampleWorkbench } from "./sample-workbench";
import { followTerminalLink, waitForTerminal } from "./terminal";
import { notificationButton, notifications, openSandboxes, runCommand, runTask, screenshot } from "./workbench";

/** New namespaces, as clone(2) and unshare(2) take them. */
const FILTER = "clone3=ENOSYS,clone:0&0x7e020000=EPERM,unshare=EPERM";
const LINK = "Sandbox: Check This System (user namespace)";

describe("an editor that can't run sandboxes", function () {
  this.timeout(120_000);

  const sample = useSampleWorkbench({ wrapper: [program("refuse"), FILTER, "--"] });

  /** Text of the editor in front, as far as it is drawn. */
  async function editorText(): Promise<string> {
    const lines = await sample.workbench.page.locator(".editor-instance .view-line").allInnerTexts();
    return lines.map((line) => line.replaceAll("\u00a0", " ")).join("\n");
  }

  sample.it("says so in the sidebar, with the way to the report", async (page) => {
    await openSandboxes(page);
    await page.getByText("The container around this editor refuses what a sandbox needs").waitFor();
    await page.locator(".welcome-view-content .monaco-button", { hasText: "Check This System" }).waitFor();
    await screenshot(page, "doctor-1-sidebar");
  });

  sample.it("runs nothing, says why, and leads from the terminal to what to do about it", async (page) => {
    await runTask(page, "hello (colours, terminal)");
    const text = await waitForTerminal(page, LINK);
    assert.match(text, /clone3 new user, .*EPERM/);
    assert.match(text, /Nothing was run\./);
    await screenshot(page, "doctor-2-terminal");

    await followTerminalLink(page, "Check This System", async () => /refuses/.test(await editorText()));
    const report = await editorText();
    assert.match(report, /seccomp filter/);
    assert.match(report, /Missing: user namespace/);
    await screenshot(page, "doctor-3-report-at-the-line");
  });

  sample.it("shows the whole report, the answer first, and copies it", async (page) => {
    await page.keyboard.press("Control+j"); // the terminal away, for the picture
    await runCommand(page, "Sandbox: Check This System");
    await waitUntil("the report begins with the answer", async () =>
      /Sandboxes can't run here, because: /.test(await editorText()),
    );
    await screenshot(page, "doctor-4-report");
    await page.locator('.editor-actions .action-label[aria-label^="Copy Report"]').click();
    await page.locator(".statusbar").getByText("Report copied").waitFor();
  });

  sample.it("has a button in the notification that leads there, too", async (page) => {
    await runCommand(page, "View: Close Editor");
    await runTask(page, "interactive prompt");
    await waitUntil("a notification tells it", async () =>
      (await notifications(page)).some((text) => text.includes("interactive prompt")),
    );
    await notificationButton(page, "interactive prompt", "Check This System");
    await waitUntil("the report is there", async () => /seccomp filter/.test(await editorText()));
  });
});
