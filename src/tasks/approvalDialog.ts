// Asks the user in a modal dialog, which no task can draw over or answer.

import * as vscode from "vscode";
import { t } from "../l10n";
import { approvalText } from "./approvalText";
import type { Answer, Question } from "./gate";
import { showTask } from "./tasksFile";

/**
 * The button that Enter presses changes nothing: it shows what asks.
 * @returns "no" when the dialog is closed
 */
export async function askInDialog({ request, own, display }: Question): Promise<Answer> {
  const { message, detail, tooLong } = approvalText(request, own, display);
  const show = t("Show Task");
  const once = t("Run Once");
  const remember = t("Allow and Remember");
  const buttons = tooLong ? [show] : [show, once, remember];
  const pressed = await vscode.window.showWarningMessage(message, { modal: true, detail }, ...buttons);
  switch (pressed) {
    case show:
      await showTask(request.workspace, request.name);
      return "show";
    case once:
      return "once";
    case remember:
      return "remember";
    default:
      return "no";
  }
}
