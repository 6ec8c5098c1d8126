// What spawn() would refuse, and the rule behind it, before any system call that could change anything: first types and
// ranges (shape.ts), then combinations (rules/).

import { schemas } from "../load-schemas";
import { type Caller, currentCaller } from "./caller";
import { asked, judge, RULES } from "./rules";
import { type Checked, readShape } from "./shape";
import type { Problem, SpawnOptions } from "./types";

/** Sound options, as a copy that stays what it is, or what is wrong with them. */
export function checkOptions(options: SpawnOptions, caller: Caller): Checked<SpawnOptions> {
  const shape = readShape(schemas().spawnOptions, options);
  if (shape.problems !== undefined) return shape;
  const value = shape.value as SpawnOptions;
  const problems = judge(RULES, asked(value, caller));
  return problems.length > 0 ? { problems } : { value };
}

/**
 * Everything that spawn() would refuse about these options; empty when they are sound. What only the kernel can know is
 * found out by running.
 * @param caller who would spawn: this process, unless told otherwise
 */
export function validate(options: SpawnOptions, caller: Caller = currentCaller()): Problem[] {
  return [...(checkOptions(options, caller).problems ?? [])];
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

/** The same for a command: an empty file name, a NUL in an argument. */
export function checkCommand(file: string, args: readonly string[]): Checked<Command> {
  return readShape(schemas().command, { file, args });
}
