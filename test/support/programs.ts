// The C++ programs in test/native/programs, compiled on first use.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

const SOURCES = resolve("test/native/programs");
const PROGRAMS = resolve("out/test/native/programs");

function newestSource(): number {
  const files = [...readdirSync(SOURCES).map((name) => join(SOURCES, name)), resolve("native/plan/syscalls.def")];
  return Math.max(...files.map((file) => statSync(file).mtimeMs));
}

/**
 * Absolute path of a program, compiled when it is missing or older than the sources. A copy of the project without
 * them, as ordinary users get it, has it from root's run.
 * @throws Error with the compiler's words
 */
export function program(name: "inject" | "nothing" | "refuse"): string {
  const file = join(PROGRAMS, name);
  if (existsSync(file) && (!existsSync(SOURCES) || statSync(file).mtimeMs > newestSource())) return file;
  mkdirSync(PROGRAMS, { recursive: true });
  const made = `${file}.${process.pid}`;
  const args = ["-O1", "-std=c++20", "-static", "-Wall", "-Wextra", "-Werror", "-o", made, join(SOURCES, `${name}.cc`)];
  const run = spawnSync("g++", args, { encoding: "utf8" });
  if (run.status !== 0) throw new Error(`g++ ${args.join(" ")} failed: ${run.error?.message ?? run.stderr.trim()}`);
  renameSync(made, file); // another run may be compiling it too
  return file;
}
