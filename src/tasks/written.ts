// The objects in tasks.json as somebody wrote them. VS Code's API gives less: of a sandbox task only the declared keys
// (a misspelt one vanishes), of a task from tasks.json no problem matchers.

import * as vscode from "vscode";

export type WrittenTask = Readonly<Record<string, unknown>>;

/** All task objects of tasks.json that hold for a folder, the most specific file first. */
export function writtenTasks(folder: vscode.WorkspaceFolder | undefined): WrittenTask[] {
  const values = vscode.workspace.getConfiguration("tasks", folder?.uri ?? null).inspect<unknown>("tasks");
  return [values?.workspaceFolderValue, values?.workspaceValue, values?.globalValue].flatMap((value) =>
    Array.isArray(value) ? value.filter(isObject) : [],
  );
}

/** The object in tasks.json that a task comes from, found by its label. */
export function writtenTask(name: string, folder: vscode.WorkspaceFolder | undefined): WrittenTask | undefined {
  return writtenTasks(folder).find((task) => task.label === name || task.taskName === name);
}

function isObject(value: unknown): value is WrittenTask {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
