// Sandbox: Manage Approvals: what tasks of repositories were allowed beyond the user's profile, each to be taken back.

import * as vscode from "vscode";
import type { Command, CommandHandler } from "../contributions";
import { t } from "../l10n";
import type { Approval } from "../tasks/approvals";
import type { Services } from "./services";

interface ApprovalItem extends vscode.QuickPickItem {
  readonly approval?: Approval;
}

export function manageApprovals({ approvals, log }: Services): CommandHandler<Command.ManageApprovals> {
  return () => {
    const remove: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon("trash"), tooltip: t("Take Back") };
    const removeAll: vscode.QuickInputButton = {
      iconPath: new vscode.ThemeIcon("clear-all"),
      tooltip: t("Take Back All"),
    };
    const list = vscode.window.createQuickPick<ApprovalItem>();
    const update = (): void => {
      list.items = approvals.all.map((approval) => item(approval, remove));
      list.buttons = list.items.length > 0 ? [removeAll] : [];
      list.placeholder =
        list.items.length > 0
          ? t("What tasks were allowed beyond your profile; take back what you no longer want")
          : t("No task was allowed anything beyond your profile.");
    };
    list.title = t("Approvals");
    list.matchOnDescription = true;
    list.matchOnDetail = true;
    list.onDidTriggerItemButton(async ({ item: { approval } }) => {
      if (!approval) return;
      log.info(`Approval taken back: ${approval.task} in ${approval.folder}`);
      await approvals.remove(approval.hash);
      update();
    });
    list.onDidTriggerButton(async () => {
      log.info("All approvals taken back");
      await approvals.clear();
      update();
    });
    list.onDidAccept(() => list.hide());
    list.onDidHide(() => list.dispose());
    update();
    list.show();
  };
}

function item(approval: Approval, remove: vscode.QuickInputButton): ApprovalItem {
  const { task, folder, command, allows, since } = approval;
  return {
    label: `$(shield) ${task}`,
    description: `${folder} · ${new Date(since).toLocaleDateString()}`,
    detail: t("It may {0}. Command: {1}", allows.join("; "), command),
    buttons: [remove],
    approval,
  };
}
