// An editor whose system refuses what sandboxes are made of, as in a container with Docker's default filter: from the
// task that is not run to the line of the report that says what to do.

import * as assert from "node:assert/strict";
import { waitUntil } from "../support/processes";
import { program } from "../support/programs";
import { useSampleWorkbench } from "./sample-workbench";
import { notifications, openSandboxes, runCommand, runTask, screenshot, waitForTerminal } from "./workbench";

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

  afterEach(async function () {
    if (this.currentTest?.state === "failed") await screenshot(sample.workbench.page, "failed-doctor");
  });

  it("says so in the sidebar, with the way to the report", async () => {
    const { page } = sample.workbench;
    await openSandboxes(page);
    await page.getByText("This system refuses what a sandbox needs, so nothing can run in one.").waitFor();
    await screenshot(page, "doctor-1-sidebar");
  });

  it("runs nothing, says why, and leads from the terminal to what to do about it", async () => {
    const { page } = sample.workbench;
    await runTask(page, "hello (colours, terminal)");
    const text = await waitForTerminal(page, LINK);
    assert.match(text, /clone3 new user, .*EPERM/);
    assert.match(text, /Nothing was run\./);
    await screenshot(page, "doctor-2-terminal");

    const line = page.locator(".terminal-wrapper.active .xterm-rows > div", { hasText: "Check This System" }).last();
    await waitUntil("the link in the terminal opens the report", async () => {
      const box = await line.boundingBox();
      assert.ok(box !== null);
      // Rows are as wide as the terminal; the link begins in its third column.
      await page.mouse.move(box.x + 60, box.y + box.height / 2);
      await page.keyboard.down("Control");
      await page.mouse.move(box.x + 64, box.y + box.height / 2);
      await page.waitForTimeout(300); // a link is underlined, and can be clicked, once its providers have answered
      await page.mouse.click(box.x + 64, box.y + box.height / 2);
      await page.keyboard.up("Control");
      return /refuses/.test(await editorText());
    });
    const report = await editorText();
    assert.match(report, /seccomp filter/);
    assert.match(report, /Missing: user namespace/);
    await screenshot(page, "doctor-3-report-at-the-line");
  });

  it("shows the whole report, the answer first, and copies it", async () => {
    const { page } = sample.workbench;
    await page.keyboard.press("Control+j"); // the terminal away, for the picture
    await runCommand(page, "Sandbox: Check This System");
    await waitUntil("the report begins with the answer", async () =>
      /Sandboxes can't run here, because: /.test(await editorText()),
    );
    await screenshot(page, "doctor-4-report");
    await page.locator('.editor-actions .action-label[aria-label^="Copy Report"]').click();
    await page.locator(".statusbar").getByText("Report copied").waitFor();
  });

  it("has a button in the notification that leads there, too", async () => {
    const { page } = sample.workbench;
    await runCommand(page, "View: Close Editor");
    await runTask(page, "interactive prompt");
    await waitUntil("a notification tells it", async () =>
      (await notifications(page)).some((text) => text.includes("interactive prompt")),
    );
    await page
      .locator(".notification-list-item", { hasText: "interactive prompt" })
      .getByRole("button", { name: "Check This System" })
      .click();
    await waitUntil("the report is there", async () => /seccomp filter/.test(await editorText()));
  });
});
