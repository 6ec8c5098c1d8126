// What stands in tasks.json for a task of type `sandbox`: its shape, and the check that names the wrong key and the
// nearest right one. Knows nothing of the editor. The shape is repeated for IntelliSense in package.json
// (contributes.taskDefinitions); a unit test holds the two together.

import { TASK_TYPE } from "../contributions";
import { t } from "../l10n";
import { schemas } from "../load-schemas";
import type { ProfileRef } from "../sandbox";
import { nearest } from "../spawner/nearest";

export interface SandboxTaskDefinition {
  readonly type: typeof TASK_TYPE;
  /** Without args: a shell line. With args: the program. */
  readonly command: string;
  readonly args?: readonly string[];
  /** Program and arguments that a shell line is handed to, as one last argument. Default: /bin/sh -c. */
  readonly shell?: readonly string[];
  readonly profile?: ProfileRef;
  /** Absolute, or relative to the workspace folder. Default: the workspace folder. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface DefinitionProblem {
  /** Key in tasks.json: 'env.PATH'. */
  readonly path: string;
  readonly message: string;
}

export interface CheckedDefinition {
  /** Present when there are no problems. */
  readonly definition?: SandboxTaskDefinition;
  readonly problems: readonly DefinitionProblem[];
  /** Keys that neither we nor VS Code know; they change nothing, and the user is told. */
  readonly ignored: readonly string[];
}

/** The keys that are ours; `type` is VS Code's. */
export const DEFINITION_KEYS = ["command", "args", "shell", "profile", "cwd", "env"] as const;

/** Keys that VS Code reads itself in every task (its tasks.json schema, version 2.0.0). */
const EDITOR_KEYS = [
  "type",
  "label",
  "taskName",
  "identifier",
  "detail",
  "icon",
  "hide",
  "group",
  "presentation",
  "problemMatcher",
  "isBackground",
  "promptOnClose",
  "dependsOn",
  "dependsOrder",
  "runOptions",
  "inAgents",
  "inSessions",
] as const;

/** Keys of a profile: at the top of a task they would do nothing, which is not what somebody who wrote them expects. */
function isProfileKey(key: string): boolean {
  return Object.hasOwn(schemas().profileSchema.shape, key);
}

/**
 * Check a definition.
 * @param definition as VS Code hands it over: it drops the keys that package.json does not declare, and fills a missing
 * `command` with an empty string
 * @param written the object in tasks.json, when there is one, in which dropped keys can still be seen
 */
export function checkDefinition(
  definition: Readonly<Record<string, unknown>>,
  written?: Readonly<Record<string, unknown>>,
): CheckedDefinition {
  const problems: DefinitionProblem[] = [];
  const ignored: string[] = [];
  const problem = (path: string, message: string) => problems.push({ path, message });

  for (const key of Object.keys({ ...written, ...definition })) {
    if (isKnown(key)) continue;
    const remedy = misplaced(key) ?? misspelt(key);
    if (remedy) problem(key, remedy);
    else ignored.push(key);
  }

  const { command, args, shell, profile, cwd, env } = definition;
  if (command === undefined || command === "") {
    if (!problems.some(({ message }) => message.includes("`command`"))) {
      problem("command", t("`command` is missing: a shell line, or a program when there are `args`."));
    }
  } else if (typeof command !== "string") problem("command", t("`command` must be a string."));
  if (args !== undefined && !isStrings(args)) problem("args", t("`args` must be an array of strings."));
  if (shell !== undefined && (!isStrings(shell) || shell.length === 0)) {
    problem("shell", t('`shell` must be an array of strings, for example ["/bin/bash", "-c"].'));
  }
  if (profile !== undefined && typeof profile !== "string" && !isObject(profile)) {
    problem("profile", t('`profile` must be the name of a profile, or an object with "extends".'));
  }
  if (cwd !== undefined && typeof cwd !== "string") problem("cwd", t("`cwd` must be a string."));
  if (env !== undefined && !isObject(env)) problem("env", t("`env` must be an object of strings."));
  else if (env) {
    for (const [name, value] of Object.entries(env)) {
      if (typeof value !== "string") problem(`env.${name}`, t("`env.{0}` must be a string.", name));
    }
  }
  return problems.length > 0
    ? { problems, ignored }
    : { definition: { ...pick(definition), type: TASK_TYPE } as SandboxTaskDefinition, problems, ignored };
}

function isKnown(key: string): boolean {
  return (DEFINITION_KEYS as readonly string[]).includes(key) || (EDITOR_KEYS as readonly string[]).includes(key);
}

function misplaced(key: string): string | undefined {
  if (isProfileKey(key)) {
    return t('`{0}` belongs into `profile`: "profile": { "extends": "build", "{0}": ... }.', key);
  }
  if (key === "options") {
    return t("`options` is for tasks of type shell and process: write `cwd` and `env` beside `command`.");
  }
  if (key === "windows" || key === "osx" || key === "linux") {
    return t("`{0}` has no effect on a sandbox task: write the command for Linux as `command`.", key);
  }
  return undefined;
}

function misspelt(key: string): string | undefined {
  const name = nearest(key, DEFINITION_KEYS);
  return name && t("`{0}` is not a key of a sandbox task. Did you mean `{1}`?", key, name);
}

function pick(definition: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    DEFINITION_KEYS.filter((key) => definition[key] !== undefined).map((key) => [key, definition[key]]),
  );
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
