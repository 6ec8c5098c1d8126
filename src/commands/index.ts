// Registers every command. The table is keyed by the ids, so that a command without a handler does not compile.

import * as vscode from "vscode";
import { ALL_COMMANDS, Command, type CommandHandlers } from "../contributions";
import { t } from "../l10n";
import { allowDenied } from "./allowDenied";
import { checkSystem } from "./checkSystem";
import { copyPid } from "./copyPid";
import { copyReport } from "./copyReport";
import { explainProfile } from "./explainProfile";
import { freeze, thaw } from "./freeze";
import { kill } from "./kill";
import { manageApprovals } from "./manageApprovals";
import { newTerminal } from "./newTerminal";
import { openTerminalInside } from "./openTerminalInside";
import { revealTerminal } from "./revealTerminal";
import { runTask } from "./runTask";
import { sendSignal } from "./sendSignal";
import type { Services } from "./services";
import { showDetails } from "./showDetails";

/** Register all commands; what a handler throws is logged and shown, with a button that opens the log. */
export function registerCommands(services: Services): vscode.Disposable {
  const handlers: CommandHandlers = {
    [Command.RunTask]: runTask(services),
    [Command.NewTerminal]: newTerminal(services),
    [Command.OpenTerminalInside]: openTerminalInside(services),
    [Command.Kill]: kill(services),
    [Command.SendSignal]: sendSignal(services),
    [Command.Freeze]: freeze(services),
    [Command.Thaw]: thaw(services),
    [Command.RevealTerminal]: revealTerminal(services),
    [Command.ShowDetails]: showDetails(services),
    [Command.CopyPid]: copyPid(services),
    [Command.AllowDenied]: allowDenied(services),
    [Command.ManageApprovals]: manageApprovals(services),
    [Command.ExplainProfile]: explainProfile(services),
    [Command.CheckSystem]: checkSystem(services),
    [Command.CopyReport]: copyReport(),
    [Command.ClearEnded]: () => services.registry.clearEnded(),
    [Command.Refresh]: () => services.view.refresh(),
    [Command.ShowLog]: () => services.log.show(),
  };
  return vscode.Disposable.from(...ALL_COMMANDS.map((id) => register(services, id, handlers[id])));
}

function register({ log }: Services, id: Command, handler: (...args: never[]) => unknown): vscode.Disposable {
  return vscode.commands.registerCommand(id, async (...args: never[]) => {
    try {
      return await handler(...args);
    } catch (error) {
      log.error(id, error instanceof Error ? error : String(error));
      const showLog = t("Show Log");
      const message = error instanceof Error ? error.message : String(error);
      void vscode.window.showErrorMessage(message, showLog).then((button) => button === showLog && log.show());
    }
  });
}
