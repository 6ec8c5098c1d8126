// From a checked definition to what is executed: a shell line becomes ONE argument of the shell, and is never spliced
// into another line; argv stays argv.

import path from "node:path";
import { displayCommand } from "../format";
import type { SandboxTaskDefinition } from "./definition";
import { type Quoting, shellLine } from "./shellQuoting";

const DEFAULT_SHELL = ["/bin/sh", "-c"] as const;

export interface TaskCommand {
  readonly file: string;
  readonly args: readonly string[];
  /** What the user would recognise: the shell line, or the argv quoted. */
  readonly display: string;
}

/**
 * How the words of a shell task with args are quoted: the command's rule, then that of each argument. Such a task of
 * VS Code is one line for a shell, made after ${variables} were expanded in each word.
 */
export type WordQuoting = readonly Quoting[];

/** What is executed for a definition (with expanded variables). */
export function taskCommand(definition: SandboxTaskDefinition, quoting?: WordQuoting): TaskCommand {
  const { command, args } = definition;
  if (args !== undefined && quoting === undefined) {
    return { file: command, args, display: displayCommand([command, ...args]) };
  }
  const words = [command, ...(args ?? [])].map((value, index) => ({ value, quoting: quoting?.[index] }));
  const line = args === undefined ? command : shellLine(words);
  const [file = DEFAULT_SHELL[0], ...shellArgs] = definition.shell ?? DEFAULT_SHELL;
  return { file, args: [...shellArgs, line], display: line };
}

/** The working directory, absolute. */
export function taskDirectory(definition: SandboxTaskDefinition, workspace: string): string {
  return definition.cwd === undefined || definition.cwd === "" ? workspace : path.resolve(workspace, definition.cwd);
}
