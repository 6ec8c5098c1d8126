// Sandbox: Copy PID: the pid as programs outside the sandbox know it (gdb -p, strace -p, nsenter -t).

import * as vscode from "vscode";
import type { Command, CommandHandler } from "../contributions";
import { t } from "../l10n";
import { pickTarget } from "./pick";
import type { Services } from "./services";

export function copyPid(services: Services): CommandHandler<Command.CopyPid> {
  return async (node) => {
    const target = await pickTarget(services, node);
    if (!target) return;
    const pid = target.kind === "process" ? target.info.pid : target.sandbox.process.pid;
    await vscode.env.clipboard.writeText(String(pid));
    vscode.window.setStatusBarMessage(t("PID {0} copied", pid), 3000);
  };
}
