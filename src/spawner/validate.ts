// What spawn() would refuse, and the rule behind it, before any system call.

import { closest, distance } from "fastest-levenshtein";
import type { z } from "zod";
import { schemas } from "../load-schemas";
import type { CloneFlag, Problem, SpawnOptions, SysProcAttr } from "./types";

/** uidMappings[1].size, as one would write it. */
function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    return text === "" ? String(key) : `${text}.${String(key)}`;
  }, "");
}

/** ' (did you mean "pids"?)', when there is something near. */
function suggestion(word: string, known: readonly string[]): string {
  if (known.length === 0) return "";
  const nearest = closest(word, [...known]);
  return distance(word, nearest) <= Math.max(2, word.length / 3) ? ` (did you mean ${JSON.stringify(nearest)}?)` : "";
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

/** Zod's issues in our words: the path of the option, what is wrong, and the nearest known name. */
function problems(schema: z.ZodType, issues: readonly z.core.$ZodIssue[]): Problem[] {
  return issues.flatMap((issue): Problem[] => {
    const path = pathText(issue.path);
    switch (issue.code) {
      case "unrecognized_keys":
        return issue.keys.map((key) => ({
          path: pathText([...issue.path, key]),
          message: `unknown option${suggestion(key, knownKeys(schema, issue.path))}`,
        }));
      case "invalid_type": {
        const expected = EXPECTED[issue.expected] ?? issue.expected;
        return [{ path, message: `must be ${/^an? /.test(expected) ? expected : `a ${expected}`}` }];
      }
      case "too_small":
        return [
          {
            path,
            message:
              issue.minimum === 1 && issue.origin === "string"
                ? "must not be empty"
                : `must be at least ${issue.minimum}`,
          },
        ];
      case "too_big":
        return [
          {
            path,
            message:
              issue.origin === "string"
                ? `must have at most ${issue.maximum} characters`
                : `must be at most ${issue.maximum}`,
          },
        ];
      case "invalid_value": {
        const values = issue.values.map(String);
        const given =
          typeof issue.input === "string" ? `: ${JSON.stringify(issue.input)}${suggestion(issue.input, values)}` : "";
        return [
          {
            path,
            message: values.length > 8 ? `unknown value${given}` : `must be one of ${values.join(", ")}${given}`,
          },
        ];
      }
      case "invalid_key":
        return [{ path, message: issue.issues[0]?.message ?? issue.message }];
      default:
        return [{ path, message: issue.message }];
    }
  });
}

/** The value's type keeps the schema and types.ts from drifting apart. */
function check<S extends z.ZodType>(schema: S, value: z.input<S>): Problem[] {
  const result = schema.safeParse(value, { reportInput: true });
  return result.success ? [] : problems(schema, result.error.issues);
}

/** Options that need a new namespace of the child's own, and which. */
const NEEDS: readonly (readonly [option: keyof SysProcAttr, flag: CloneFlag, why: string])[] = [
  ["uidMappings", "CLONE_NEWUSER", "ids are mapped in a new user namespace (user_namespaces(7))"],
  ["gidMappings", "CLONE_NEWUSER", "ids are mapped in a new user namespace (user_namespaces(7))"],
  ["rootfs", "CLONE_NEWNS", "the root would change for everybody (pivot_root(2))"],
  ["mounts", "CLONE_NEWNS", "the mounts would appear on the host (mount_namespaces(7))"],
  ["maskedPaths", "CLONE_NEWNS", "the paths would be covered on the host (mount_namespaces(7))"],
  ["readonlyPaths", "CLONE_NEWNS", "the paths would be read-only on the host (mount_namespaces(7))"],
  ["hostname", "CLONE_NEWUTS", "the host's name would change (uts_namespaces(7))"],
  ["domainname", "CLONE_NEWUTS", "the host's domain name would change (uts_namespaces(7))"],
  ["loopback", "CLONE_NEWNET", "it is the host's interface otherwise (network_namespaces(7))"],
  ["timeOffsets", "CLONE_NEWTIME", "offsets belong to a new time namespace (time_namespaces(7))"],
];

function isGiven(value: SysProcAttr[keyof SysProcAttr]): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
}

function combinationProblems(options: SpawnOptions): Problem[] {
  const sys = options.sys ?? {};
  const cloned = sys.cloneflags ?? [];
  const unshared = sys.unshareflags ?? [];
  const found: Problem[] = [];
  const refuse = (path: string, message: string): void => void found.push({ path, message });

  for (const [option, flag, why] of NEEDS) {
    if (isGiven(sys[option]) && !cloned.includes(flag) && !unshared.includes(flag)) {
      refuse(`sys.${option}`, `needs ${flag} in sys.cloneflags: ${why}`);
    }
  }
  for (const flag of unshared) {
    if (cloned.includes(flag)) refuse("sys.unshareflags", `${flag} is in sys.cloneflags already`);
  }
  if (isGiven(sys.uidMappings) !== isGiven(sys.gidMappings)) {
    refuse(
      isGiven(sys.uidMappings) ? "sys.gidMappings" : "sys.uidMappings",
      "must be given too: both ids are mapped, or neither",
    );
  }
  if (sys.init === true && !cloned.includes("CLONE_NEWPID")) {
    refuse(
      "sys.init",
      "needs CLONE_NEWPID in sys.cloneflags: PID 1 exists once in a PID namespace (pid_namespaces(7))",
    );
  }
  if (options.terminal !== undefined && options.stdio !== undefined) {
    refuse("stdio", "excludes terminal, which becomes fds 0, 1 and 2");
  }
  if (sys.setctty === true && sys.setsid !== true && options.terminal === undefined) {
    refuse("sys.setctty", "needs sys.setsid: only a session leader takes a controlling terminal (ioctl_tty(2))");
  }
  if (sys.setctty === true && sys.foreground === true) {
    refuse("sys.foreground", "excludes sys.setctty: a new session's leader is in the foreground already");
  }
  if (sys.foreground === true && sys.ctty === undefined) refuse("sys.ctty", "must be given with sys.foreground");
  if (sys.pgid !== undefined && sys.setpgid !== true && sys.foreground !== true) {
    refuse("sys.pgid", "needs sys.setpgid");
  }
  for (const [i, { soft, hard }] of (sys.rlimits ?? []).entries()) {
    if (hard !== -1 && (soft === -1 || soft > hard)) {
      refuse(`sys.rlimits[${i}].soft`, "must not be above the hard limit (getrlimit(2))");
    }
  }
  for (const [i, mount] of (sys.mounts ?? []).entries()) {
    const type = mount.type ?? (mount.source === undefined ? undefined : "bind");
    if (type === undefined) refuse(`sys.mounts[${i}].type`, "must be given, or a source to bind");
    if ((type === "bind" || type === "symlink") && mount.source === undefined) {
      refuse(`sys.mounts[${i}].source`, `must be given for a ${type}`);
    }
  }
  return found;
}

/**
 * Everything that spawn() would refuse about these options; empty when they are sound. What only the kernel can know
 * (whether the caller has the capability) is found out by running.
 */
export function validate(options: SpawnOptions): Problem[] {
  const shape = check(schemas().spawnOptions, options);
  return shape.length > 0 ? shape : combinationProblems(options);
}

/** The same for a command: an empty file name, a NUL in an argument. */
export function validateCommand(file: string, args: readonly string[]): Problem[] {
  return check(schemas().command, { file, args: [...args] });
}
