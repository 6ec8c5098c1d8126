// From a shell or process task of somebody else (tasks.json, npm, make, gulp ...) to a definition of a sandbox task.
// Everything that may hold ${variables} goes into the definition, because VS Code expands them there and nowhere else
// for a task that an extension runs. Knows nothing of the editor but the shapes.

import { TASK_TYPE } from "../contributions";
import type { WordQuoting } from "./command";
import type { SandboxTaskDefinition } from "./definition";
import type { ShellWord } from "./shellQuoting";

export interface ForeignOptions {
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly executable?: string | undefined;
  readonly shellArgs?: readonly string[] | undefined;
}

export interface ForeignShell {
  /** Either a whole line ... */
  readonly line?: string | undefined;
  /** ... or its words, command first. */
  readonly words?: readonly ShellWord[] | undefined;
  readonly options?: ForeignOptions | undefined;
}

export interface ForeignProcess {
  readonly file: string;
  readonly args: readonly string[];
  readonly options?: ForeignOptions | undefined;
}

export interface Converted {
  readonly definition: SandboxTaskDefinition;
  readonly quoting?: WordQuoting;
}

/**
 * A shell task.
 * @param userShell what VS Code runs shell tasks with where the task names no shell
 */
export function fromShell({ line, words = [], options }: ForeignShell, userShell: string): Converted {
  const executable = options?.executable ?? userShell;
  const shell = [executable, ...(options?.shellArgs ?? [commandFlag(executable)])];
  const [command, ...args] = words;
  if (line !== undefined || command === undefined) {
    return { definition: { type: TASK_TYPE, command: line ?? "", shell, ...common(options) } };
  }
  return {
    definition: {
      type: TASK_TYPE,
      command: command.value,
      args: args.map(({ value }) => value),
      shell,
      ...common(options),
    },
    quoting: words.map(({ quoting }) => quoting),
  };
}

/** A process task: argv, never a shell. */
export function fromProcess({ file, args, options }: ForeignProcess): Converted {
  return { definition: { type: TASK_TYPE, command: file, args: [...args], ...common(options) } };
}

/** The names in a `problemMatcher` of tasks.json, and those that are written out there, which VS Code does not pass on. */
export function writtenMatchers(written: unknown): { names: string[]; inline: unknown[] } {
  const all: unknown[] = written === undefined || written === null ? [] : Array.isArray(written) ? written : [written];
  return {
    names: all.filter((matcher) => typeof matcher === "string"),
    inline: all.filter((matcher) => typeof matcher !== "string"),
  };
}

function common(options: ForeignOptions | undefined): Pick<SandboxTaskDefinition, "cwd" | "env"> {
  return {
    ...(options?.cwd ? { cwd: options.cwd } : {}),
    ...(options?.env && Object.keys(options.env).length > 0 ? { env: options.env } : {}),
  };
}

/** What precedes the line: PowerShell has a word of its own for it. */
function commandFlag(executable: string): string {
  return /(^|\/)(pwsh|powershell)$/.test(executable) ? "-Command" : "-c";
}
