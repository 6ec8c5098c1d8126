// Sandbox: Copy Report: the whole text of the document of ours that is being looked at, for a question or a bug report.

import * as vscode from "vscode";
import { type Command, type CommandHandler, DOCUMENT_SCHEME } from "../contributions";
import { t } from "../l10n";

export function copyReport(): CommandHandler<Command.CopyReport> {
  return async () => {
    const document = vscode.window.activeTextEditor?.document;
    if (document?.uri.scheme !== DOCUMENT_SCHEME) return;
    await vscode.env.clipboard.writeText(document.getText());
    vscode.window.setStatusBarMessage(t("Report copied"), 3000);
  };
}
