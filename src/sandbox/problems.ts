// Turns what zod found wrong with a profile into sentences that name the key, the value and the nearest right one.

import { z } from "zod";
import { nearest } from "../spawner/nearest";
import type { ProfileProblem } from "./errors";
import { laterValue, profileSchema } from "./schema";

/** 'filesystem.read[0]' from ['filesystem', 'read', 0]. */
function pathOf(keys: readonly PropertyKey[], prefix: string): string {
  return keys.reduce<string>(
    (path, key) => (typeof key === "number" ? `${path}[${key}]` : path === "" ? String(key) : `${path}.${String(key)}`),
    prefix,
  );
}

function valueAt(input: unknown, keys: readonly PropertyKey[]): unknown {
  return keys.reduce<unknown>(
    (value, key) => (typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined),
    input,
  );
}

/** The keys that the schema knows at a place. */
function keysAt(keys: readonly PropertyKey[]): string[] {
  let schema: unknown = profileSchema;
  for (const key of keys) {
    schema = schema instanceof z.ZodObject ? schema.shape[String(key)] : undefined;
    schema = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
  }
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

function kindOf(value: unknown): string {
  return value === null
    ? "null"
    : Array.isArray(value)
      ? "a list"
      : typeof value === "object"
        ? "an object"
        : `a ${typeof value}`;
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: "a string",
  array: "a list",
  object: "an object",
  int: "a whole number",
  number: "a number",
  record: "an object",
};

function problemsOfIssue(issue: z.core.$ZodIssue, input: unknown, prefix: string): ProfileProblem[] {
  const path = pathOf(issue.path, prefix);
  const at = pathOf(issue.path, "");
  const value = valueAt(input, issue.path);
  const later = laterValue(at, value);
  if (later !== undefined) {
    return [{ path, message: later }];
  }
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key): ProfileProblem => {
        const keyPath = pathOf([key], path);
        const known = keysAt(issue.path);
        const suggestion = nearest(key, known);
        return suggestion === undefined
          ? { path: keyPath, message: `unknown key; known are ${known.join(", ")}` }
          : { path: keyPath, message: `unknown key; did you mean "${suggestion}"?`, suggestion };
      });
    case "invalid_value": {
      // A message of our own says why a known name is not taken; zod's own begin like this.
      if (!issue.message.startsWith("Invalid")) {
        return [{ path, message: issue.message }];
      }
      const values = issue.values.map(String);
      const suggestion = typeof value === "string" ? nearest(value, values) : undefined;
      const choice = values.map((one) => `"${one}"`).join(", ");
      const given = typeof value === "string" ? `"${value}"` : kindOf(value);
      return suggestion === undefined
        ? [{ path, message: `${given} is not one of ${choice}` }]
        : [{ path, message: `unknown value "${value}"; did you mean "${suggestion}"?`, suggestion }];
    }
    case "invalid_type":
      // A message of our own (the schema's) says more than the type.
      return issue.message.startsWith("Invalid input")
        ? [{ path, message: `${EXPECTED[issue.expected] ?? issue.expected} is needed here, not ${kindOf(value)}` }]
        : [{ path, message: issue.message }];
    case "invalid_union": {
      // Of two ways to be right, tell the one whose shape was meant: a bad name in a list, not "it is not 'all'".
      const meant = issue.errors.find((errors) => errors.some((error) => error.path.length > 0));
      return meant
        ? meant.flatMap((error) => problemsOfIssue({ ...error, path: [...issue.path, ...error.path] }, input, prefix))
        : [{ path, message: issue.message }];
    }
    case "invalid_key":
      return issue.issues.map((inner) => ({ path, message: inner.message }));
    case "too_small":
      return [{ path, message: issue.origin === "string" ? issue.message : `${String(value)} is too small` }];
    case "too_big":
      return [{ path, message: `${String(value)} is too big` }];
    default:
      return [{ path, message: issue.message }];
  }
}

/**
 * What is wrong with a profile as it was written.
 * @param error from profileSchema.safeParse(input)
 * @param prefix where the profile stands ("sandbox.profiles.mine"), or "" for one written in place
 */
export function problemsOf(error: z.ZodError, input: unknown, prefix = ""): [ProfileProblem, ...ProfileProblem[]] {
  const [first, ...rest] = error.issues.flatMap((issue) => problemsOfIssue(issue, input, prefix));
  const where = prefix === "" ? "profile" : prefix;
  const named = (problem: ProfileProblem): ProfileProblem =>
    problem.path === "" ? { ...problem, path: where } : problem;
  return [named(first ?? { path: where, message: error.message }), ...rest.map(named)];
}
