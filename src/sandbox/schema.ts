// What a profile may say. Strict: a key that is not known is refused, because a limit that is misspelt and ignored is
// a sandbox that is not the one asked for. What later versions will offer is refused by name too, never ignored.
// package.json's JSON schemas and docs/profiles.md are written from this (npm run schema), with a text a key from
// package.nls.json and the examples from here.

import { z } from "zod";
import { GRANTABLE_NAMES, type GrantableCapability, refusedCapability } from "./capabilities";
import { globProblem } from "./globs";
import { parseDuration, parseSize } from "./quantities";
import { type SeccompChoice, seccompSchema } from "./seccomp/schema";

/** A path, or a pattern: absolute, below the home folder ("~/x"), or relative to the workspace. */
const path = z
  .string()
  .min(1, "an empty path")
  .refine((text) => !text.includes("\0"), "a path can't hold a NUL character")
  .refine(
    (text) => !/^~[^/]/.test(text),
    'another user\'s home is not looked up: write the path out, or "~/" for yours',
  )
  .superRefine((text, context) => {
    const message = globProblem(text);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });

const duration = z
  .string('a duration is a number with a unit in quotes: "90s", "10m", "1h30m"')
  .refine((text) => parseDuration(text) !== undefined, 'not a duration: write "500ms", "90s", "10m", "1h30m"');

const size = z.union(
  [
    z.int().nonnegative(),
    z.string().refine((text) => parseSize(text) !== undefined, 'not a size: write bytes, or "512K", "100M", "2G"'),
  ],
  'not a size: write bytes, or "512K", "100M", "2G"',
);

/** Names of the namespaces, as namespaces(7) and /proc/PID/ns have them but for "mount". */
export const NAMESPACE_NAMES = ["user", "mount", "pid", "ipc", "uts", "cgroup", "net", "time"] as const;
export type NamespaceName = (typeof NAMESPACE_NAMES)[number];

const variable = z.string().regex(/^[^=\0]+$/, "a variable's name can't be empty or hold '='");

export const filesystemSchema = z.strictObject({
  /** What the task may do to the workspace. */
  workspace: z.enum(["readwrite", "readonly", "copy-on-write"]).optional(),
  /** Shown read-only where they would be hidden. */
  read: z
    .array(path)
    .meta({ examples: [["~/.config/app", "~/.config/*/themes", "/srv/data"]] })
    .optional(),
  /** Shown writable. */
  write: z
    .array(path)
    .meta({ examples: [["~/.npm", "../shared"]] })
    .optional(),
  /** Hidden. */
  hide: z
    .array(path)
    .meta({ examples: [[".env", "**/.env*", "/srv"]] })
    .optional(),
  /** A /tmp and /var/tmp of its own, or the host's. */
  tmp: z.enum(["private", "shared"]).optional(),
  /** Package caches: under a layer of the sandbox's own, read-only, or as they are. */
  caches: z.enum(["private", "shared", "writable"]).optional(),
});

/** Below this not even a shell starts, and a number without a unit was meant to have one. */
const LEAST_MEMORY = 2 ** 20;

export const limitsSchema = z.strictObject({
  /** Memory of the whole sandbox (memory.max of its cgroup); what it keeps in /tmp counts. */
  memory: size
    .refine(
      (value) => (typeof value === "number" ? value : (parseSize(value) ?? 0)) >= LEAST_MEMORY,
      'less than 1M: no program runs in that; write "512M", "2G"',
    )
    .meta({ examples: ["512M", "2G"] })
    .optional(),
  /** Swap of the whole sandbox, beyond its memory (memory.swap.max). */
  swap: size.meta({ examples: ["0", "1G"] }).optional(),
  /** Processes and threads of the whole sandbox (pids.max). */
  pids: z
    .int()
    .min(2)
    .meta({ examples: [512] })
    .optional(),
  /** CPUs that the whole sandbox may use at a time (cpu.max). */
  cpus: z
    .number()
    .min(0.01)
    .meta({ examples: [2, 0.5] })
    .optional(),
  /** Share of the disks' time where others want it, too (io.weight); 100 is what everybody has. */
  ioWeight: z
    .int()
    .min(1)
    .max(10_000)
    .meta({ examples: [50] })
    .optional(),
  /** The whole sandbox is ended after this time. */
  wallTime: duration.meta({ examples: ["90s", "10m", "1h30m"] }).optional(),
  /** CPU time of each process (RLIMIT_CPU). */
  cpuTime: duration.meta({ examples: ["5m"] }).optional(),
  /** File descriptors of each process (RLIMIT_NOFILE). */
  openFiles: z
    .int()
    .positive()
    .meta({ examples: [4096] })
    .optional(),
  /** Size of each file written (RLIMIT_FSIZE). */
  fileSize: size.meta({ examples: ["100M"] }).optional(),
});

export const environmentSchema = z.strictObject({
  /** Variables passed on beyond the harmless ones, or all of them. */
  inherit: z
    .union([z.array(variable), z.literal("all")], 'a list of variable names, or "all"')
    .meta({ examples: [["DATABASE_URL"], "all"] })
    .optional(),
  /** Variables set, after the inherited ones. */
  set: z
    .record(
      variable,
      z.string().refine((text) => !text.includes("\0"), "a value can't hold a NUL character"),
    )
    .meta({ examples: [{ CI: "1" }] })
    .optional(),
});

/** A profile as it is written, every part optional; what is left out comes from the one it extends. */
export const profileSchema = z.strictObject({
  /** Name of the profile that this one changes. Default: "build". */
  extends: z.string().min(1).optional(),
  filesystem: filesystemSchema.optional(),
  network: z.enum(["none", "loopback", "host"]).optional(),
  /** The namespaces that are new. Default: all that the rest of the profile allows, but for "time". */
  namespaces: z.array(z.enum(NAMESPACE_NAMES)).optional(),
  limits: limitsSchema.optional(),
  environment: environmentSchema.optional(),
  /** Over what belongs to the sandbox's own user namespace. */
  capabilities: z
    .array(
      z.enum(GRANTABLE_NAMES, {
        error: ({ input }) => (typeof input === "string" ? refusedCapability(input) : undefined),
      }),
    )
    .meta({ examples: [["CAP_NET_BIND_SERVICE"]] })
    .optional(),
  /** A second wall derived from the rest, where the kernel has Landlock. */
  landlock: z.enum(["on", "off"]).optional(),
  /** The system call filter. */
  seccomp: seccompSchema.optional(),
  /** Where namespaces are refused: nothing runs, or Landlock alone holds it, which is less. */
  fallback: z.enum(["refuse", "landlock"]).optional(),
});

export type ProfileDefinition = z.infer<typeof profileSchema>;
export type NetworkRule = NonNullable<ProfileDefinition["network"]>;
export type Limits = z.infer<typeof limitsSchema>;

/** A name, or a name and what differs. */
export type ProfileRef = string | (ProfileDefinition & { extends: string });

/** A profile with nothing left open. */
export interface ResolvedProfile {
  /** As asked for; with " (changed)" when a task or a command changed what it allows. */
  readonly name: string;
  readonly filesystem: {
    readonly workspace: "readwrite" | "readonly" | "copy-on-write";
    readonly read: readonly string[];
    readonly write: readonly string[];
    readonly hide: readonly string[];
    readonly tmp: "private" | "shared";
    readonly caches: "private" | "shared" | "writable";
  };
  readonly network: NetworkRule;
  /** Absent: all that the network rule allows, but for "time". */
  readonly namespaces?: readonly NamespaceName[];
  readonly limits: Limits;
  readonly environment: {
    readonly inherit: readonly string[] | "all";
    readonly set: Readonly<Record<string, string>>;
  };
  readonly capabilities: readonly GrantableCapability[];
  readonly landlock: "on" | "off";
  readonly seccomp: SeccompChoice;
  readonly fallback: "refuse" | "landlock";
}

/** Values that are part of the design and not of this version, by path. */
export function laterValue(at: string, value: unknown): string | undefined {
  if (at === "network" && typeof value === "object" && value !== null) {
    return '{allow, publish} is not supported yet: use "none", "loopback" or "host"';
  }
  return undefined;
}
