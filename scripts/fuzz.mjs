// npm run fuzz -- SECONDS: random bytes through the decoder of plans, with libFuzzer and sanitizers. It starts from real
// plans and from what earlier runs have found; an input that breaks something stays in test-results/fuzz.

import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./files.mjs";
import { buildIfStale, runNode, TSC_ARGUMENTS } from "./run.mjs";
import { ensureSystemPackages, PACKAGES } from "./system-packages.mjs";

const FOLDER = join(ROOT, "test-results/fuzz");
const FUZZER = join(FOLDER, "plan-fuzzer");
const DEFAULT_SECONDS = 60;

/** @param {string} file @param {string[]} args @param {Record<string, string>} [env] in addition to ours */
function run(file, args, env = {}) {
  const options = { cwd: FOLDER, stdio: "inherit", env: { ...process.env, ...env } };
  const { status, error, signal } = spawnSync(file, args, options);
  if (status !== 0) throw new Error(`${file} failed: ${error?.message ?? `exit code ${status ?? signal}`}`);
}

function build() {
  const sources = ["test/fuzz/plan.fuzz.cc", "native/plan/plan.cc"].map((file) => join(ROOT, file));
  const sanitizers = ["-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all"];
  run("clang++", ["-std=c++20", "-g", "-O1", "-Wall", "-Wextra", "-Werror", ...sanitizers, "-o", FUZZER, ...sources]);
}

/** @param {number} seconds */
function fuzz(seconds) {
  rmSync(join(FOLDER, "seeds"), { recursive: true, force: true });
  const [seeds, corpus] = ["seeds", "corpus"].map((name) => join(FOLDER, name));
  mkdirSync(corpus, { recursive: true });
  runNode("out/test/fuzz/seeds.js", [seeds]);
  // Seeds that the decoder refuses would lead the fuzzer nowhere.
  run(FUZZER, ["-runs=0", "-verbosity=0", seeds], { ALL_SOUND: "1" });
  const limits = [`-max_total_time=${seconds}`, "-max_len=16384", "-timeout=10", "-rss_limit_mb=2048"];
  run(FUZZER, [...limits, "-use_value_profile=1", "-print_final_stats=1", "-verbosity=0", corpus, seeds]);
}

try {
  const seconds = Number(process.argv[2] ?? DEFAULT_SECONDS);
  if (!Number.isInteger(seconds) || seconds < 1) throw new Error("Say for how many seconds: npm run fuzz -- 600");
  ensureSystemPackages([PACKAGES.clang, PACKAGES.fuzzer]);
  if (!process.argv.includes("--built")) {
    buildIfStale();
    runNode("node_modules/typescript/bin/tsc", TSC_ARGUMENTS);
  }
  mkdirSync(FOLDER, { recursive: true });
  build();
  fuzz(seconds);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
