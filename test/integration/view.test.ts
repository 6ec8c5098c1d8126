// The tree, the badge and the commands on a running sandbox.

import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import * as vscode from "vscode";
import { ALL_COMMANDS, Command, DOCUMENT_SCHEME, NODE_CONTEXT, TASK_TYPE } from "../../src/contributions";
import { processes } from "../../src/inspect";
import type { Sandbox } from "../../src/sandbox/types";
import type { ProcessNode, SandboxNode } from "../../src/views/nodes";
import { SandboxTree } from "../../src/views/tree";
import { waitUntil } from "../support/processes";
import { api, findTask, inWorkspace, isAlive, nothingRuns, runLine, writeTasks } from "./sandboxTasks";

async function startTask(command: string, more: object = {}): Promise<Sandbox> {
  const { registry } = await api();
  await writeTasks([{ label: "runs", type: TASK_TYPE, command, problemMatcher: [], ...more }]);
  await vscode.tasks.executeTask(await findTask("runs"));
  return waitUntil("it runs", () => registry.running.find(({ name }) => name === "runs"));
}

function kinds(nodes: readonly SandboxNode[]): string[] {
  return nodes.map(({ kind }) => kind);
}

function only<K extends SandboxNode["kind"]>(
  nodes: readonly SandboxNode[],
  kind: K,
): Extract<SandboxNode, { kind: K }> {
  const found = nodes.find((node): node is Extract<SandboxNode, { kind: K }> => node.kind === kind);
  assert(found, `no ${kind} among ${kinds(nodes).join(", ")}`);
  return found;
}

/** All processes of a tree, parents first. */
function flat(nodes: readonly SandboxNode[]): ProcessNode[] {
  return nodes.flatMap((node) => (node.kind === "process" ? [node, ...flat(node.children)] : []));
}

describe("the view Sandboxes", () => {
  let tree: SandboxTree;
  let log: vscode.LogOutputChannel;

  before(async () => {
    log = vscode.window.createOutputChannel("view test", { log: true });
    // The same tree as in the sidebar, on the same registry: VS Code has no way to ask a view for its items.
    tree = new SandboxTree((await api()).registry, log);
  });

  afterEach(async () => {
    const { registry } = await api();
    await registry.terminateAll(0);
    await nothingRuns();
  });

  after(() => {
    tree.dispose();
    log.dispose();
  });

  it("shows a running sandbox with its processes, by parent, under both pids", async () => {
    const sandbox = await startTask("sleep 1000 & sleep 1001");
    // A shell that has just forked is a process too: it is not yet what it is about to become.
    await waitUntil("both sleep", async () => {
      const commands = (await processes(sandbox.process.pid)).map(({ command }) => command);
      return commands.filter((command) => command.startsWith("sleep 100")).length === 2;
    });
    const root = only(await tree.getChildren(), "running");
    assert.equal(root.sandbox, sandbox);
    const item = tree.getTreeItem(root);
    assert.equal(item.label, "runs");
    assert.match(String(item.description), /^build · since \d\d:\d\d$/);
    assert.equal(item.contextValue, NODE_CONTEXT.sandbox);
    const groups = await tree.getChildren(root);
    // Resources too where the sandbox has a cgroup, which not every user can have.
    const cgroup = (await sandbox.figures()) === undefined ? [] : ["resources"];
    assert.deepEqual(kinds(groups), ["processes", "namespaces", ...cgroup]);
    const [init, ...others] = await tree.getChildren(only(groups, "processes"));
    assert.deepEqual(others, []);
    assert(init?.kind === "process");
    assert.equal(init.info.pid, sandbox.process.pid);
    assert.equal(init.info.insidePid, 1);
    const all = flat([init]);
    const sleepers = all.filter(({ info }) => info.command.startsWith("sleep 100"));
    assert.equal(sleepers.length, 2);
    for (const sleeper of sleepers) {
      assert.ok(isAlive(sleeper.info.pid));
      assert.match(String(tree.getTreeItem(sleeper).description), new RegExp(`^\\d+ · outside ${sleeper.info.pid}$`));
    }
  });

  it("shows its namespaces, the new ones and those shared with the editor", async () => {
    const sandbox = await startTask("sleep 1000");
    const groups = await tree.getChildren(only(await tree.getChildren(), "running"));
    const shown = (await tree.getChildren(only(groups, "namespaces"))).map((node) => {
      assert(node.kind === "namespace");
      return node.info;
    });
    assert.deepEqual(
      shown
        .filter(({ shared }) => !shared)
        .map(({ type }) => type)
        .sort(),
      ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"],
    );
    assert.deepEqual(
      shown.filter(({ shared }) => shared).map(({ type }) => type),
      ["time"],
    );
    sandbox.kill("SIGKILL");
  });

  it("keeps ids and objects over a refresh, so that nothing collapses", async () => {
    await startTask("sleep 1000");
    const ids = async () => {
      const root = only(await tree.getChildren(), "running");
      const groups = await tree.getChildren(root);
      const processes = flat(await tree.getChildren(only(groups, "processes")));
      return [root, ...groups, ...processes].map((node) => tree.getTreeItem(node).id);
    };
    const before = await ids();
    tree.refresh();
    assert.deepEqual(await ids(), before);
    assert.equal(new Set(before).size, before.length);
  });

  it("is drawn anew only when the processes changed", async () => {
    const sandbox = await startTask("sleep 1000");
    const groups = await tree.getChildren(only(await tree.getChildren(), "running"));
    await waitUntil("the command runs", async () => (await sandbox.stats()).processes >= 1);
    await tree.getChildren(only(groups, "processes"));
    await tree.poll();
    const changed: (SandboxNode | undefined)[] = [];
    // The CPU time that its cgroup counts may pass a hundredth of a second at any moment.
    const listener = tree.onDidChangeTreeData((node) => node?.kind !== "resources" && changed.push(node));
    await tree.poll();
    assert.equal(changed.length, 0);
    sandbox.kill("SIGSTOP");
    await waitUntil("the change is seen", async () => {
      await tree.poll();
      return changed.length > 0;
    });
    listener.dispose();
    assert.ok(changed.every((node) => node?.kind === "processes"));
    sandbox.kill("SIGCONT");
  });

  it("pauses a sandbox and lets it go on, and shows that", async () => {
    const sandbox = await startTask("sleep 1000");
    const root = only(await tree.getChildren(), "running");
    await vscode.commands.executeCommand(Command.Freeze, { kind: "running", sandbox });
    assert.equal(sandbox.frozen, true);
    const paused = tree.getTreeItem(root);
    assert.equal(paused.contextValue, NODE_CONTEXT.frozenSandbox);
    assert.match(String(paused.description), /paused$/);
    await vscode.commands.executeCommand(Command.Thaw, { kind: "running", sandbox });
    assert.equal(sandbox.frozen, false);
    assert.equal(tree.getTreeItem(root).contextValue, NODE_CONTEXT.sandbox);
    sandbox.kill("SIGKILL");
  });

  it("shows what it uses of what it may use, where it has a cgroup", async () => {
    const sandbox = await startTask("sleep 1000");
    const figures = await sandbox.figures();
    const groups = await tree.getChildren(only(await tree.getChildren(), "running"));
    assert.equal(groups.filter(({ kind }) => kind === "resources").length, figures === undefined ? 0 : 1);
    if (figures !== undefined) {
      const group = only(groups, "resources");
      assert.match(String(tree.getTreeItem(group).description), /CPU [\d.]+ s/);
      const rows = await tree.getChildren(group);
      assert.ok(rows.length > 0 && rows.every((row) => row.kind === "resource"));
    }
    sandbox.kill("SIGKILL");
  });

  it("lists how ended ones ended, and forgets them when told to", async () => {
    const { registry } = await api();
    registry.clearEnded();
    assert.equal(await runLine("exit 3"), 3);
    await waitUntil("it is listed", () => registry.ended.length === 1);
    const ended = await tree.getChildren(only(await tree.getChildren(), "endedGroup"));
    const item = tree.getTreeItem(only(ended, "ended"));
    assert.match(String(item.description), /^code 3 · [\d.]+ s$/);
    await vscode.commands.executeCommand(Command.ClearEnded);
    assert.deepEqual(await tree.getChildren(), []);
  });

  it("shows what was refused, running and ended, each with its rule, and can allow what a profile could", async () => {
    const { registry } = await api();
    registry.clearEnded();
    const beside = inWorkspace("../beside.txt");
    fs.writeFileSync(beside, "");
    const sandbox = await startTask("cat ~/.ssh/id_ed25519 ../beside.txt; unshare -U true; sleep 1000");
    await waitUntil("all three are known", () => sandbox.denials.length === 3);
    const root = only(await tree.getChildren(), "running");
    const group = only(await tree.getChildren(root), "denials");
    assert.equal(tree.getTreeItem(group).contextValue, NODE_CONTEXT.denials);
    const nodes = (await tree.getChildren(group)).filter((node) => node.kind === "denial");
    const rows = nodes.map((node) => tree.getTreeItem(node));
    const seen = rows.map(({ label, description, contextValue }) => [label, description, contextValue]);
    const guess = "a guess from what was printed";
    assert.deepEqual(seen.sort(), [
      ["beside.txt", `read · ${path.dirname(beside)} · ${guess}`, NODE_CONTEXT.allowableDenial],
      // Keys are never offered.
      ["id_ed25519", `read · ~/.ssh · ${guess}`, NODE_CONTEXT.denial],
      ["unshare CLONE_NEWUSER", "seccomp · unshare", NODE_CONTEXT.allowableDenial],
    ]);
    for (const [index, node] of nodes.entries()) {
      const { tooltip, accessibilityInformation, command, iconPath } = rows[index] ?? assert.fail();
      assert(tooltip instanceof vscode.MarkdownString);
      const text = tooltip.value.replaceAll("\\", "").replaceAll("&nbsp;", " ");
      assert.ok(text.includes(node.denial.what), text);
      assert.ok(text.includes(`${node.denial.rule} of the profile build`), text);
      assert.ok(accessibilityInformation?.label.includes(node.denial.what));
      assert.equal(command, undefined, "a click on a row changes nothing");
      assert(iconPath instanceof vscode.ThemeIcon);
      assert.equal(iconPath.id, node.denial.certainty === "told" ? "circle-slash" : "question");
    }
    const ids = rows.map(({ id }) => id);
    assert.equal(new Set(ids).size, 3);
    tree.refresh();
    assert.deepEqual(
      (await tree.getChildren(group)).map((node) => tree.getTreeItem(node).id),
      ids,
    );

    // The same denials keep their ids when the sandbox has ended, below it.
    sandbox.kill("SIGKILL");
    await waitUntil("it is listed", () => registry.ended.length === 1);
    const ended = only(await tree.getChildren(only(await tree.getChildren(), "endedGroup")), "ended");
    const item = tree.getTreeItem(ended);
    assert.match(String(item.description), /^SIGKILL · 3 refused · /);
    assert.equal(item.collapsibleState, vscode.TreeItemCollapsibleState.Collapsed);
    assert.deepEqual(
      (await tree.getChildren(ended)).map((node) => tree.getTreeItem(node).id),
      ids,
    );
    fs.rmSync(beside);
  });

  it("escapes what a command has in it", async () => {
    await startTask("sleep 1000; : '<b>[x](command:evil)</b> **'");
    const groups = await tree.getChildren(only(await tree.getChildren(), "running"));
    const all = flat(await tree.getChildren(only(groups, "processes")));
    for (const node of all) {
      const { tooltip } = tree.getTreeItem(node);
      assert(tooltip instanceof vscode.MarkdownString);
      assert.ok(!tooltip.isTrusted && !tooltip.supportHtml);
      assert.ok(!tooltip.value.includes("[x](command:evil)"), tooltip.value);
    }
  });
});

describe("the commands", () => {
  before(api);
  afterEach(nothingRuns);

  it("are all registered", async () => {
    const known = new Set(await vscode.commands.getCommands());
    for (const command of ALL_COMMANDS) assert.ok(known.has(command), command);
  });

  it("kill a sandbox with everything in it", async () => {
    const sandbox = await startTask("setsid sleep 1000 & sleep 1001");
    await waitUntil("three run", async () => (await sandbox.stats()).processes >= 3);
    const { pid } = sandbox.process;
    await vscode.commands.executeCommand(Command.Kill, { kind: "running", sandbox });
    assert.equal((await sandbox.exited).signal, "SIGTERM");
    assert.equal(isAlive(pid), false);
  });

  it("kill one that ignores SIGTERM, after the grace time", async () => {
    const sandbox = await startTask("trap '' TERM; while :; do sleep 0.1; done");
    await waitUntil("the shell runs", async () => (await sandbox.stats()).processes >= 2);
    const started = performance.now();
    await vscode.commands.executeCommand(Command.Kill, { kind: "running", sandbox });
    assert.equal((await sandbox.exited).signal, "SIGKILL");
    assert.ok(performance.now() - started >= 2500, "the grace time of the setting");
  });

  it("kill and signal a single process", async () => {
    const sandbox = await startTask("sleep 1000; echo survived; sleep 1001");
    const log = vscode.window.createOutputChannel("kill test", { log: true });
    const tree = new SandboxTree((await api()).registry, log);
    const find = async (command: string) =>
      waitUntil(`${command} runs`, async () => {
        tree.refresh();
        const root = (await tree.getChildren()).find(({ kind }) => kind === "running");
        if (!root) return undefined;
        const groups = await tree.getChildren(root);
        const all = flat(await tree.getChildren(only(groups, "processes")));
        return all.find(({ info }) => info.command === command);
      });
    await vscode.commands.executeCommand(Command.Kill, await find("sleep 1000"));
    const second = await find("sleep 1001");
    await vscode.commands.executeCommand(Command.SendSignal, second, "SIGKILL");
    assert.equal((await sandbox.exited).code, 137);
    tree.dispose();
    log.dispose();
  });

  it("do nothing to a process that is gone", async () => {
    const sandbox = await startTask("sleep 1000");
    await vscode.commands.executeCommand(Command.Kill, { kind: "running", sandbox });
    await sandbox.exited;
    await vscode.commands.executeCommand(Command.SendSignal, { kind: "running", sandbox }, "SIGKILL");
    await vscode.commands.executeCommand(Command.Kill, { kind: "running", sandbox });
  });

  it("show the details of a sandbox in a document that can't be changed", async () => {
    const sandbox = await startTask("sleep 1000");
    await waitUntil("the command runs", async () => (await sandbox.stats()).processes >= 1);
    await vscode.commands.executeCommand(Command.ShowDetails, { kind: "running", sandbox });
    const editor = vscode.window.activeTextEditor;
    assert.equal(editor?.document.uri.scheme, DOCUMENT_SCHEME);
    const text = editor.document.getText();
    assert.match(text, /Workspace +\/.*sample-workspace/);
    assert.match(text, /^pid +\d+ +new$/m);
    assert.match(text, /^effective +none$/m);
    assert.match(text, /^no_new_privs +yes$/m);
    assert.match(text, /Max open files/);
    await vscode.commands.executeCommand("workbench.action.closeActiveEditor");
    await vscode.commands.executeCommand(Command.Kill, { kind: "running", sandbox });
  });

  it("check the system", async () => {
    await vscode.commands.executeCommand(Command.CheckSystem);
    const text = vscode.window.activeTextEditor?.document.getText() ?? "";
    assert.match(text, /^Sandboxes can run here\.$/m);
    assert.match(text, /^ {2}✔ build +runs$/m);
    await vscode.env.clipboard.writeText("");
    await vscode.commands.executeCommand(Command.CopyReport);
    assert.equal(await vscode.env.clipboard.readText(), text);
    await vscode.commands.executeCommand(Command.CheckSystem, "user namespace");
    const editor = vscode.window.activeTextEditor;
    assert.match(editor?.document.getText(editor.selection) ?? "", /^ {2}✔ user namespace /);
    await vscode.commands.executeCommand("workbench.action.closeActiveEditor");
  });

  it("copy the outside pid", async () => {
    const sandbox = await startTask("sleep 1000");
    await vscode.commands.executeCommand(Command.CopyPid, { kind: "running", sandbox });
    await vscode.commands.executeCommand(Command.Kill, { kind: "running", sandbox });
  });

  it("open a shell in a sandbox, which ends when its terminal is closed", async () => {
    const { registry } = await api();
    const opened = new Promise<vscode.Terminal>((resolve) => {
      const listener = vscode.window.onDidOpenTerminal((terminal) => {
        listener.dispose();
        resolve(terminal);
      });
    });
    await vscode.commands.executeCommand(Command.NewTerminal);
    const terminal = await opened;
    const sandbox = await waitUntil("the shell runs", () =>
      registry.running.find(({ profile }) => profile === "shell"),
    );
    await vscode.commands.executeCommand(Command.RevealTerminal, { kind: "running", sandbox });
    await waitUntil("its terminal is shown", () => vscode.window.activeTerminal === terminal);
    terminal.dispose();
    await sandbox.exited;
    assert.equal(isAlive(sandbox.process.pid), false);
  });

  it("open a shell inside a running sandbox, which ends alone when its terminal is closed", async () => {
    const { registry } = await api();
    const sandbox = await startTask("sleep 1000");
    const count = async () => (await processes(sandbox.process.pid)).length;
    const before = await count();
    await vscode.commands.executeCommand(Command.OpenTerminalInside, { kind: "running", sandbox });
    const terminal = await waitUntil("its terminal is there", () =>
      vscode.window.terminals.find(({ name }) => name === "Inside runs"),
    );
    terminal.sendText("sleep 2000");
    await waitUntil("what was typed runs in the sandbox", async () =>
      (await processes(sandbox.process.pid)).some(({ command }) => command === "sleep 2000"),
    );
    terminal.dispose();
    await waitUntil("the shell is gone", async () => (await count()) === before);
    assert.ok(registry.running.includes(sandbox));
    await vscode.commands.executeCommand(Command.Kill, { kind: "running", sandbox });
  });

  it("reveal the terminal of a task", async () => {
    const sandbox = await startTask("sleep 1000");
    const other = vscode.window.createTerminal("another");
    other.show();
    await waitUntil("another terminal is shown", () => vscode.window.activeTerminal === other);
    await vscode.commands.executeCommand(Command.RevealTerminal, { kind: "running", sandbox });
    await waitUntil("the task's is shown", () => vscode.window.activeTerminal?.name === "runs");
    other.dispose();
    await vscode.commands.executeCommand(Command.Kill, { kind: "running", sandbox });
  });

  it("explains a profile in words and as the plan, in a read-only document", async () => {
    await vscode.commands.executeCommand(Command.ExplainProfile, "strict");
    const document = await waitUntil("it is shown", () => {
      const shown = vscode.window.activeTextEditor?.document;
      return shown?.uri.scheme === DOCUMENT_SCHEME && shown.uri.path.includes("strict") ? shown : undefined;
    });
    const text = document.getText();
    const [folder] = vscode.workspace.workspaceFolders ?? [];
    assert.ok(folder);
    assert.match(text, /^What a task may do under the profile strict\n/);
    assert.ok(text.includes(`${folder.uri.fsPath}: can be read\n`), text);
    assert.match(text, /Step by step.*pivot_root.*exec \/bin\/sh/s);
    await vscode.commands.executeCommand("workbench.action.closeActiveEditor");
  });
});
