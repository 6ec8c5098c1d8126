// Makes the lines of systemLine.ts in a terminal lead to the system check.

import * as vscode from "vscode";
import { Command, runCommand } from "../contributions";
import { t } from "../l10n";
import { findSystemLink, type SystemLink } from "./systemLine";

type Link = vscode.TerminalLink & SystemLink;

export class SystemLinks implements vscode.TerminalLinkProvider<Link> {
  provideTerminalLinks({ line }: vscode.TerminalLinkContext): Link[] {
    const found = findSystemLink(line);
    return found === undefined ? [] : [{ ...found, tooltip: t("Check This System") }];
  }

  async handleTerminalLink({ feature }: Link): Promise<void> {
    await runCommand(vscode.commands, Command.CheckSystem, feature);
  }
}
