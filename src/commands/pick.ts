// Commands that act on a sandbox or a process are called from the tree with a node; from the palette they ask. So do those
// that need a profile.

import * as vscode from "vscode";
import { readSetting, Setting } from "../contributions";
import { formatTime } from "../format";
import { t } from "../l10n";
import { describeProfile, profileNames, resolveProfile } from "../sandbox";
import type { Sandbox } from "../sandbox/types";
import type { ProcessNode, RunningNode, SandboxNode } from "../views/nodes";
import type { Services } from "./services";

export type Target = RunningNode | ProcessNode;

/** The sandbox or process that a command is for; undefined when the user chose none or none runs. */
export async function pickTarget(services: Services, node: SandboxNode | undefined): Promise<Target | undefined> {
  if (node?.kind === "process" || node?.kind === "running") return node;
  if (node && "sandbox" in node) return { kind: "running", sandbox: node.sandbox };
  const sandbox = await pickSandbox(services);
  return sandbox && { kind: "running", sandbox };
}

/** A running sandbox, without asking when there is only one. */
async function pickSandbox({ registry }: Services): Promise<Sandbox | undefined> {
  const { running } = registry;
  if (running.length === 0) {
    void vscode.window.showInformationMessage(t("No sandbox is running."));
    return undefined;
  }
  if (running.length === 1) return running[0];
  const picked = await vscode.window.showQuickPick(
    running.map((sandbox) => ({
      label: sandbox.name,
      description: t("{0} · since {1}", sandbox.profile, formatTime(sandbox.startedAt)),
      detail: sandbox.workspace,
      sandbox,
    })),
    { placeHolder: t("Choose a sandbox") },
  );
  return picked?.sandbox;
}

/** Of tasks that name none. */
export function defaultProfile(): string {
  return readSetting(vscode.workspace, Setting.DefaultProfile);
}

/** The profiles with what they allow, the default first. */
export async function pickProfile(title: string, placeHolder: string): Promise<string | undefined> {
  const own = readSetting(vscode.workspace, Setting.Profiles);
  const preferred = defaultProfile();
  const names = [...profileNames(own)].sort((a, b) => Number(b === preferred) - Number(a === preferred));
  const picked = await vscode.window.showQuickPick(
    names.map((name) => ({
      label: name,
      description: name === preferred ? t("default") : "",
      detail: profileWords(name, own),
    })),
    { title, placeHolder },
  );
  return picked?.label;
}

function profileWords(name: string, own: Record<string, unknown>): string {
  try {
    return describeProfile(resolveProfile(name, own));
  } catch (error) {
    return t("Can't be used: {0}", error instanceof Error ? error.message : String(error));
  }
}
