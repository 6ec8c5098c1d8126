// Every id that package.json's `contributes` section and the code share: commands, settings, views, context keys, task
// and terminal types. Nowhere else is such an id written as a string. Tables keyed by an enum make a forgotten entry a
// compile error; test/unit/contributions.test.ts holds package.json against them in both directions.

import type * as vscode from "vscode";
import type { SandboxNode } from "./views/nodes";

export const EXTENSION_ID = "sandbox-tasks.sandbox-tasks";

/** `type` in tasks.json. */
export const TASK_TYPE = "sandbox";

/** Shown before a task's name ("sandbox: build"). */
export const TASK_SOURCE = "sandbox";

/** Id of the terminal profile in the terminal's dropdown. */
export const TERMINAL_PROFILE = "sandbox.terminal";

/** Scheme of our read-only documents (details, system check). */
export const DOCUMENT_SCHEME = "sandbox-tasks";

export enum Command {
  RunTask = "sandbox.runTask",
  NewTerminal = "sandbox.newTerminal",
  OpenTerminalInside = "sandbox.openTerminalInside",
  Kill = "sandbox.kill",
  SendSignal = "sandbox.sendSignal",
  Freeze = "sandbox.freeze",
  Thaw = "sandbox.thaw",
  RevealTerminal = "sandbox.revealTerminal",
  ShowDetails = "sandbox.showDetails",
  CopyPid = "sandbox.copyPid",
  ClearEnded = "sandbox.clearEnded",
  Refresh = "sandbox.refresh",
  AllowDenied = "sandbox.allowDenied",
  ManageApprovals = "sandbox.manageApprovals",
  ExplainProfile = "sandbox.explainProfile",
  CheckSystem = "sandbox.checkSystem",
  CopyReport = "sandbox.copyReport",
  ShowLog = "sandbox.showLog",
}

/** What each command may be called with; from the palette it is called with nothing and asks. */
export interface CommandArguments {
  /** Name of the task, and the profile: both asked for when absent. */
  [Command.RunTask]: [name?: string, profile?: string];
  [Command.NewTerminal]: [];
  [Command.OpenTerminalInside]: [node?: SandboxNode];
  [Command.Kill]: [node?: SandboxNode];
  [Command.Freeze]: [node?: SandboxNode];
  [Command.Thaw]: [node?: SandboxNode];
  [Command.SendSignal]: [node?: SandboxNode, signal?: NodeJS.Signals];
  [Command.RevealTerminal]: [node?: SandboxNode];
  [Command.ShowDetails]: [node?: SandboxNode];
  [Command.CopyPid]: [node?: SandboxNode];
  [Command.ClearEnded]: [];
  [Command.Refresh]: [];
  [Command.AllowDenied]: [node?: SandboxNode];
  [Command.ManageApprovals]: [];
  /** Name of the profile: asked for when absent. */
  [Command.ExplainProfile]: [name?: string];
  /** A feature that probe() tries: its line of the report is shown. */
  [Command.CheckSystem]: [feature?: string];
  [Command.CopyReport]: [];
  [Command.ShowLog]: [];
}

export type CommandHandler<K extends Command> = (...args: CommandArguments[K]) => unknown;
export type CommandHandlers = { [K in Command]: CommandHandler<K> };

export enum Setting {
  DefaultProfile = "sandbox.defaultProfile",
  Profiles = "sandbox.profiles",
  KillGracePeriod = "sandbox.killGracePeriod",
  KeepEnded = "sandbox.keepEnded",
}

export interface SettingTypes {
  [Setting.DefaultProfile]: string;
  /** The user's profiles by name; checked by the sandbox module, not here. */
  [Setting.Profiles]: Record<string, unknown>;
  /** Seconds. */
  [Setting.KillGracePeriod]: number;
  [Setting.KeepEnded]: number;
}

/** The defaults of package.json, for when VS Code knows no value (a test checks that they are equal). */
export const SETTING_DEFAULTS: { readonly [K in Setting]: SettingTypes[K] } = {
  [Setting.DefaultProfile]: "build",
  [Setting.Profiles]: {},
  [Setting.KillGracePeriod]: 3,
  [Setting.KeepEnded]: 10,
};

export enum View {
  Sandboxes = "sandbox.sandboxes",
}

export const VIEW_CONTAINER = "sandbox-tasks";

/** Who refuses what a sandbox needs. */
export type Blocker = "container" | "securityModule" | "setting" | "kernel";

export enum ContextKey {
  /** Why nothing can run here: 'platform' or who refuses it; absent when all is well. */
  Unavailable = "sandboxTasks.unavailable",
  /** At least one sandbox runs. */
  HasRunning = "sandboxTasks.hasRunning",
  /** At least one ended sandbox is listed. */
  HasEnded = "sandboxTasks.hasEnded",
}

export interface ContextKeyTypes {
  [ContextKey.Unavailable]: "platform" | Blocker | undefined;
  [ContextKey.HasRunning]: boolean;
  [ContextKey.HasEnded]: boolean;
}

const contextKeys: { [K in ContextKey]: null } = {
  [ContextKey.Unavailable]: null,
  [ContextKey.HasRunning]: null,
  [ContextKey.HasEnded]: null,
};

/** contextValue of tree items: kind and state, so that menus match with a regular expression. */
export const NODE_CONTEXT = {
  sandbox: "sandbox.running",
  frozenSandbox: "sandbox.frozen",
  process: "process.running",
  processes: "group.processes",
  namespaces: "group.namespaces",
  namespace: "namespace",
  denials: "group.denials",
  denial: "denial",
  allowableDenial: "denial.allowable",
  resources: "group.resources",
  resource: "resource",
  endedGroup: "group.ended",
  ended: "sandbox.ended",
  notice: "notice",
} as const;

export const ALL_COMMANDS: readonly Command[] = Object.values(Command);
export const ALL_SETTINGS: readonly Setting[] = Object.values(Setting);
export const ALL_VIEWS: readonly View[] = Object.values(View);
export const ALL_CONTEXT_KEYS: readonly string[] = Object.keys(contextKeys);

/**
 * The user's value of a setting, or its default. Never a workspace's: a repository must not say what its tasks may do,
 * and what is merged of both (objects are, key by key) is not the user's any more.
 * @param workspace vscode.workspace; passed in so that this module can be loaded without the editor
 */
export function readSetting<K extends Setting>(workspace: typeof vscode.workspace, key: K): SettingTypes[K] {
  return workspace.getConfiguration().inspect<SettingTypes[K]>(key)?.globalValue ?? SETTING_DEFAULTS[key];
}

/** Sets a context key, for the `when` clauses of package.json. */
export async function setContextKey<K extends ContextKey>(
  commands: typeof vscode.commands,
  key: K,
  value: ContextKeyTypes[K],
): Promise<void> {
  await commands.executeCommand("setContext", key, value);
}

/** Runs one of our commands, with its arguments checked. */
export async function runCommand<K extends Command>(
  commands: typeof vscode.commands,
  key: K,
  ...args: CommandArguments[K]
): Promise<void> {
  await commands.executeCommand(key, ...args);
}
