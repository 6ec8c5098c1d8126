// Sandbox: New Sandboxed Terminal: the user's shell, interactive, in a sandbox of the workspace folder.

import * as vscode from "vscode";
import type { Command, CommandHandler } from "../contributions";
import { sandboxTerminal } from "../tasks";
import type { Services } from "./services";

export function newTerminal({ launcher }: Services): CommandHandler<Command.NewTerminal> {
  return () => vscode.window.createTerminal(sandboxTerminal(launcher)).show();
}
