// Sandbox: Send Signal... to every process of a sandbox, or to one.

import * as vscode from "vscode";
import type { Command, CommandHandler } from "../contributions";
import { t } from "../l10n";
import { signalProcess } from "../sandbox";
import { pickTarget } from "./pick";
import type { Services } from "./services";

export function sendSignal(services: Services): CommandHandler<Command.SendSignal> {
  return async (node, given) => {
    const target = await pickTarget(services, node);
    if (!target) return;
    const signal = isSignal(given) ? given : await pickSignal();
    if (!signal) return;
    const name = target.kind === "process" ? target.info.command : target.sandbox.name;
    services.log.info(`Signal: ${signal} to ${target.kind} ${name} of ${target.sandbox.id}`);
    const sent = target.kind === "process" ? signalProcess(target.info, signal) : target.sandbox.kill(signal);
    if (!sent) void vscode.window.showInformationMessage(t('"{0}" has already ended.', name));
    await services.view.tree.poll();
  };
}

/** signal(7), the five that people send by hand. */
function signals(): (vscode.QuickPickItem & { signal: NodeJS.Signals })[] {
  return [
    { signal: "SIGTERM", label: "SIGTERM", description: t("ask it to end") },
    { signal: "SIGINT", label: "SIGINT", description: t("interrupt, as Ctrl+C does") },
    { signal: "SIGKILL", label: "SIGKILL", description: t("end it at once; it can't refuse") },
    { signal: "SIGSTOP", label: "SIGSTOP", description: t("stop it until SIGCONT") },
    { signal: "SIGCONT", label: "SIGCONT", description: t("let it go on") },
  ];
}

async function pickSignal(): Promise<NodeJS.Signals | undefined> {
  return (await vscode.window.showQuickPick(signals(), { placeHolder: t("Choose a signal") }))?.signal;
}

/** A menu passes the selected nodes as second argument. */
function isSignal(given: unknown): given is NodeJS.Signals {
  return typeof given === "string";
}
