// Patterns of a profile ("**/.env", "~/.config/*") become the paths that match them now. Segment by segment, as a shell does
// it: picomatch decides about names, and no folder is read that no match can lie in. What no profile means is bounded, and
// a bound that is met is an error, never a part of the matches.

import type { Dirent } from "node:fs";
import { lstat, readdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import picomatch from "picomatch";
import { isInside } from "./paths";

/** Each match is a mount of its own. */
const MOST_MATCHES = 500;
/** Files and folders looked at: a big repository has some 50 000. */
const MOST_ENTRIES = 200_000;
/** Milliseconds that a pattern may take. */
const MOST_TIME = 10_000;

/** Folders that "**" does not enter unless the pattern names them: they hold other people's files, by the ten thousand. */
const PASSED_OVER: readonly string[] = ["node_modules", ".git"];

/** "*" takes a leading dot too: whoever hides everything does not mean to show what is hidden from ls. */
const OPTIONS = { dot: true, nonegate: true, noextglob: true } as const;

const GLOBSTAR = "**";

/** Whether a path of a profile is a pattern. Parentheses make none: projects have folders named so. */
export function isGlob(text: string): boolean {
  return /[*?]|\[.+\]|\{.+\}/.test(text);
}

function matcher(segment: string): (name: string) => boolean {
  return picomatch(segment.replace(/(?<!\\)[()|]/g, "\\$&"), OPTIONS);
}

/** What is wrong with a pattern, for whoever wrote it; undefined when nothing is. */
export function globProblem(text: string): string | undefined {
  if (/\{[^}]*\/[^}]*\}/.test(text)) {
    return "a {choice} can't hold a /: write one pattern for each";
  }
  const segments = text.split("/");
  const first = segments.findIndex(isGlob);
  return first >= 0 && segments.slice(first).includes("..")
    ? '".." can\'t stand behind a "*": where it leads depends on what matches'
    : undefined;
}

/** A pattern cut in two. */
export interface Glob {
  /** The part that is a plain path, as it is written: "~/.config", "". */
  readonly prefix: string;
  readonly segments: readonly string[];
}

export function splitGlob(text: string): Glob {
  const segments = text.split("/").filter((segment, index) => index === 0 || (segment !== "" && segment !== "."));
  const first = segments.findIndex(isGlob);
  const prefix = segments.slice(0, first);
  // "/*" begins with an empty segment.
  return { prefix: prefix.length === 1 && prefix[0] === "" ? "/" : prefix.join("/"), segments: segments.slice(first) };
}

/** A pattern that stands for too much. The message says what to do, without the pattern. */
export class GlobError extends Error {
  override readonly name = "GlobError";
}

class Search {
  readonly #found = new Set<string>();
  readonly #until = performance.now() + MOST_TIME;
  readonly #named: readonly string[];
  #entries = 0;

  constructor(segments: readonly string[]) {
    this.#named = segments.filter((segment) => !isGlob(segment));
  }

  get found(): readonly string[] {
    return [...this.#found];
  }

  #add(path: string): void {
    this.#found.add(path);
    if (this.#found.size > MOST_MATCHES) {
      throw new GlobError(`matches more than ${MOST_MATCHES} paths; name the folders that hold them`);
    }
  }

  async #entriesOf(folder: string): Promise<Dirent[]> {
    // Not there, no folder, or not ours to read: then no program of ours reads what is in it either.
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    this.#entries += entries.length;
    if (this.#entries > MOST_ENTRIES || performance.now() > this.#until) {
      throw new GlobError(
        `has more to look through than ${MOST_ENTRIES} files or ${MOST_TIME / 1000} seconds allow; begin it with the folder that is meant`,
      );
    }
    return entries;
  }

  /** Looks below a folder for what the segments say. Links are matches, and are never entered. */
  async below(folder: string, segments: readonly string[]): Promise<void> {
    const [segment = "", ...rest] = segments;
    if (segment === GLOBSTAR) {
      await this.#anywhereBelow(folder, rest);
    } else if (isGlob(segment)) {
      const matches = matcher(segment);
      const entries = (await this.#entriesOf(folder)).filter(({ name }) => matches(name));
      await Promise.all(entries.map((entry) => this.#goOn(folder, entry, rest)));
    } else {
      const entry = await lstat(join(folder, segment)).catch(() => undefined);
      if (entry !== undefined) {
        await this.#goOn(folder, { name: segment, isDirectory: () => entry.isDirectory() }, rest);
      }
    }
  }

  async #goOn(folder: string, entry: Pick<Dirent, "name" | "isDirectory">, rest: readonly string[]): Promise<void> {
    const path = join(folder, entry.name);
    if (rest.length === 0) {
      this.#add(path);
    } else if (entry.isDirectory()) {
      await this.below(path, rest);
    }
  }

  async #anywhereBelow(folder: string, rest: readonly string[]): Promise<void> {
    const isPassedOver = (name: string): boolean => PASSED_OVER.includes(name) && !this.#named.includes(name);
    const folders = (await this.#entriesOf(folder)).filter((entry) => entry.isDirectory() && !isPassedOver(entry.name));
    await Promise.all([
      this.below(folder, rest),
      ...folders.map(({ name }) => this.#anywhereBelow(join(folder, name), rest)),
    ]);
  }
}

/** "a/**" is all that lies in a, which hiding or showing what lies directly in it does; "**" twice is once. */
function simplified(segments: readonly string[]): string[] {
  const once = segments.filter((segment, index) => segment !== GLOBSTAR || segments[index + 1] !== GLOBSTAR);
  return once.at(-1) === GLOBSTAR ? [...once.slice(0, -1), "*"] : once;
}

/**
 * The real paths that match now.
 * @param folder real path of the pattern's plain part
 * @returns without those inside others; a link counts as what it leads to, where that is inside the folder too
 * @throws GlobError
 */
export async function expandGlob(folder: string, segments: readonly string[]): Promise<string[]> {
  const search = new Search(segments);
  await search.below(folder, simplified(segments));
  const real = await Promise.all(search.found.map((path) => realpath(path).catch(() => undefined)));
  const paths = new Set(real.filter((path) => path !== undefined && path !== folder && isInside(path, folder)));
  const inOrder = [...paths].filter((path) => path !== undefined).sort();
  return inOrder.filter((path) => !inOrder.some((other) => other !== path && isInside(path, other)));
}
