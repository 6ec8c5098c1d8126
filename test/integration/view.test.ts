// The tree of sandboxes.

import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import * as vscode from "vscode";
import { Command, NODE_CONTEXT } from "../../src/contributions";
import { processes } from "../../src/inspect";
import type { ProcessNode, SandboxNode } from "../../src/views/nodes";
import { SandboxTree } from "../../src/views/tree";
import { waitUntil } from "../support/processes";
import { api, inWorkspace, isAlive, nothingRuns, runLine, startTask } from "./sandboxTasks";

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
