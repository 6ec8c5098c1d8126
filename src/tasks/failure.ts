// Why something was not started, in words that say what was tried, on what, why it failed and how to mend it. Turns the
// errors of the spawner, of the profiles and of this folder into one shape, and that into the text of a terminal.

import { Setting } from "../contributions";
import { t } from "../l10n";
import { ProfileError, SandboxError } from "../sandbox";
import { OptionsError, SpawnError } from "../spawner";
import type { DefinitionProblem } from "./definition";
import { systemLine } from "./systemLine";
import { coloured } from "./words";

/** Where the user mends it: the button of the notification. */
export type FailureAction = "tasks" | "settings" | "system" | "trust" | "log";

export interface Failure {
  /** One sentence, also the text of the notification. */
  readonly summary: string;
  /** More lines: which step, on which path. */
  readonly details: readonly string[];
  readonly remedy?: string;
  readonly action: FailureAction;
  /** What this system lacks: a line of the system check. */
  readonly feature?: string;
  /** Exit code of the task: 127 command not found, 126 not executable, 125 no sandbox, as env(1) and docker-run(1) have it. */
  readonly code: number;
}

/** Something we refuse to do; nothing was run. */
export class RefusedError extends Error {
  constructor(
    message: string,
    readonly remedy: string,
    readonly action: FailureAction,
  ) {
    super(message);
    this.name = "RefusedError";
  }
}

/** A task definition with wrong keys or values. */
export class DefinitionError extends Error {
  constructor(readonly problems: readonly DefinitionProblem[]) {
    super(problems.map(({ message }) => message).join(" "));
    this.name = "DefinitionError";
  }
}

/** What to tell about any error that kept a sandbox from being started. */
export function describeFailure(error: unknown): Failure {
  // Before SpawnError, which it extends.
  if (error instanceof OptionsError) {
    return {
      summary: t("The sandbox can't be made as the profile asks"),
      details: error.problems.map(({ path, message }) => `${path}: ${message}`),
      action: "log",
      code: 125,
    };
  }
  if (error instanceof SpawnError) return spawnFailure(error);
  if (error instanceof ProfileError) return profileFailure(error);
  if (error instanceof SandboxError) {
    return {
      summary: error.message.replace(error.remedy, "").trim(),
      details: [],
      remedy: error.remedy,
      action: error.feature !== undefined ? "system" : error.part === "cwd" ? "tasks" : "log",
      ...(error.feature === undefined ? {} : { feature: error.feature }),
      code: 125,
    };
  }
  if (error instanceof DefinitionError) {
    const [first] = error.problems;
    return {
      summary:
        error.problems.length === 1 && first
          ? t("This task is not valid: {0}", first.message)
          : t("This task is not valid: {0} problems", error.problems.length),
      details: error.problems.length === 1 ? [] : error.problems.map(({ path, message }) => `${path}: ${message}`),
      remedy: t("Correct it in .vscode/tasks.json."),
      action: "tasks",
      code: 125,
    };
  }
  if (error instanceof RefusedError) {
    return { summary: error.message, details: [], remedy: error.remedy, action: error.action, code: 125 };
  }
  return { summary: error instanceof Error ? error.message : String(error), details: [], action: "log", code: 125 };
}

/** A profile stands in the user's settings, or in a task. */
function profileFailure({ problems }: ProfileError): Failure {
  const [first] = problems;
  const setting = [Setting.DefaultProfile, Setting.Profiles].find((name) => `${first.path}.`.startsWith(`${name}.`));
  const words = problems.map(problemWords);
  return {
    summary: t("The profile can't be used: {0}", words[0] ?? ""),
    details: words.slice(1),
    remedy: setting ? t("Correct it in the setting {0}.", setting) : t("Correct `profile` in .vscode/tasks.json."),
    action: setting ? "settings" : "tasks",
    code: 125,
  };
}

/** What is wrong with a profile, in one sentence. */
export function profileWords({ problems }: ProfileError): string {
  return problems.map(problemWords).join("; ");
}

/** The path of a profile's name is "profile", which says nothing that the message does not. */
function problemWords({ path, message }: ProfileError["problems"][number]): string {
  return path === "profile" ? message : `${path}: ${message}`;
}

function spawnFailure(error: SpawnError): Failure {
  const details = [error.message];
  const common = { details, code: 125 };
  const remedy = error.remedy ? { remedy: error.remedy } : undefined;
  if (error.step === "exec") {
    const missing = error.code === "ENOENT";
    return {
      ...common,
      summary: missing
        ? t("The command was not found in the sandbox: {0}", error.path ?? "?")
        : t("The command can't be executed: {0} ({1})", error.path ?? "?", error.code),
      ...(remedy ?? {
        remedy: missing
          ? t("Check the spelling, and that the program lies in a folder that the profile shows.")
          : t("It must be an executable file, in a folder that is not mounted noexec."),
      }),
      action: "tasks",
      code: missing ? 127 : 126,
    };
  }
  if (error.step === "cwd") {
    return {
      ...common,
      summary: t("The working directory can't be entered in the sandbox: {0} ({1})", error.path ?? "?", error.code),
      ...(remedy ?? {
        remedy: t("`cwd` must be the workspace folder, or another folder that the profile shows."),
      }),
      action: "tasks",
    };
  }
  return {
    ...common,
    summary: t("The sandbox can't be made: {0} failed", error.step),
    ...remedy,
    action: "system",
    ...(error.feature === undefined ? {} : { feature: error.feature }),
  };
}

/**
 * A failure as coloured lines for a terminal.
 * @param columns of the terminal; long lines are broken between words
 */
export function failureText(failure: Failure, columns: number): string {
  const remedy = failure.remedy?.split("\n") ?? [];
  const lines = [
    ...coloured("\x1b[1;31m", `✖ ${failure.summary}`, columns),
    ...failure.details.flatMap((detail) => coloured("", `  ${detail}`, columns)),
    ...(remedy.length > 0 ? [""] : []),
    ...remedy.flatMap((line) => coloured("\x1b[36m", `  ${line}`, columns)),
    // Never broken here: the terminal itself breaks a line so that a link in it stays whole.
    ...(failure.action === "system" ? ["", `  \x1b[4m${systemLine(failure.feature)}\x1b[0m`] : []),
    "",
    ...coloured("\x1b[2m", t("Nothing was run."), columns),
  ];
  return `${lines.join("\r\n")}\r\n`;
}
