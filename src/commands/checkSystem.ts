// Sandbox: Check This System: tries all that sandboxes need, and says what is missing and what mends it.

import * as vscode from "vscode";
import type { Command, CommandHandler } from "../contributions";
import { t } from "../l10n";
import { doctor } from "../sandbox";
import type { Services } from "./services";

export function checkSystem({ system, documents, view }: Services): CommandHandler<Command.CheckSystem> {
  return async (feature) => {
    const name = t("System Check");
    if (!system.supported) {
      const words = t(
        "Sandboxes are made of Linux namespaces. Open the folder on a Linux machine: by SSH, in WSL 2, or in a container.",
      );
      await documents.show(name, `${system.description}\n\n${words}\n`);
      return;
    }
    const report = await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: t("Checking this system") },
      (progress) => {
        let told = 0;
        return system.check({
          onProgress: (what, done) => {
            progress.report({ message: what, increment: (done - told) * 100 });
            told = done;
          },
        });
      },
    );
    view.message = await system.show();
    // Else the answer, also where the report was left scrolled down.
    const line = (feature === undefined ? undefined : doctor.lineOfFeature(report, feature)) ?? 0;
    await documents.show(name, doctor.reportText(report), line);
  };
}
