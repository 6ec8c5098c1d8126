// Shows a task where it is written.

import * as vscode from "vscode";

/** The tasks.json of a folder with the task of this name selected; without one VS Code's own command, which makes one. */
export async function showTask(folder: string, name: string): Promise<void> {
  const file = vscode.Uri.joinPath(vscode.Uri.file(folder), ".vscode", "tasks.json");
  let document: vscode.TextDocument;
  try {
    document = await vscode.workspace.openTextDocument(file);
  } catch {
    await vscode.commands.executeCommand("workbench.action.tasks.configureTaskRunner");
    return;
  }
  const start = document.getText().indexOf(JSON.stringify(name));
  const selection =
    start < 0 ? undefined : new vscode.Range(document.positionAt(start), document.positionAt(start + name.length + 2));
  await vscode.window.showTextDocument(document, selection === undefined ? {} : { selection });
}
