// What a sandbox refused: the shape that the tree and the terminal show, and a log of them that a program which tries the
// same thing a million times can't make grow.

import type { ProfileDefinition } from "./schema";

/** Which wall refused it. */
export type DenyingWall = "seccomp" | "landlock" | "filesystem" | "network";

export interface Denial {
  readonly by: DenyingWall;
  /** The kernel said so, or it is concluded from what the program printed. */
  readonly certainty: "told" | "hint";
  /** In the kernel's words: 'keyctl', '/home/me/.ssh/id_ed25519', 'connect 192.0.2.1:443'. */
  readonly what: string;
  readonly syscall?: string;
  readonly path?: string;
  /** Key of the profile that did it: 'seccomp', 'filesystem.hide', 'network'. */
  readonly rule: string;
  /** Name of the process that tried (proc_pid_comm(5)). */
  readonly command?: string;
  /** How often. */
  readonly count: number;
  /** What a user's profile would have to say to allow it; absent where nothing can. */
  readonly allow?: ProfileDefinition;
}

/** How many different denials are kept; more of them help nobody. */
const MOST = 100;

/** Milliseconds in which changes become one. */
const COALESCED = 100;

/** The denials of one sandbox, merged by wall and object. */
export class DenialLog {
  readonly #entries = new Map<string, Denial>();
  readonly #listeners = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;

  /** In the order in which they were first seen. */
  get all(): readonly Denial[] {
    return [...this.#entries.values()];
  }

  /** Calls back after changes, at most once in 100 ms. */
  onDidChange(listener: () => void): { dispose(): void } {
    // Wrapped, so that the same function may listen twice and stop once.
    const entry = (): void => listener();
    this.#listeners.add(entry);
    return { dispose: () => void this.#listeners.delete(entry) };
  }

  /** Counts them in; what the kernel tells takes the place of what was only concluded. */
  add(denials: readonly Denial[]): void {
    let isChanged = false;
    for (const denial of denials) {
      const key = `${denial.by} ${denial.what}`;
      const known = this.#entries.get(key);
      if (known === undefined && this.#entries.size >= MOST) continue;
      const better = known === undefined || (known.certainty === "hint" && denial.certainty === "told");
      this.#entries.set(key, { ...(better ? denial : known), count: (known?.count ?? 0) + denial.count });
      isChanged = true;
    }
    if (!isChanged || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      for (const listener of [...this.#listeners]) listener();
    }, COALESCED);
    this.#timer.unref();
  }
}
