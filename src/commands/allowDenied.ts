// Sandbox: Allow What Was Refused...: from a denial in the tree or at the end of a terminal to the line in the user's
// settings that allows it, shown before it is written, and taken back by a button.

import { isDeepStrictEqual } from "node:util";
import * as vscode from "vscode";
import { type Command, type CommandHandler, readSetting, Setting } from "../contributions";
import { describeDenial } from "../format";
import { t } from "../l10n";
import {
  changeToAllow,
  compile,
  type Denial,
  type DenialOwner,
  type Loosening,
  loosenings,
  type ProfileChange,
  readHostFacts,
  resolveProfile,
} from "../sandbox";
import { openSettings } from "../tasks";
import type { DenialNode, SandboxNode } from "../views/nodes";
import { allowText } from "./allowText";
import type { Services } from "./services";

export function allowDenied(services: Services): CommandHandler<Command.AllowDenied> {
  return async (node) => {
    const target = await pickDenial(services, node);
    if (target?.denial.allow === undefined) return;
    const own = readSetting(vscode.workspace, Setting.Profiles);
    const change = changeToAllow(own, target.owner.profile, target.denial.allow);
    const beyond = await consequences(change, own, target.owner.workspace);
    if (beyond.length === 0) {
      const message = t('The profile "{0}" allows this already. Run the task again.', change.profile);
      void vscode.window.showInformationMessage(message);
      return;
    }
    const { message, detail } = allowText(target.denial, change, beyond);
    const write = t("Change Profile");
    const settings = t("Open Settings");
    // The first button is the one that Enter presses: it must change nothing.
    const pressed = await vscode.window.showWarningMessage(message, { modal: true, detail }, settings, write);
    if (pressed === settings) await openSettings();
    if (pressed !== write) return;
    services.log.info(`Profile ${change.profile} changed: ${JSON.stringify(change.after)}`);
    await writeProfiles(change.profiles);
    void tellChanged(change, own);
  };
}

/**
 * What tasks under the profile may do beyond what they may do now.
 * @throws ProfileError, SandboxError when the changed profile could not be used: then every task under it would be refused
 */
async function consequences(
  { profile, profiles }: ProfileChange,
  own: Readonly<Record<string, unknown>>,
  workspace: string,
): Promise<Loosening[]> {
  const after = resolveProfile(profile, profiles);
  const facts = await readHostFacts({ workspace }, { profile: after });
  compile({ file: "true" }, after, { workspace }, facts);
  return loosenings(after, resolveProfile(profile, own), facts);
}

async function writeProfiles(profiles: Readonly<Record<string, unknown>>): Promise<void> {
  const value = Object.keys(profiles).length === 0 ? undefined : profiles;
  await vscode.workspace.getConfiguration().update(Setting.Profiles, value, vscode.ConfigurationTarget.Global);
}

/** Says so, with the way back as long as nothing else was changed. */
async function tellChanged(
  { profile, profiles }: ProfileChange,
  own: Readonly<Record<string, unknown>>,
): Promise<void> {
  const undo = t("Undo");
  const settings = t("Open Settings");
  const message = t('The profile "{0}" is changed. Run the task again.', profile);
  const pressed = await vscode.window.showInformationMessage(message, undo, settings);
  const isAsWritten = isDeepStrictEqual(readSetting(vscode.workspace, Setting.Profiles), profiles);
  if (pressed === undo && isAsWritten) await writeProfiles(own);
  else if (pressed !== undefined) await openSettings();
}

/** The denial that a command was called with, or one that the user picks of those that can be allowed. */
async function pickDenial(
  { registry }: Services,
  node: SandboxNode | undefined,
): Promise<Pick<DenialNode, "owner" | "denial"> | undefined> {
  if (node?.kind === "denial") return node;
  const owners: DenialOwner[] = [...registry.running, ...registry.ended];
  const items = owners.flatMap((owner) =>
    owner.denials.filter(({ allow }) => allow !== undefined).map((denial) => item(owner, denial)),
  );
  if (items.length === 0) {
    void vscode.window.showInformationMessage(t("No sandbox refused anything that a profile could allow."));
    return undefined;
  }
  return vscode.window.showQuickPick(items, { placeHolder: t("Choose what to allow"), matchOnDescription: true });
}

function item(owner: DenialOwner, denial: Denial): vscode.QuickPickItem & Pick<DenialNode, "owner" | "denial"> {
  return {
    label: denial.what,
    description: describeDenial(denial),
    detail: t("{0}, under {1}", owner.name, owner.profile),
    owner,
    denial,
  };
}
