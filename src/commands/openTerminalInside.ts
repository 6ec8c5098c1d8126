// Sandbox: Open Terminal Inside: the user's shell in a sandbox that runs already, beside its processes.

import * as vscode from "vscode";
import type { Command, CommandHandler } from "../contributions";
import { terminalInside } from "../tasks";
import { pickTarget } from "./pick";
import type { Services } from "./services";

export function openTerminalInside(services: Services): CommandHandler<Command.OpenTerminalInside> {
  return async (node) => {
    const target = await pickTarget(services, node);
    if (target) vscode.window.createTerminal(terminalInside(services.launcher, target.sandbox)).show();
  };
}
