// Sandbox: Reveal Terminal: shows where a sandbox prints.

import * as vscode from "vscode";
import type { Command, CommandHandler } from "../contributions";
import { t } from "../l10n";
import { pickTarget } from "./pick";
import type { Services } from "./services";

export function revealTerminal(services: Services): CommandHandler<Command.RevealTerminal> {
  return async (node) => {
    const target = await pickTarget(services, node);
    if (target && !services.links.reveal(target.sandbox.id)) {
      void vscode.window.showInformationMessage(t('No terminal shows "{0}".', target.sandbox.name));
    }
  };
}
