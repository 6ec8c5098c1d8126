// Who decides what a task may do, from the dialog that is read to the run that follows: a repository that asks for more
// than the user's profile, and a task that was refused something which the user then allows.

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Page } from "playwright-core";
import { waitUntil } from "../support/processes";
import { PLANTED_SECRET } from "../support/workspace";
import { defaultButton, dialogIsOpen, dialogText, pressButton, pressKey } from "./dialogs";
import { useSampleWorkbench } from "./sample-workbench";
import { followTerminalLink, waitForTerminal } from "./terminal";
import {
  clickPickButton,
  expandRow,
  hoverAndClickInlineAction,
  notificationButton,
  notifications,
  openSandboxes,
  pickRows,
  reloadWindow,
  runCommand,
  runTask,
  screenshot,
  waitForPick,
  waitForRow,
  waitUntilStored,
} from "./workbench";

/** What the repository writes into its tasks.json. */
interface Repository {
  /** The line of the task that asks for the network. */
  readonly command: string;
  /** Name of one more task: when it is listed, this version of the file is the one that VS Code knows. */
  readonly version: string;
}

function writeTasks(workspace: string, { command, version }: Repository): void {
  const common = { type: "sandbox", problemMatcher: [] };
  const tasks = [
    { ...common, label: "fetch", command, profile: { extends: "build", network: "host" } },
    { ...common, label: "greet", command: "cat ~/.ssh/id_ed25519; cat ../beside/greeting.txt" },
    { ...common, label: version, command: "true" },
  ];
  fs.writeFileSync(
    path.join(workspace, ".vscode/tasks.json"),
    JSON.stringify({ version: "2.0.0", tasks }, undefined, 2),
  );
}

const FETCH: Repository = { command: "readlink /proc/self/ns/net >> ran.txt; echo fetched", version: "version 1" };
const EDITED: Repository = { command: "echo edited >> ran.txt", version: "version 2" };
const GREETING = "good morning from beside";

describe("what a task may do, in the workbench", function () {
  this.timeout(120_000);

  const sample = useSampleWorkbench({
    prepare(workspace) {
      writeTasks(workspace, FETCH);
      fs.mkdirSync(path.join(workspace, "../beside"));
      fs.writeFileSync(path.join(workspace, "../beside/greeting.txt"), `${GREETING}\n`);
      return undefined;
    },
  });

  /** What the task has written so far, a line each time that it ran. */
  const runs = (): string[] => {
    const file = path.join(sample.workspace, "ran.txt");
    return fs.existsSync(file) ? fs.readFileSync(file, "utf8").trim().split("\n") : [];
  };

  /** Run a task in a terminal of its own: what an earlier run said must not be taken for what this one says. */
  const runAlone = async (page: Page, label: string): Promise<void> => {
    const terminal = page.locator(".terminal-wrapper.active");
    if ((await terminal.count()) > 0) {
      await runCommand(page, "Terminal: Kill All Terminals");
      await terminal.waitFor({ state: "detached" });
    }
    await runTask(page, label);
  };

  const network = fs.readlinkSync("/proc/self/ns/net");

  sample.it(
    "tells in words what a repository's task asks beyond the profile, and runs nothing unasked",
    async (page) => {
      await runAlone(page, "fetch");
      const text = await dialogText(page);
      await screenshot(page, "policy-1-asks");
      assert.match(text, /^The task "fetch" wants to do more than your profile "build" allows$/m);
      assert.match(
        text,
        /• reach the network of this machine \(network\)\n +Risk: it can send what it reads to anybody/,
      );
      assert.match(text, /Command: readlink \/proc\/self\/ns\/net >> ran\.txt; echo fetched/);
      assert.match(text, /tasks\.json asks for this, not you/);
      assert.equal(await defaultButton(page), "Show Task");
      await pressButton(page, "Cancel");
      await waitForTerminal(page, /You did not allow what this task asks.*Nothing was run\./s);
      // The key that is pressed without reading shows what asks, and runs it no more than Cancel does.
      await runAlone(page, "fetch");
      await pressKey(page, "Enter");
      await page.locator(".tab.active", { hasText: "tasks.json" }).waitFor();
      await runAlone(page, "fetch");
      await pressKey(page, "Escape");
      await waitForTerminal(page, /Nothing was run\./);
      assert.deepEqual(runs(), []);
    },
  );

  sample.it("runs it once it is approved, and after a reload of the window without a question", async (page) => {
    await runAlone(page, "fetch");
    await dialogText(page);
    await pressButton(page, "Allow and Remember");
    await waitForTerminal(page, /^fetched$/m);
    assert.deepEqual(runs(), [network]);
    await waitUntilStored(page, "reach the network of this machine");
    await reloadWindow(page);
    await runAlone(page, "fetch");
    await waitForTerminal(page, /^fetched$/m);
    assert.deepEqual(runs(), [network, network]);
    assert.equal(await dialogIsOpen(page), false);
  });

  sample.it("asks again when the repository has changed the task", async (page) => {
    writeTasks(sample.workspace, EDITED);
    await waitUntil("the new tasks.json is known", async () => {
      await runCommand(page, "Tasks: Run Task");
      await waitUntil("the tasks are listed", async () => (await pickRows(page)).length > 0);
      const rows = await pickRows(page);
      await page.keyboard.press("Escape");
      return rows.some((row) => row.startsWith(EDITED.version));
    });
    await runAlone(page, "fetch");
    assert.match(await dialogText(page), /Command: echo edited >> ran\.txt/);
    await pressButton(page, "Cancel");
    await waitForTerminal(page, /Nothing was run\./);
    assert.deepEqual(runs(), [network, network]);
  });

  sample.it("asks again once the approval is taken back", async (page) => {
    await runAlone(page, "fetch");
    await dialogText(page);
    await pressButton(page, "Allow and Remember");
    await waitUntil("it ran", () => runs().length === 3);
    await runCommand(page, "Sandbox: Manage Approvals");
    await waitForPick(page, "fetch");
    await screenshot(page, "policy-2-approvals");
    const rows = await pickRows(page);
    assert.equal(rows.length, 2, "one for each content");
    assert.match(rows.join("\n"), /It may reach the network of this machine \(network\)\. Command: echo edited/);
    await clickPickButton(page, "echo edited", "Take Back");
    await waitUntil("it is off the list", async () => (await pickRows(page)).length === 1);
    await page.keyboard.press("Escape");
    await runAlone(page, "fetch");
    await dialogText(page);
    await pressButton(page, "Cancel");
    await waitForTerminal(page, /Nothing was run\./);
    assert.equal(runs().length, 3);
  });

  sample.it("says what was refused, with its rule, in the terminal and under the sandbox", async (page) => {
    await openSandboxes(page);
    await runAlone(page, "greet");
    const text = await waitForTerminal(page, /Sandbox exited with code 1/);
    assert.ok(!text.includes(PLANTED_SECRET) && !text.includes(GREETING));
    assert.match(text, /⊘ The sandbox refused 2 things:/);
    // Keys are never offered.
    assert.match(text, /id_ed25519\n +filesystem\.read · a guess from what was printed\n +\/\S+greeting\.txt\n/);
    assert.match(text, /greeting\.txt\n +filesystem\.read · a guess from what was printed\n +Allow this\.\.\. \[1\]/);
    await expandRow(page, /^greet ?code 1 · 2 refused/);
    await waitForRow(page, /^id_ed25519 ?read · ~\/\.ssh · a guess/);
    await waitForRow(page, /^greeting\.txt ?read · \/\S*beside · a guess/);
    await screenshot(page, "policy-3-refused");
  });

  sample.it(
    "shows the very change before a profile allows what was refused, and changes nothing by Enter",
    async (page) => {
      await hoverAndClickInlineAction(page, /^greeting\.txt/, "Allow What Was Refused", () => dialogIsOpen(page));
      const text = await dialogText(page);
      await screenshot(page, "policy-4-change");
      assert.match(text, /^Let every task under the profile "build" do this, in every folder\?$/m);
      assert.match(text, /• read \S+beside\/greeting\.txt \(filesystem\.read\)/);
      assert.match(text, /^\+ +"build": \{\n\+ +"extends": "build",\n\+ +"filesystem": \{\n\+ +"read": \[\n/m);
      assert.equal(await defaultButton(page), "Open Settings");
      await pressKey(page, "Enter");
      await page.locator(".settings-editor").waitFor();
      await runAlone(page, "greet");
      assert.ok(!(await waitForTerminal(page, /Sandbox exited with code 1/)).includes(GREETING));
    },
  );

  sample.it("lets the next run do it once the profile is changed, until that is undone", async (page) => {
    await waitForTerminal(page, /Allow this\.\.\. \[2\]/);
    await followTerminalLink(page, "Allow this... [2]", () => dialogIsOpen(page));
    await pressButton(page, "Change Profile");
    await waitUntil("it is told", async () => (await notifications(page)).some((one) => one.includes("is changed")));
    await runAlone(page, "greet");
    assert.match(await waitForTerminal(page, /Sandbox exited with code 0/), new RegExp(`^${GREETING}$`, "m"));
    await screenshot(page, "policy-5-allowed");
    await notificationButton(page, 'The profile "build" is changed', "Undo");
    await waitUntil("it is refused again", async () => {
      await runAlone(page, "greet");
      return !(await waitForTerminal(page, /Sandbox exited with code/)).includes(GREETING);
    });
  });
});
