// Any task of the workspace as a sandbox task, or the reason why it can't be one.

import * as vscode from "vscode";
import { TASK_SOURCE, TASK_TYPE } from "../contributions";
import { t } from "../l10n";
import type { ProfileRef } from "../sandbox";
import { sandboxExecution } from "./execution";
import { type Converted, fromProcess, fromShell, writtenMatchers } from "./foreignTask";
import type { Launcher } from "./launcher";
import type { Quoting, ShellWord } from "./shellQuoting";
import { writtenTask } from "./written";

export type Sandboxable = { readonly converted: Converted } | { readonly reason: string };

/** Whether a task can run in a sandbox, and as what. */
export function sandboxable(task: vscode.Task): Sandboxable {
  const { execution, definition } = task;
  if (execution instanceof vscode.ProcessExecution) {
    return {
      converted: fromProcess({ file: execution.process, args: execution.args, options: options(execution.options) }),
    };
  }
  if (execution instanceof vscode.ShellExecution) {
    return {
      converted: fromShell(
        { line: execution.commandLine, words: shellWords(execution), options: options(execution.options) },
        vscode.env.shell || "/bin/sh",
      ),
    };
  }
  if (definition.type === TASK_TYPE) {
    const { command, args, shell, profile, cwd, env } = definition;
    return { converted: { definition: { type: TASK_TYPE, command, args, shell, profile, cwd, env } } };
  }
  if (writtenTask(task.name, folderOf(task))?.dependsOn !== undefined || definition.type === "$composite") {
    return { reason: t("It has no command of its own: it only starts other tasks. Run those instead.") };
  }
  return {
    reason: t('The extension behind tasks of type "{0}" runs it itself; there is no command to run.', definition.type),
  };
}

/**
 * The task that runs in a sandbox what `task` would run outside; keeps everything else that the task says of itself.
 * @param profileIsChosen by the user, for this run
 */
export function sandboxedTask(
  launcher: Launcher,
  task: vscode.Task,
  { definition, quoting }: Converted,
  profile: ProfileRef,
  profileIsChosen: boolean,
): vscode.Task {
  const written = writtenTask(task.name, folderOf(task));
  const { names, inline } = writtenMatchers(written?.problemMatcher);
  const warnings = written?.dependsOn === undefined ? [] : [t("The tasks that this one depends on were not started.")];
  const scope = task.scope ?? vscode.TaskScope.Workspace;
  const sandboxed = new vscode.Task(
    { ...definition, profile },
    scope,
    task.name,
    TASK_SOURCE,
    sandboxExecution(launcher, {
      name: task.name,
      scope,
      profileIsChosen,
      written: false,
      warnings,
      matchers: inline,
      ...(quoting ? { quoting } : {}),
    }),
    [...new Set([...task.problemMatchers, ...names])],
  );
  sandboxed.isBackground = task.isBackground;
  sandboxed.presentationOptions = task.presentationOptions;
  sandboxed.runOptions = task.runOptions;
  if (task.group) sandboxed.group = task.group;
  if (task.detail) sandboxed.detail = task.detail;
  return sandboxed;
}

function folderOf({ scope }: vscode.Task): vscode.WorkspaceFolder | undefined {
  return typeof scope === "object" ? scope : vscode.workspace.workspaceFolders?.[0];
}

function shellWords(execution: vscode.ShellExecution): ShellWord[] | undefined {
  if (execution.command === undefined) return undefined;
  return [execution.command, ...(execution.args ?? [])].map((word) =>
    typeof word === "string" ? { value: word } : { value: word.value, quoting: quotingName(word.quoting) },
  );
}

function quotingName(quoting: vscode.ShellQuoting): Quoting {
  switch (quoting) {
    case vscode.ShellQuoting.Escape:
      return "escape";
    case vscode.ShellQuoting.Strong:
      return "strong";
    case vscode.ShellQuoting.Weak:
      return "weak";
  }
}

function options(given: vscode.ShellExecutionOptions | vscode.ProcessExecutionOptions | undefined) {
  if (!given) return undefined;
  const shell = "executable" in given || "shellArgs" in given ? given : undefined;
  return {
    cwd: given.cwd,
    env: given.env,
    ...(shell && "executable" in shell ? { executable: shell.executable } : {}),
    ...(shell && "shellArgs" in shell ? { shellArgs: shell.shellArgs } : {}),
  };
}
