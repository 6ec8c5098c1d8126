// Sandbox: Check This System: tries each kernel feature that sandboxes need and says how to get those that are refused.

import type { Command, CommandHandler } from "../contributions";
import { t } from "../l10n";
import { systemText } from "../views/systemText";
import type { Services } from "./services";

export function checkSystem({ system, documents, view }: Services): CommandHandler<Command.CheckSystem> {
  return async () => {
    if (!system.supported) {
      await documents.show(
        t("System Check"),
        `${system.description}\n\n${t("Sandboxes are made of Linux namespaces. Open the folder on a Linux machine: by SSH, in WSL 2, or in a container.")}\n`,
      );
      return;
    }
    const features = await system.features(true);
    view.message = await system.refusal();
    await documents.show(t("System Check"), systemText(system.description, features));
  };
}
