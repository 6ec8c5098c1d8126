// The commands, most of them on a running sandbox.

import assert from "node:assert/strict";
import * as vscode from "vscode";
import { ALL_COMMANDS, Command, DOCUMENT_SCHEME } from "../../src/contributions";
import { processes } from "../../src/inspect";
import type { ProcessNode, SandboxNode } from "../../src/views/nodes";
import { SandboxTree } from "../../src/views/tree";
import { waitUntil } from "../support/processes";
import { api, isAlive, nothingRuns, startTask } from "./sandboxTasks";

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
