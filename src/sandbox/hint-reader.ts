// Reads along what a sandbox's programs print, for hints: with a bound on every kind of work, as a program can print what
// it likes for as long as it likes.

import { access, constants, lstat } from "node:fs/promises";
import { dirname } from "node:path";
import { stripVTControlCharacters } from "node:util";
import type { Denial } from "./denials";
import { type Finding, findingIn, NEEDLES, type OnHost } from "./hints";

/** A longer line is no error message. */
const LONGEST_LINE = 2000;

/** How many lines of one piece are looked at: a program that prints nothing but errors is understood from a few. */
const MOST_LINES = 20;

/** How many findings of a sandbox are looked into: each costs a look at the disk. */
const MOST_FINDINGS = 200;

/** Whether we may do this with what is at a path (access(2)), and the errno if not. */
async function refusal(path: string, mode: number): Promise<string | undefined> {
  try {
    await access(path, mode);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

/** What is at a path of this machine. */
export async function onHost(path: string): Promise<OnHost> {
  const refused = await lstat(path).then(
    () => refusal(path, constants.R_OK),
    (error: NodeJS.ErrnoException) => error.code,
  );
  const is = refused === undefined ? "there" : refused === "ENOENT" ? "missing" : "refused";
  return { is, canWrite: (await refusal(is === "missing" ? dirname(path) : path, constants.W_OK)) === undefined };
}

export class HintReader {
  /** The line that is not over yet. */
  #rest = "";
  readonly #known = new Map<string, Promise<Denial | undefined>>();
  #settled: Promise<void> = Promise.resolve();

  /**
   * @param explain what a finding means in this sandbox; asked once for each
   * @param found called with what was concluded, each time that it is read
   */
  constructor(
    private readonly explain: (finding: Finding) => Promise<Denial | undefined>,
    private readonly found: (hint: Denial) => void,
  ) {}

  /**
   * Takes output as it comes, in pieces of any length.
   * @returns when all that was read so far is concluded
   */
  read(text: string): Promise<void> {
    const end = text.lastIndexOf("\n");
    if (end < 0) {
      this.#rest = (this.#rest + text).slice(-LONGEST_LINE);
      return this.#settled;
    }
    const whole = this.#rest + text.slice(0, end);
    this.#rest = text.slice(end + 1).slice(-LONGEST_LINE);
    for (const line of linesWithNeedles(whole)) this.#conclude(line);
    return this.#settled;
  }

  #conclude(line: string): void {
    const finding = findingIn(stripVTControlCharacters(line));
    if (finding === undefined) return;
    const key = JSON.stringify(finding);
    let hint = this.#known.get(key);
    if (hint === undefined) {
      if (this.#known.size >= MOST_FINDINGS) return;
      // A hint that can't be had is none: nothing depends on it.
      hint = this.explain(finding).catch(() => undefined);
      this.#known.set(key, hint);
    }
    const told = hint.then((denial) => denial && this.found(denial));
    this.#settled = Promise.all([this.#settled, told]).then(() => undefined);
  }
}

/** The lines that could say something, found without cutting the rest into lines: most output has none. */
function* linesWithNeedles(text: string): Generator<string> {
  const needle = new RegExp(NEEDLES.join("|"), "g");
  for (let count = 0; count < MOST_LINES; count++) {
    const at = needle.exec(text)?.index;
    if (at === undefined) return;
    const start = text.lastIndexOf("\n", at) + 1;
    const next = text.indexOf("\n", at);
    const end = next < 0 ? text.length : next;
    if (end - start <= LONGEST_LINE) yield text.slice(start, end);
    needle.lastIndex = end;
  }
}
