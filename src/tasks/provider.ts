// Resolves tasks of type `sandbox` from tasks.json. It provides none of its own: VS Code lists those in tasks.json and
// asks resolveTask for each, and what npm, make and others provide is run with "Run Task in Sandbox...".

import * as vscode from "vscode";
import { readSetting, Setting, TASK_SOURCE, TASK_TYPE } from "../contributions";
import { t } from "../l10n";
import { describeProfile, ProfileError, type ProfileRef, resolveProfile } from "../sandbox";
import { sandboxExecution } from "./execution";
import { profileWords } from "./failure";
import type { Launcher } from "./launcher";

export class SandboxTaskProvider implements vscode.TaskProvider {
  constructor(private readonly launcher: Launcher) {}

  provideTasks(): vscode.Task[] {
    return [];
  }

  resolveTask(task: vscode.Task): vscode.Task | undefined {
    if (task.definition.type !== TASK_TYPE) return undefined;
    const { name, scope } = task;
    // VS Code refuses a resolved task whose definition is another object, so a wrong one is kept too; it is told when
    // the task runs, in its terminal.
    const resolved = new vscode.Task(
      task.definition,
      scope ?? vscode.TaskScope.Workspace,
      name,
      TASK_SOURCE,
      sandboxExecution(this.launcher, { name, scope, written: true }),
      task.problemMatchers,
    );
    resolved.detail = profileDetail(task.definition.profile as ProfileRef | undefined);
    return resolved;
  }
}

/** What the sandbox may do, in words, or what is wrong with its profile. */
export function profileDetail(profile: ProfileRef | undefined): string {
  const ref = profile ?? readSetting(vscode.workspace, Setting.DefaultProfile);
  try {
    const words = describeProfile(resolveProfile(ref, readSetting(vscode.workspace, Setting.Profiles)));
    return typeof ref === "string" ? `${ref}: ${words}` : words;
  } catch (error) {
    if (error instanceof ProfileError) return t("Can't run: {0}", profileWords(error));
    throw error;
  }
}
