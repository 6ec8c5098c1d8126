// What the user is told when a sandbox is not run. Two kinds: the profile is wrong (a key or a value to mend in
// settings or tasks.json), or what it is to be run on can't be sandboxed as asked (the folder, a path, the machine).

import type { FeatureName } from "../spawner/features";

/** Something wrong in a profile. */
export interface ProfileProblem {
  /** Path of the key: 'limits.memroy', 'filesystem.read[0]'. */
  readonly path: string;
  /** What is wrong with it and how to mend it, without the path. */
  readonly message: string;
  /** The nearest key or value that would be understood. */
  readonly suggestion?: string;
}

/** A profile that can't be used. The message has one line a problem; `path` and `suggestion` are the first one's. */
export class ProfileError extends Error {
  override readonly name = "ProfileError";
  readonly path: string;
  readonly suggestion: string | undefined;

  constructor(readonly problems: readonly [ProfileProblem, ...ProfileProblem[]]) {
    super(problems.map((problem) => `${problem.path}: ${problem.message}`).join("\n"));
    this.path = problems[0].path;
    this.suggestion = problems[0].suggestion;
  }
}

/** Which part of the request can't be met. */
export type RefusedPart = "workspace" | "home" | "cwd" | "protected" | "path" | "limit" | "sandbox" | "fallback";

/** A sandbox that is not run because it could not be made as asked. */
export class SandboxError extends Error {
  override readonly name = "SandboxError";

  /**
   * @param part what was refused
   * @param path the path it is about; of a limit, its key in the profile
   * @param reason what is wrong, a sentence
   * @param remedy what to do, a sentence
   * @param feature what this system lacks, where that is the reason: a line of the system check
   */
  constructor(
    readonly part: RefusedPart,
    readonly path: string,
    reason: string,
    readonly remedy: string,
    readonly feature?: FeatureName,
  ) {
    super(`${reason} ${remedy}`);
  }
}
