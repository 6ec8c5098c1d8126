// Which terminal a sandbox runs in. VS Code does not tell a task's pseudoterminal its terminal, so it is looked for when
// the user asks to see it: by the pseudoterminal where we made the terminal, by the task's name otherwise.

import * as vscode from "vscode";

export class TerminalLinks {
  readonly #find = new Map<string, () => vscode.Terminal | undefined>();

  link(sandboxId: string, find: () => vscode.Terminal | undefined): void {
    this.#find.set(sandboxId, find);
  }

  unlink(sandboxId: string): void {
    this.#find.delete(sandboxId);
  }

  /** Show the terminal of a running sandbox. Returns false when there is none (any more). */
  reveal(sandboxId: string): boolean {
    const terminal = this.#find.get(sandboxId)?.();
    terminal?.show();
    return terminal !== undefined;
  }
}

/** The terminal that we made with this pseudoterminal. */
export function terminalOf(pty: vscode.Pseudoterminal): vscode.Terminal | undefined {
  return vscode.window.terminals.find(({ creationOptions }) => "pty" in creationOptions && creationOptions.pty === pty);
}

/** The newest terminal of a task; VS Code adds the folder to the name in a workspace of several folders. */
export function terminalOfTask(name: string): vscode.Terminal | undefined {
  return vscode.window.terminals.findLast(
    (terminal) => terminal.name === name || terminal.name.startsWith(`${name} (`),
  );
}
