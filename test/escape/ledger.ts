// Every attempt in every arena, two at a time, in the order in which they are asked for; and the book that is kept of it.

import { writeFileSync } from "node:fs";
import { ARENAS, type ArenaName } from "./arenas";
import type { Attempt, Group, Verdict } from "./attempt";
import { type Result, runAttempt } from "./run";

/** As many at a time; more would only wait for the processors. */
const AT_A_TIME = 2;

/** One line of the book: what an attempt came to, by arena. */
export interface Entry {
  readonly group: Group;
  readonly name: string;
  readonly verdicts: Partial<Record<ArenaName, Verdict>>;
}

export class Ledger {
  readonly #results = new Map<Attempt, Map<ArenaName, Promise<Result>>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  async #turn(): Promise<void> {
    if (this.#running < AT_A_TIME) {
      this.#running++;
      return;
    }
    // Whoever ends hands its place on.
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async #run(attempt: Attempt, arena: ArenaName): Promise<Result> {
    await this.#turn();
    try {
      return await runAttempt(attempt, arena);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }

  /** Has an attempt made, sooner or later. */
  ask(attempt: Attempt, arenas: readonly ArenaName[]): void {
    const results = new Map(
      arenas.map((arena) => {
        const result = this.#run(attempt, arena);
        result.catch(() => {}); // told by whoever waits for it
        return [arena, result] as const;
      }),
    );
    this.#results.set(attempt, results);
  }

  /** What came of one that was asked for. */
  async result(attempt: Attempt, arena: ArenaName): Promise<Result> {
    const result = this.#results.get(attempt)?.get(arena);
    if (result === undefined) throw new Error(`"${attempt.name}" was not tried in ${ARENAS[arena].name}`);
    return result;
  }

  async entries(): Promise<Entry[]> {
    return Promise.all(
      [...this.#results].map(async ([{ group, name }, results]) => {
        const verdicts = await Promise.all(
          [...results].map(async ([arena, result]) => [arena, (await result).verdict] as const),
        );
        return { group, name, verdicts: Object.fromEntries(verdicts) };
      }),
    );
  }

  /** Writes the book, where one is wanted. */
  async write(file: string | undefined): Promise<void> {
    if (file !== undefined) writeFileSync(file, `${JSON.stringify(await this.entries(), undefined, 2)}\n`);
  }
}
