// The view "Sandboxes": its badge, its context keys (sandboxTasks.hasRunning, .hasEnded), the status bar item, and when it is redrawn: on
// the registry's events, and once a second while it is visible and something runs.

import * as vscode from "vscode";
import { ContextKey, setContextKey, View } from "../contributions";
import { t } from "../l10n";
import type { SandboxRegistry } from "../sandbox";
import type { SandboxNode } from "./nodes";
import { SandboxTree } from "./tree";

const POLL_MS = 1000;

/** A task that starts and ends gives several events at once. */
const DEBOUNCE_MS = 50;

export class SandboxesView implements vscode.Disposable {
  readonly tree: SandboxTree;
  readonly #view: vscode.TreeView<SandboxNode>;
  readonly #statusBar: vscode.StatusBarItem;
  readonly #subscriptions: vscode.Disposable[];
  #poll: NodeJS.Timeout | undefined;
  #debounce: NodeJS.Timeout | undefined;
  #disposed = false;

  constructor(
    private readonly registry: SandboxRegistry,
    private readonly log: vscode.LogOutputChannel,
    onFirstVisible: () => void,
  ) {
    this.tree = new SandboxTree(registry, log);
    this.#view = vscode.window.createTreeView(View.Sandboxes, { treeDataProvider: this.tree, showCollapseAll: true });
    this.#statusBar = vscode.window.createStatusBarItem("sandbox.running", vscode.StatusBarAlignment.Left, 0);
    this.#statusBar.name = t("Sandboxes");
    this.#statusBar.command = `${View.Sandboxes}.focus`;
    let seen = false;
    const visibilityChanged = () => {
      if (this.#view.visible && !seen) {
        seen = true;
        onFirstVisible();
      }
      this.#schedulePoll();
    };
    this.#subscriptions = [
      this.tree,
      this.#view,
      this.#statusBar,
      this.#view.onDidChangeVisibility(visibilityChanged),
      registry.onDidChange(() => {
        clearTimeout(this.#debounce);
        this.#debounce = setTimeout(() => this.refresh(), DEBOUNCE_MS);
      }),
    ];
    visibilityChanged();
    this.#showCount();
  }

  /** Draw everything anew. */
  refresh(): void {
    if (this.#disposed) return;
    this.tree.refresh();
    this.#showCount();
    this.#schedulePoll();
  }

  /** A text above the tree; undefined takes it away. */
  set message(text: string | undefined) {
    this.#view.message = text ?? "";
  }

  dispose(): void {
    this.#disposed = true;
    clearTimeout(this.#poll);
    clearTimeout(this.#debounce);
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #showCount(): void {
    const count = this.registry.running.length;
    const words = count === 1 ? t("1 sandbox is running") : t("{0} sandboxes are running", count);
    this.#view.badge = count > 0 ? { value: count, tooltip: words } : undefined;
    this.#statusBar.text = `$(shield) ${count}`;
    this.#statusBar.tooltip = words;
    this.#statusBar.accessibilityInformation = { label: words };
    if (count > 0) this.#statusBar.show();
    else this.#statusBar.hide();
    void setContextKey(vscode.commands, ContextKey.HasRunning, count > 0);
    void setContextKey(vscode.commands, ContextKey.HasEnded, this.registry.ended.length > 0);
  }

  #schedulePoll(): void {
    clearTimeout(this.#poll);
    if (this.#disposed || !this.#view.visible || this.registry.running.length === 0) return;
    this.#poll = setTimeout(() => {
      this.tree
        .poll()
        .catch((error: unknown) => this.log.warn("Tree: poll failed", String(error)))
        .finally(() => this.#schedulePoll());
    }, POLL_MS);
  }
}
