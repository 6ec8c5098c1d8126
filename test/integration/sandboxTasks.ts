// What the integration tests share: the extension's API, tasks.json of the opened workspace, running tasks, and a
// terminal that remembers what it was told.

import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { stripVTControlCharacters } from "node:util";
import * as vscode from "vscode";
import { EXTENSION_ID, TASK_TYPE } from "../../src/contributions";
import type { SandboxTasksApi } from "../../src/extension";
import type { Sandbox } from "../../src/sandbox/types";
import { waitUntil } from "../support/processes";

/** The extension under test, activated. */
export async function api(): Promise<SandboxTasksApi> {
  const extension = vscode.extensions.getExtension<SandboxTasksApi>(EXTENSION_ID);
  assert(extension, "the extension is installed");
  return extension.activate();
}

/** The opened folder. */
export function workspaceFolder(): vscode.WorkspaceFolder {
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  assert(folder, "a folder is open");
  return folder;
}

/** A path in the opened folder. */
export function inWorkspace(...names: string[]): string {
  return path.join(workspaceFolder().uri.fsPath, ...names);
}

/** Replace tasks.json, and wait until VS Code has read it. */
export async function writeTasks(tasks: readonly Record<string, unknown>[], more: object = {}): Promise<void> {
  // A task of its own name tells that this version was read, and not the one before.
  const marker = `marker ${Date.now()}`;
  const all = [...tasks, { label: marker, type: "process", command: "true" }];
  fs.mkdirSync(inWorkspace(".vscode"), { recursive: true });
  fs.writeFileSync(
    inWorkspace(".vscode/tasks.json"),
    JSON.stringify({ version: "2.0.0", tasks: all, ...more }, null, 2),
  );
  await waitUntil("tasks.json was read", async () =>
    (await vscode.tasks.fetchTasks()).some(({ name }) => name === marker),
  );
}

/** The task of this name. */
export async function findTask(name: string, type?: string): Promise<vscode.Task> {
  const tasks = await vscode.tasks.fetchTasks(type === undefined ? undefined : { type });
  const task = tasks.find((candidate) => candidate.name === name);
  assert(task, `no task "${name}" among ${tasks.map((candidate) => candidate.name).join(", ")}`);
  return task;
}

/** Wait for the end of the next task of this name: its exit code. */
export function nextEnd(name: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const listener = vscode.tasks.onDidEndTaskProcess(({ execution, exitCode }) => {
      if (execution.task.name !== name) return;
      listener.dispose();
      resolve(exitCode);
    });
  });
}

/** Run a task of tasks.json as VS Code does, and return its exit code. */
export async function run(name: string): Promise<number | undefined> {
  const end = nextEnd(name);
  await vscode.tasks.executeTask(await findTask(name));
  return end;
}

/** Run a sandboxed line in VS Code's own task system. */
export async function runLine(command: string, more: object = {}): Promise<number | undefined> {
  await writeTasks([{ label: "line", type: TASK_TYPE, command, problemMatcher: [], ...more }]);
  return run("line");
}

/** What a terminal shows of a pseudoterminal. */
export class RecordingTerminal {
  /** With escape sequences. */
  raw = "";
  closed: number | undefined;
  readonly #pty: vscode.Pseudoterminal;

  constructor(pty: vscode.Pseudoterminal) {
    this.#pty = pty;
    pty.onDidWrite((text) => {
      this.raw += text;
    });
    pty.onDidClose?.((code) => {
      this.closed = code ?? 0;
    });
  }

  /** Without escape sequences. */
  get text(): string {
    return stripVTControlCharacters(this.raw);
  }

  open(size: { columns: number; rows: number } | undefined = { columns: 80, rows: 24 }): this {
    this.#pty.open(size);
    return this;
  }

  type(text: string): void {
    this.#pty.handleInput?.(text);
  }

  resize(columns: number, rows: number): void {
    this.#pty.setDimensions?.({ columns, rows });
  }

  close(): void {
    this.#pty.close();
  }

  async shows(pattern: RegExp): Promise<RegExpExecArray> {
    return waitUntil(
      `the terminal shows ${pattern}; it shows:\n${this.text}\n`,
      () => pattern.exec(this.text) ?? false,
    );
  }

  /** @returns the exit code */
  async ends(limitMs = 20_000): Promise<number> {
    // 0 must not be taken for "not yet".
    return (await waitUntil("the terminal closes", () => this.closed !== undefined && { code: this.closed }, limitMs))
      .code;
  }
}

/**
 * The pseudoterminal that the extension makes for a task, without VS Code's terminal around it, so that every byte can
 * be looked at: calls the task's CustomExecution as VS Code would.
 */
export async function terminalOf(task: vscode.Task): Promise<RecordingTerminal> {
  assert(task.execution instanceof vscode.CustomExecution, "the task was resolved by the extension");
  // vscode.d.ts keeps the callback to itself; VS Code's own implementation reads it under this name.
  const callback: unknown = Reflect.get(task.execution, "callback");
  assert(typeof callback === "function");
  return new RecordingTerminal((await callback(task.definition)) as vscode.Pseudoterminal);
}

/** A sandboxed line in a terminal that the test holds. */
export async function lineInTerminal(command: string, more: object = {}): Promise<RecordingTerminal> {
  await writeTasks([{ label: "line", type: TASK_TYPE, command, problemMatcher: [], ...more }]);
  return terminalOf(await findTask("line", TASK_TYPE));
}

/** Whether a process lives; one that waits to be reaped does not. */
export function isAlive(pid: number): boolean {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3) !== "Z";
  } catch {
    return false;
  }
}

/**
 * No sandbox is left from a test, and VS Code has heard of it: a task that it believes to be active it would not start
 * again, but ask what to do.
 */
export async function nothingRuns(): Promise<void> {
  const { registry } = await api();
  await waitUntil("every sandbox has ended", () => registry.running.length === 0);
  await waitUntil("every task has ended", () => vscode.tasks.taskExecutions.length === 0);
}

/** Runs a line of shell as a task in a sandbox, until it is known to the registry. */
export async function startTask(command: string, more: object = {}): Promise<Sandbox> {
  const { registry } = await api();
  await writeTasks([{ label: "runs", type: TASK_TYPE, command, problemMatcher: [], ...more }]);
  await vscode.tasks.executeTask(await findTask("runs"));
  return waitUntil("it runs", () => registry.running.find(({ name }) => name === "runs"));
}
