// The data behind the view "Sandboxes": running ones with their processes and namespaces, then those that ended.

import * as vscode from "vscode";
import { readSetting, Setting } from "../contributions";
import { namespaces, type ProcessInfo, processes } from "../inspect";
import { t } from "../l10n";
import type { DenialOwner, SandboxRegistry } from "../sandbox";
import type { Sandbox } from "../sandbox/types";
import { treeItem } from "./items";
import {
  type DenialsNode,
  type NamespacesNode,
  type ProcessesNode,
  processesSignature,
  processForest,
  type ResourcesNode,
  type RunningNode,
  type SandboxNode,
} from "./nodes";
import { resourceRows, resourceSummary } from "./resourceRows";

/** The nodes of one sandbox: VS Code redraws a part of the tree only when it is told the same object again. */
interface SandboxNodes {
  readonly running: RunningNode;
  readonly processes: ProcessesNode;
  readonly namespaces: NamespacesNode;
  readonly denials: DenialsNode;
  /** undefined until its cgroup was looked at, and without one. */
  resources: ResourcesNode | undefined;
  /** The processes that are shown now; undefined while nobody has opened the group. */
  shown: readonly ProcessInfo[] | undefined;
}

export class SandboxTree implements vscode.TreeDataProvider<SandboxNode>, vscode.Disposable {
  readonly #changes = new vscode.EventEmitter<SandboxNode | undefined>();
  readonly #nodes = new Map<string, SandboxNodes>();
  readonly onDidChangeTreeData = this.#changes.event;

  constructor(
    private readonly registry: SandboxRegistry,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  getTreeItem(node: SandboxNode): vscode.TreeItem {
    return treeItem(node);
  }

  async getChildren(node?: SandboxNode): Promise<SandboxNode[]> {
    if (!node) return this.#roots();
    switch (node.kind) {
      case "running": {
        const nodes = this.#nodesOf(node.sandbox);
        await this.#look(nodes);
        const denials = node.sandbox.denials.length > 0 ? [nodes.denials] : [];
        return [...denials, nodes.processes, nodes.namespaces, ...(nodes.resources ? [nodes.resources] : [])];
      }
      case "processes":
        return this.#processes(node.sandbox);
      case "process":
        return [...node.children];
      case "namespaces":
        return this.#orNotice(`running/${node.sandbox.id}/namespaces/notice`, async () =>
          (await namespaces(node.sandbox.process.pid)).map((info) => ({
            kind: "namespace",
            sandbox: node.sandbox,
            info,
          })),
        );
      case "denials":
        return denialNodes(node.sandbox);
      case "ended":
        return denialNodes(node.ended);
      case "resources":
        return resourceRows(node.figures).map((row) => ({ kind: "resource", sandbox: node.sandbox, row }));
      case "endedGroup":
        return this.#ended().map((ended) => ({ kind: "ended", ended }));
      default:
        return [];
    }
  }

  /** Draw everything anew, for instance because a sandbox started or ended. */
  refresh(): void {
    const running = new Set(this.registry.running.map(({ id }) => id));
    for (const [id, nodes] of this.#nodes) {
      if (!running.has(id)) this.#nodes.delete(id);
      else nodes.shown = undefined;
    }
    this.#changes.fire(undefined);
  }

  /** Look at the processes and figures of those sandboxes that are opened, and redraw the ones that changed. */
  async poll(): Promise<void> {
    await Promise.all(
      [...this.#nodes.values()].map(async (nodes) => {
        if (await this.#look(nodes)) this.#changes.fire(nodes.resources);
        if (nodes.shown === undefined) return;
        const infos = await this.#read(nodes.running.sandbox);
        if (nodes.shown === undefined || processesSignature(infos) === processesSignature(nodes.shown)) return;
        nodes.shown = infos;
        this.#changes.fire(nodes.processes);
      }),
    );
  }

  dispose(): void {
    this.#changes.dispose();
  }

  #roots(): SandboxNode[] {
    const running = this.registry.running.map((sandbox) => this.#nodesOf(sandbox).running);
    return this.#ended().length > 0 ? [...running, { kind: "endedGroup" }] : running;
  }

  #ended() {
    return this.registry.ended.slice(0, readSetting(vscode.workspace, Setting.KeepEnded));
  }

  async #processes(sandbox: Sandbox): Promise<SandboxNode[]> {
    const nodes = this.#nodesOf(sandbox);
    return this.#orNotice(`running/${sandbox.id}/processes/notice`, async () => {
      nodes.shown ??= await this.#read(sandbox);
      return processForest(sandbox, nodes.shown);
    });
  }

  /** Reads what its cgroup counts; true when what is shown of it has changed. */
  async #look(nodes: SandboxNodes): Promise<boolean> {
    const { sandbox } = nodes.running;
    const figures = await sandbox.figures();
    if (figures === undefined) return false;
    if (nodes.resources === undefined) {
      nodes.resources = { kind: "resources", sandbox, figures };
      return false; // it is about to be shown for the first time
    }
    const before = resourceSummary(nodes.resources.figures);
    nodes.resources.figures = figures;
    return resourceSummary(figures) !== before;
  }

  /** Empty once the sandbox is gone. */
  async #read(sandbox: Sandbox): Promise<readonly ProcessInfo[]> {
    return sandbox.process.pidfd === -1 ? [] : processes(sandbox.process.pid);
  }

  #nodesOf(sandbox: Sandbox): SandboxNodes {
    let nodes = this.#nodes.get(sandbox.id);
    if (!nodes) {
      nodes = {
        running: { kind: "running", sandbox },
        processes: { kind: "processes", sandbox },
        namespaces: { kind: "namespaces", sandbox },
        denials: { kind: "denials", sandbox },
        resources: undefined,
        shown: undefined,
      };
      this.#nodes.set(sandbox.id, nodes);
    }
    return nodes;
  }

  async #orNotice(id: string, children: () => Promise<SandboxNode[]>): Promise<SandboxNode[]> {
    try {
      return await children();
    } catch (error) {
      this.log.warn(`Tree: ${id}`, error instanceof Error ? error : String(error));
      const message = error instanceof Error ? error.message : String(error);
      return [{ kind: "notice", id, message: t("Can't be read: {0}", message) }];
    }
  }
}

function denialNodes(owner: DenialOwner): SandboxNode[] {
  return owner.denials.map((denial) => ({ kind: "denial", owner, denial }));
}
