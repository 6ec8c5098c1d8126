// What an approval is for, as one number: SHA-256 of everything that the user was shown and of everything that is run.

import { createHash } from "node:crypto";
import type { Loosening } from "./loosening";
import type { ResolvedProfile } from "./schema";

/** A task of a repository that asks for more than the user's profile allows. */
export interface TaskRequest {
  readonly name: string;
  /** Real path of the folder: another folder's task with the same words has other files to run. */
  readonly workspace: string;
  readonly file: string;
  readonly args: readonly string[];
  /** Absolute: the same command line runs other code in another folder. */
  readonly cwd: string;
  /**
   * The whole profile, with what the task sets: not only what is beyond, so that a change of the user's own profiles, or
   * of a built-in one, that the task builds upon is seen.
   */
  readonly profile: ResolvedProfile;
  /** What is beyond, in the words that were shown, with what links lead to: a user's profile made stricter shows more. */
  readonly beyond: readonly Loosening[];
}

/** Bump when a request of the same content comes to mean something else: all approvals lapse. */
const VERSION = 1;

/** JSON with the keys of every object in order, so that the same content is the same text. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/**
 * The name of a request's content: any difference in what is run, where, under which profile or in what was said about it
 * is another name, so an approval can't be used for anything else.
 *
 * Not part of it is what the command line leads to: the scripts of a repository change with every commit, and who allows
 * `npm ci` to reach the network allows it to whatever npm finds there.
 * @returns 64 hexadecimal digits
 */
export function requestHash(request: TaskRequest): string {
  const { name, workspace, file, args, cwd, profile, beyond } = request;
  const content = { version: VERSION, name, workspace, file, args, cwd, profile, beyond };
  return createHash("sha256").update(canonical(content)).digest("hex");
}
