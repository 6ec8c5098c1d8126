// Sandbox: Run Task in Sandbox...: any task of the workspace, under a profile, without a change to tasks.json.

import * as vscode from "vscode";
import type { Command, CommandHandler } from "../contributions";
import { t } from "../l10n";
import { sandboxable, sandboxedTask } from "../tasks";
import type { Converted } from "../tasks/foreignTask";
import { defaultProfile, pickProfile } from "./pick";
import type { Services } from "./services";

interface TaskItem extends vscode.QuickPickItem {
  readonly task?: vscode.Task;
  readonly converted?: Converted;
}

export function runTask({ launcher }: Services): CommandHandler<Command.RunTask> {
  return async (name, profile) => {
    const picked = typeof name === "string" ? await findTask(name) : await pickTask();
    if (!picked?.task) return;
    if (!picked.converted) {
      void vscode.window.showInformationMessage(
        t('"{0}" can\'t run in a sandbox. {1}', picked.task.name, picked.detail ?? ""),
      );
      return;
    }
    // Only what was picked is known to be the user's choice: a repository can have commands run with arguments, too
    // (inputs of tasks.json).
    const isAsked = typeof name !== "string";
    const chosen = isAsked
      ? await pickProfile(t("Run Task in Sandbox"), t("Choose what the sandbox may do"))
      : (profile ?? defaultProfile());
    if (chosen === undefined) return;
    return vscode.tasks.executeTask(sandboxedTask(launcher, picked.task, picked.converted, chosen, isAsked));
  };
}

async function findTask(name: string): Promise<TaskItem> {
  const task = (await vscode.tasks.fetchTasks()).find((candidate) => candidate.name === name);
  if (!task) throw new Error(t('There is no task "{0}" in this workspace.', name));
  return taskItem(task);
}

/** All tasks, those that can't run in a sandbox at the end, with the reason. */
async function pickTask(): Promise<TaskItem | undefined> {
  const items = vscode.tasks.fetchTasks().then((tasks): TaskItem[] => {
    const all = tasks.map(taskItem).sort((a, b) => (a.description ?? "").localeCompare(b.description ?? ""));
    const [good, bad] = [all.filter(({ converted }) => converted), all.filter(({ converted }) => !converted)];
    if (all.length === 0) return [{ label: t("This workspace has no tasks.") }];
    return bad.length === 0
      ? good
      : [...good, { label: t("Can't run in a sandbox"), kind: vscode.QuickPickItemKind.Separator }, ...bad];
  });
  return vscode.window.showQuickPick(items, {
    title: t("Run Task in Sandbox"),
    placeHolder: t("Choose the task to run"),
    matchOnDescription: true,
  });
}

function taskItem(task: vscode.Task): TaskItem {
  const folder = typeof task.scope === "object" ? task.scope.name : undefined;
  const several = (vscode.workspace.workspaceFolders?.length ?? 0) > 1;
  // VS Code calls all tasks of tasks.json "Workspace"; their type says more.
  const source = task.source === "Workspace" ? `${task.definition.type} · tasks.json` : task.source;
  const description = several && folder ? `${source} · ${folder}` : source;
  const result = sandboxable(task);
  if ("reason" in result) {
    return { label: `$(circle-slash) ${task.name}`, description, detail: result.reason, task };
  }
  return {
    label: `$(shield) ${task.name}`,
    description,
    ...(task.detail ? { detail: task.detail } : {}),
    task,
    converted: result.converted,
  };
}
