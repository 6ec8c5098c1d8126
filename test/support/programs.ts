// The C++ programs of the tests, compiled on first use.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

const NATIVE = "test/native/programs";
const ESCAPE = "test/escape/programs";

interface Program {
  /** Folder of its sources; the program lies below out/ at the same path. */
  readonly folder: string;
  /** The sources that are compiled. */
  readonly sources: (names: readonly string[]) => string[];
  /** What else it is made from. */
  readonly alsoFrom?: string;
  readonly flags: readonly string[];
}

const native = (name: string): Program => ({
  folder: NATIVE,
  sources: () => [`${name}.cc`],
  alsoFrom: "native/plan/syscalls.def",
  flags: [],
});

const PROGRAMS = {
  calls: native("calls"),
  inject: native("inject"),
  nothing: native("nothing"),
  refuse: native("refuse"),
  /** Stripped, as it is copied into many workspaces. */
  attempt: {
    folder: ESCAPE,
    sources: (names: readonly string[]) => names.filter((name) => name.endsWith(".cc")),
    flags: ["-s"],
  },
} as const satisfies Record<string, Program>;

function newest(files: readonly string[]): number {
  return Math.max(...files.map((file) => statSync(file).mtimeMs));
}

/**
 * Absolute path of a program, compiled when it is missing or older than the sources. A copy of the project without
 * them, as ordinary users get it, has it from root's run.
 * @throws Error with the compiler's words
 */
export function program(name: keyof typeof PROGRAMS): string {
  const { folder, sources, alsoFrom, flags }: Program = PROGRAMS[name];
  const file = resolve("out", folder, name);
  const hasSources = existsSync(folder);
  const names = hasSources ? readdirSync(folder) : [];
  const from = [...names.map((one) => join(folder, one)), ...(alsoFrom === undefined ? [] : [alsoFrom])];
  if (existsSync(file) && (!hasSources || statSync(file).mtimeMs > newest(from))) return file;
  mkdirSync(dirname(file), { recursive: true });
  const made = join(dirname(file), `${basename(file)}.${process.pid}`);
  const warnings = ["-Wall", "-Wextra", "-Werror"];
  const inputs = sources(names).map((one) => join(folder, one));
  const args = ["-O1", "-std=c++20", "-static", ...flags, ...warnings, "-o", made, ...inputs];
  const run = spawnSync("g++", args, { encoding: "utf8" });
  if (run.status !== 0) throw new Error(`g++ ${args.join(" ")} failed: ${run.error?.message ?? run.stderr.trim()}`);
  renameSync(made, file); // another run may be compiling it too
  return file;
}

/** All of them, where suites that run side by side copy the project, or another machine has no compiler. */
export function compilePrograms(): void {
  for (const name of Object.keys(PROGRAMS) as (keyof typeof PROGRAMS)[]) program(name);
}
