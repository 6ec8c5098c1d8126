// Types, ranges and unknown keys: zod's issues in our words.

import type { z } from "zod";
import { suggestion } from "./nearest";
import type { Problem } from "./types";

/** uidMappings[1].size, as one would write it. */
function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    return text === "" ? String(key) : `${text}.${String(key)}`;
  }, "");
}

/** The keys of the object at `path`, as far as the schema tells. */
function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let at: unknown = schema;
  for (const key of [...path, undefined]) {
    while (typeof at === "object" && at !== null && "def" in at && !("shape" in at)) {
      const def = at.def as { innerType?: unknown; element?: unknown };
      at = def.innerType ?? def.element;
    }
    if (typeof at !== "object" || at === null || !("shape" in at)) return [];
    const shape = at.shape as Record<string, unknown>;
    if (key === undefined) return Object.keys(shape);
    if (typeof key === "string") at = shape[key];
  }
  return [];
}

const EXPECTED: Readonly<Record<string, string>> = { int: "a whole number", record: "an object", object: "an object" };

/** 'a string', 'an array'. */
function withArticle(expected: string): string {
  const words = EXPECTED[expected] ?? expected;
  if (/^an? /.test(words)) return words;
  return `${/^[aeiou]/.test(words) ? "an" : "a"} ${words}`;
}

/** A problem for each thing that is wrong. */
export function problemsOf(schema: z.ZodType, issue: z.core.$ZodIssue): Problem[] {
  const path = pathText(issue.path);
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => ({
        path: pathText([...issue.path, key]),
        message: `unknown option${suggestion(key, knownKeys(schema, issue.path))}`,
      }));
    case "invalid_type":
      return [{ path, message: `must be ${withArticle(issue.expected)}` }];
    case "too_small": {
      const empty = issue.minimum === 1 && issue.origin !== "number" && issue.origin !== "int";
      return [{ path, message: empty ? "must not be empty" : `must be at least ${issue.minimum}` }];
    }
    case "too_big": {
      const unit = issue.origin === "string" ? "characters" : issue.origin === "array" ? "entries" : undefined;
      const most = `at most ${issue.maximum}`;
      return [{ path, message: unit === undefined ? `must be ${most}` : `must have ${most} ${unit}` }];
    }
    case "invalid_value": {
      const values = issue.values.map(String);
      const given =
        typeof issue.input === "string" ? `: ${JSON.stringify(issue.input)}${suggestion(issue.input, values)}` : "";
      return [
        { path, message: values.length > 8 ? `unknown value${given}` : `must be one of ${values.join(", ")}${given}` },
      ];
    }
    case "invalid_union": {
      // The alternative that went wrong further in is the one that was meant.
      const meant = issue.errors.find((alternative) => alternative.some((inner) => inner.path.length > 0));
      if (meant === undefined) return [{ path, message: issue.message }];
      return meant.flatMap((inner) => problemsOf(schema, { ...inner, path: [...issue.path, ...inner.path] }));
    }
    case "invalid_key":
      return [{ path, message: issue.issues[0]?.message ?? issue.message }];
    default:
      return [{ path, message: issue.message }];
  }
}

/** A copy that later code may rely on, or what is wrong. */
export type Checked<T> = { readonly value: T; readonly problems?: never } | { readonly problems: readonly Problem[] };

/**
 * Read a value once, into a copy: whoever made it may hold getters that answer differently the next time.
 * The parameter's type keeps the schema and types.ts from drifting apart.
 */
export function readShape<S extends z.ZodType>(schema: S, value: z.input<S>): Checked<z.output<S>> {
  try {
    const result = schema.safeParse(value, { reportInput: true });
    if (result.success) return { value: result.data };
    return { problems: result.error.issues.flatMap((issue) => problemsOf(schema, issue)) };
  } catch (error) {
    return {
      problems: [{ path: "", message: `can't be read: ${error instanceof Error ? error.message : "it throws"}` }],
    };
  }
}
