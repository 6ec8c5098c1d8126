// The CustomExecution of a sandbox task. VS Code calls it back with the definition in which ${variables} are expanded;
// only that one is run.

import * as vscode from "vscode";
import { t } from "../l10n";
import { taskCommand, taskDirectory, type WordQuoting } from "./command";
import { checkDefinition } from "./definition";
import { DefinitionError } from "./failure";
import { type Launcher, type LaunchRequest, scopeFolder } from "./launcher";
import { parseMatcher } from "./problemMatcher";
import { SandboxPseudoterminal } from "./pseudoterminal";
import { terminalOfTask } from "./terminalLinks";
import { writtenTask } from "./written";

export interface ExecutionSource {
  readonly name: string;
  readonly scope: vscode.Task["scope"];
  /** Set for a shell task with args that is run in a sandbox. */
  readonly quoting?: WordQuoting;
  /** The user chose the profile for this very run. */
  readonly profileIsChosen?: boolean;
  /** It stands in tasks.json with this very type, where misspelt keys can be seen. */
  readonly written: boolean;
  /** Lines for the user, shown before the output. */
  readonly warnings?: readonly string[];
  /** Problem matchers that are written out in tasks.json, unchecked. */
  readonly matchers?: readonly unknown[];
}

/** An execution that runs a definition in a sandbox. */
export function sandboxExecution(launcher: Launcher, source: ExecutionSource): vscode.CustomExecution {
  return new vscode.CustomExecution(
    async (definition) =>
      new SandboxPseudoterminal(
        launcher.session({
          name: source.name,
          request: () => launchRequest(definition, source),
          findTerminal: () => terminalOfTask(source.name),
        }),
      ),
  );
}

/**
 * What is to be launched for a definition.
 * @throws DefinitionError, RefusedError
 */
function launchRequest(expanded: vscode.TaskDefinition, source: ExecutionSource): LaunchRequest {
  const folder = scopeFolder(source.scope);
  const written = source.written ? writtenTask(source.name, folder) : undefined;
  const { definition, problems, ignored } = checkDefinition(expanded, written);
  if (!definition) throw new DefinitionError(problems);
  const { file, args, display } = taskCommand(definition, source.quoting);
  const matchers = (source.matchers ?? []).map((matcher) => parseMatcher(matcher, folder.uri.fsPath));
  return {
    name: source.name,
    folder,
    file,
    args,
    display,
    cwd: taskDirectory(definition, folder.uri.fsPath),
    env: definition.env ?? {},
    profile: definition.profile,
    profileIsChosen: source.profileIsChosen === true,
    matchers: matchers.filter((matcher) => matcher !== undefined),
    warnings: [
      ...(source.warnings ?? []),
      ...(matchers.includes(undefined)
        ? [t("A problem matcher that is written out in tasks.json can't be used here; one with a name ($tsc) can.")]
        : []),
      ...ignored.map((key) => t("The key `{0}` of this task is not known and has no effect.", key)),
    ],
  };
}
