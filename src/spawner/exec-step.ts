// The last step: the command, looked up as execvp(3) does it, but inside the child's root.

import { about, type PlannedStep, step } from "./planned-step";
import type { SpawnOptions } from "./types";

const DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin";

/** The environment as the child gets it: NAME=value. */
function environment(options: SpawnOptions): string[] {
  return Object.entries(options.env ?? process.env).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
}

/** Where execve is tried, in order, as execvp(3) does it: on the *child's* PATH. */
function candidates(file: string, options: SpawnOptions): string[] {
  if (file.includes("/")) return [file];
  const search = (options.env ?? process.env).PATH ?? DEFAULT_PATH;
  return search.split(":").map((folder) => (folder === "" ? `./${file}` : `${folder}/${file}`));
}

export function execStep(file: string, args: readonly string[], options: SpawnOptions): PlannedStep {
  const argv = [options.argv0 ?? file, ...args];
  const searched = !file.includes("/");
  const detail = `${[file, ...args].join(" ")}${searched ? " (looked up on PATH)" : ""}`;
  return about(
    file,
    step("exec", "exec", detail, candidates(file, options), argv, environment(options), searched ? 1 : 0),
  );
}
