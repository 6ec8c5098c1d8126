// Problem matchers that are written out in tasks.json. VS Code applies the named ones ($tsc) itself; those written out it
// gives to no extension, so for tasks of others that run in a sandbox they are applied here. What they mean is VS
// Code's: https://code.visualstudio.com/docs/debugtest/tasks#_defining-a-problem-matcher

import path from "node:path";

export type ProblemSeverity = "error" | "warning" | "info";

export interface MatchedProblem {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  readonly severity: ProblemSeverity;
  readonly message: string;
  readonly code?: string;
}

/** Which group of the expression holds what. */
type Groups = Partial<Record<(typeof GROUPS)[number], number>>;
const GROUPS = ["file", "location", "line", "column", "endLine", "endColumn", "severity", "code", "message"] as const;

interface Pattern {
  readonly expression: RegExp;
  readonly groups: Groups;
  readonly loop: boolean;
}

export interface Matcher {
  readonly source: string | undefined;
  readonly severity: ProblemSeverity;
  readonly directory: string | "absolute";
  readonly patterns: readonly Pattern[];
}

/**
 * A matcher as it stands in tasks.json, ready to be used.
 * @param workspace what a relative file name starts from
 * @returns undefined when it builds on a name, which only VS Code can look up, or is not well formed
 */
export function parseMatcher(written: unknown, workspace: string): Matcher | undefined {
  if (!isObject(written) || written.base !== undefined) return undefined;
  const list = Array.isArray(written.pattern) ? written.pattern : [written.pattern];
  const patterns = list.map((pattern) => parsePattern(pattern, list.length === 1));
  const directory = parseLocation(written.fileLocation, workspace);
  if (patterns.length === 0 || directory === undefined || !patterns.every((pattern) => pattern !== undefined)) {
    return undefined;
  }
  return {
    source: typeof written.source === "string" ? written.source : undefined,
    severity: severityOf(written.severity) ?? "error",
    directory,
    patterns,
  };
}

/** Applies a matcher to lines, one after the other. */
export class LineMatcher {
  #next = 0;
  /** What the lines so far gave. */
  #found: Record<string, string> = {};

  constructor(private readonly matcher: Matcher) {}

  /** @returns the problem that ends with this line */
  line(text: string): MatchedProblem | undefined {
    const { patterns } = this.matcher;
    let pattern = patterns[this.#next];
    let values = pattern && groupValues(pattern, text);
    if (values === undefined && this.#next > 0) {
      this.#reset();
      pattern = patterns[0];
      values = pattern && groupValues(pattern, text);
    }
    if (pattern === undefined || values === undefined) return undefined;
    const found = { ...this.#found, ...values };
    if (this.#next < patterns.length - 1) {
      this.#found = found;
      this.#next++;
      return undefined;
    }
    // A last pattern that loops goes on from what the lines before it gave.
    if (!pattern.loop || patterns.length === 1) this.#reset();
    return this.#problem(found);
  }

  #reset(): void {
    this.#next = 0;
    this.#found = {};
  }

  #problem(found: Record<string, string>): MatchedProblem | undefined {
    const { file, message } = found;
    if (file === undefined || message === undefined) return undefined;
    const { directory } = this.matcher;
    if (directory === "absolute" && !path.isAbsolute(file)) return undefined;
    const located = (found.location ?? "").split(",").map(Number);
    const number = (name: string, index: number) => Number(found[name]) || located[index] || undefined;
    const line = number("line", 0) ?? 1;
    const column = number("column", 1) ?? 1;
    return {
      file: directory === "absolute" ? file : path.resolve(directory, file),
      line,
      column,
      endLine: number("endLine", 2) ?? line,
      endColumn: number("endColumn", 3) ?? column,
      severity: severityOf(found.severity) ?? this.matcher.severity,
      message: message.trim(),
      ...(found.code === undefined ? {} : { code: found.code }),
    };
  }
}

function parsePattern(written: unknown, alone: boolean): Pattern | undefined {
  if (!isObject(written) || typeof written.regexp !== "string") return undefined;
  const groups: Groups = {};
  for (const name of GROUPS) if (typeof written[name] === "number") groups[name] = written[name];
  if (alone) {
    // What VS Code takes for granted of a single pattern.
    groups.file ??= 1;
    groups.message ??= 0;
    if (groups.location === undefined && written.kind !== "file") {
      groups.line ??= 2;
      groups.column ??= 3;
    }
  }
  try {
    return { expression: new RegExp(written.regexp), groups, loop: written.loop === true };
  } catch {
    return undefined;
  }
}

/** The folder that file names are relative to. */
function parseLocation(written: unknown, workspace: string): string | undefined {
  const [kind, prefix] = Array.isArray(written) ? written : [written];
  switch (kind ?? "relative") {
    case "absolute":
      return "absolute";
    case "relative":
    case "autoDetect": {
      const folder = typeof prefix === "string" ? prefix : workspace;
      const expanded = folder.replace(/\$\{workspace(Folder|Root)\}/g, workspace);
      return expanded.includes("${") ? undefined : path.resolve(workspace, expanded);
    }
    default:
      return undefined;
  }
}

function groupValues({ expression, groups }: Pattern, text: string): Record<string, string> | undefined {
  const match = expression.exec(text);
  if (!match) return undefined;
  const values: Record<string, string> = {};
  for (const name of GROUPS) {
    const group = groups[name];
    const value = group === undefined ? undefined : match[group];
    if (value !== undefined) values[name] = value;
  }
  return values;
}

/** The words that VS Code understands, and their first letters. */
function severityOf(word: unknown): ProblemSeverity | undefined {
  if (typeof word !== "string") return undefined;
  if (/^(e|error|fatal error|fatal)$/i.test(word)) return "error";
  if (/^(w|warn|warning)$/i.test(word)) return "warning";
  return /^(i|info|information|note|hint)$/i.test(word) ? "info" : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
