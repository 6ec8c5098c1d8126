// Sandbox: Explain Profile: what a task may do under a profile in this workspace, in words and as the plan. Nothing is run.

import * as vscode from "vscode";
import { type Command, type CommandHandler, readSetting, Setting } from "../contributions";
import { t } from "../l10n";
import { compile, layout, readHostFacts, resolveProfile } from "../sandbox";
import { explain } from "../spawner";
import { profileText } from "../views/profileText";
import { pickProfile } from "./pick";
import type { Services } from "./services";

/** What the plan is made for; every system has it. */
const SHELL = "/bin/sh";

export function explainProfile({ documents }: Services): CommandHandler<Command.ExplainProfile> {
  return async (name) => {
    const folder = await pickFolder();
    const chosen = folder && (name ?? (await pickProfile(t("Explain Profile"), t("Choose the profile to explain"))));
    if (folder === undefined || chosen === undefined) return;
    const profile = resolveProfile(chosen, readSetting(vscode.workspace, Setting.Profiles));
    const context = { workspace: folder.uri.fsPath };
    const command = { file: SHELL };
    const facts = await readHostFacts(context, { profile, command });
    const options = compile(command, profile, context, facts);
    const steps = explain(SHELL, [], options);
    const text = profileText({ profile, facts, places: layout(profile, facts), options, steps });
    await documents.show(t("Profile {0}", profile.name), text);
  };
}

async function pickFolder(): Promise<vscode.WorkspaceFolder | undefined> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  return folders.length > 1 ? vscode.window.showWorkspaceFolderPick() : folders[0];
}
