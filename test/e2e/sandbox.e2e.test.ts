// What a stranger would try first, in a real workbench: run a task, see it in the sidebar, kill it there; run a plain
// task in a sandbox; open a sandboxed terminal. The pictures stay in test-results/screenshots.

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import { PLANTED_SECRET } from "../support/workspace";
import { useSampleWorkbench } from "./sample-workbench";
import { terminalText, typeLine, waitForTerminal } from "./terminal";
import {
  expandRow,
  hoverAndClickInlineAction,
  openSandboxes,
  pickItem,
  runCommand,
  runTask,
  screenshot,
  waitForPick,
  waitForRow,
} from "./workbench";

const COUNTER = /^long running counter \(kill it\)/;

/** The pid as the machine outside the sandbox counts it, from a process row of the tree. */
function outsidePid(row: string): number {
  const pid = /outside (?:pid )?(\d+)|(\d+) outside/.exec(row);
  assert.ok(pid !== null, `no outside pid in the row "${row}"`);
  return Number(pid[1] ?? pid[2]);
}

describe("Sandbox Tasks in the workbench", function () {
  this.timeout(120_000);

  const sample = useSampleWorkbench();

  sample.it("shows in colour what a sandboxed task prints, and that it has a terminal", async (page) => {
    await runCommand(page, "Tasks: Run Task");
    await waitForPick(page, "hello (colours, terminal)");
    await screenshot(page, "1-run-task-list");
    await pickItem(page, "hello (colours, terminal)");
    const text = await waitForTerminal(page, /terminal:\s+\/dev\/pts\/\d+, \d+ columns/);
    assert.match(text, /Hello from a sandbox!/);
    await screenshot(page, "2-hello");
  });

  sample.it("lists a running task with its processes, and kills it with the inline button", async (page) => {
    await openSandboxes(page);
    await runTask(page, "long running counter (kill it)");
    await waitForTerminal(page, "tick 2");
    await waitForRow(page, COUNTER);
    await expandRow(page, COUNTER);
    await expandRow(page, /^Processes/);
    const pid = outsidePid(await waitForRow(page, /^sh .*outside/));
    assert.ok(fs.existsSync(`/proc/${pid}`), `process ${pid} of the tree lives`);
    await screenshot(page, "3-running-in-the-tree");

    await hoverAndClickInlineAction(page, COUNTER, "Kill", async () => !fs.existsSync(`/proc/${pid}`));
    await expandRow(page, /^Recently ended|^Ended/);
    await waitForRow(page, /^long running counter \(kill it\).*(killed|SIGTERM|SIGKILL)/i);
    await screenshot(page, "4-killed");
  });

  sample.it("runs a plain shell task in a sandbox", async (page) => {
    await runCommand(page, "Sandbox: Run Task in Sandbox...");
    await waitForPick(page, "plain shell: where am I?");
    await screenshot(page, "5-run-in-sandbox-list");
    await pickItem(page, "plain shell: where am I?");
    await waitForPick(page, "build");
    await screenshot(page, "6-choose-profile");
    await pickItem(page, "build");
    const text = await waitForTerminal(page, /My PID namespace: pid:\[\d+\]/);
    await screenshot(page, "7-plain-task-in-sandbox");
    const inside = /pid:\[(\d+)\]/.exec(text)?.[1];
    assert.notEqual(`pid:[${inside}]`, fs.readlinkSync("/proc/self/ns/pid"));
  });

  sample.it("does not show the keys in the home folder to a task", async (page) => {
    await runTask(page, "try to read ~/.ssh (fails)");
    await waitForTerminal(page, "Nothing to steal here.");
    assert.ok(!(await terminalText(page)).includes(PLANTED_SECRET));
    await screenshot(page, "8-no-ssh");
  });

  sample.it("lets no task reach the network", async (page) => {
    await runTask(page, "try to reach the network (fails)");
    await waitForTerminal(page, "No way out: ");
    await screenshot(page, "9-no-network");
  });

  sample.it("lets no task write outside the workspace, nor into .vscode", async (page) => {
    await runTask(page, "try to write outside the workspace (fails)");
    const text = await waitForTerminal(page, "refused: .vscode/tasks.json");
    assert.match(text, /refused: \/etc\/sandbox-was-here/);
    assert.match(text, /refused: \/usr\/local\/bin\/sandbox-was-here/);
    assert.ok(!fs.existsSync("/etc/sandbox-was-here"));
    assert.ok(!fs.existsSync("/usr/local/bin/sandbox-was-here"));
  });

  sample.it("takes what is typed into a task's terminal", async (page) => {
    await runTask(page, "interactive prompt");
    await waitForTerminal(page, "What is your name?");
    await typeLine(page, "Ada");
    await waitForTerminal(page, "Good to see you in here, Ada.");
    await screenshot(page, "10-interactive");
  });

  sample.it("names a command that does not exist", async (page) => {
    await runTask(page, "a command that does not exist (fails)");
    await waitForTerminal(page, /no-such-command.*(not found|no such file|ENOENT)/is);
    await screenshot(page, "11-no-such-command");
    await page.keyboard.press("Escape");
  });

  sample.it("opens a shell in a sandbox", async (page) => {
    await runCommand(page, "Sandbox: New Sandboxed Terminal");
    await waitForTerminal(page, /[$#] *$/);
    await typeLine(page, "tty");
    await waitForTerminal(page, /^\/dev\/pts\/\d+$/m);
    await typeLine(page, "id");
    await waitForTerminal(page, /uid=\d+/);
    await screenshot(page, "12-terminal");
    await typeLine(page, "exit");
    await screenshot(page, "13-terminal-ended");
  });

  sample.it("opens a shell inside a task that runs, beside its processes", async (page) => {
    await runTask(page, "long running counter (kill it)");
    await waitForTerminal(page, "tick 2");
    await runCommand(page, "Sandbox: Open Terminal Inside");
    await waitForTerminal(page, /inside "long running counter/);
    await waitForTerminal(page, /[$#] *$/);
    await typeLine(page, "ps ax");
    await waitForTerminal(page, /1 \?.*sandbox-init/);
    await waitForTerminal(page, /sleep 1$/m);
    await openSandboxes(page);
    await expandRow(page, COUNTER);
    await expandRow(page, /^Processes/);
    await waitForRow(page, /^(ba)?sh .*outside/);
    await screenshot(page, "14-terminal-inside");
    await runCommand(page, "Sandbox: Kill");
    await waitForTerminal(page, /Sandbox killed by SIG/);
    await page.locator(".tabs-container .monaco-list-row", { hasText: "Inside" }).click();
    await waitForTerminal(page, /Press any key to close the terminal/);
    await screenshot(page, "15-terminal-inside-ended");
  });
});
