// Notifications for what was not started: each with a button that leads to where it is mended, and none twice. The
// terminal says the same in more words, so a second run of the same broken task needs no second notification.

import * as vscode from "vscode";
import { Command, EXTENSION_ID, runCommand } from "../contributions";
import { t } from "../l10n";
import type { Failure, FailureAction } from "./failure";

export class FailureNotifier {
  /** Task name -> the text that was shown last. */
  readonly #shown = new Map<string, string>();

  /** Tell it, unless the same was told for this task since it last started. */
  show(task: string, failure: Failure): void {
    if (this.#shown.get(task) === failure.summary) return;
    this.#shown.set(task, failure.summary);
    const buttons: FailureAction[] = failure.action === "log" ? ["log"] : [failure.action, "log"];
    const labels = new Map(buttons.map((action) => [buttonLabel(action), action]));
    const summary = failure.summary.replace(/[.?!]?$/, (end) => end || ".");
    const text = [`${task}: ${summary}`, failure.remedy].filter(Boolean).join(" ");
    void vscode.window.showErrorMessage(text, ...labels.keys()).then((label) => {
      const action = label === undefined ? undefined : labels.get(label);
      return action && act(action, failure);
    });
  }

  /** It started: if it fails again later, that is news. */
  succeeded(task: string): void {
    this.#shown.delete(task);
  }
}

function buttonLabel(action: FailureAction): string {
  switch (action) {
    case "tasks":
      return t("Open tasks.json");
    case "settings":
      return t("Open Settings");
    case "system":
      return t("Check This System");
    case "trust":
      return t("Manage Workspace Trust");
    case "log":
      return t("Show Log");
  }
}

async function act(action: FailureAction, { feature }: Failure): Promise<void> {
  switch (action) {
    case "tasks":
      return openTasks();
    case "settings":
      return openSettings();
    case "system":
      return runCommand(vscode.commands, Command.CheckSystem, feature);
    case "trust":
      await vscode.commands.executeCommand("workbench.trust.manage");
      return;
    case "log":
      return runCommand(vscode.commands, Command.ShowLog);
  }
}

/** Our settings, where the user's values of them are: they are of the machine, and the remote's where there is one. */
export async function openSettings(): Promise<void> {
  const where = vscode.env.remoteName === undefined ? "openSettings" : "openRemoteSettings";
  await vscode.commands.executeCommand(`workbench.action.${where}`, { query: `@ext:${EXTENSION_ID}` });
}

/** The tasks.json of the first folder that has one; else VS Code's own command, which makes one. */
async function openTasks(): Promise<void> {
  for (const folder of vscode.workspace.workspaceFolders ?? []) {
    const file = vscode.Uri.joinPath(folder.uri, ".vscode", "tasks.json");
    try {
      await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(file));
      return;
    } catch {
      // No such file in this folder.
    }
  }
  await vscode.commands.executeCommand("workbench.action.tasks.configureTaskRunner");
}
