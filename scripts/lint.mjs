// npm run lint, npm run format (--write): TypeScript and JSON by biome, types by tsc, C++ by clang-format. All three run,
// also when an earlier one finds something.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { filesBelow, ROOT } from "./files.mjs";
import { TSC_ARGUMENTS } from "./run.mjs";
import { ensureSystemPackages, PACKAGES } from "./system-packages.mjs";

const write = process.argv.includes("--write");

/**
 * @param {string} name
 * @param {string} file
 * @param {string[]} args
 * @returns {boolean} whether it found nothing
 */
function check(name, file, args) {
  const start = Date.now();
  const run = spawnSync(file, args, { cwd: ROOT, stdio: "inherit" });
  const verdict = run.status === 0 ? "ok" : `FAILED (${run.error?.message ?? `exit code ${run.status ?? run.signal}`})`;
  console.log(`lint: ${name}: ${verdict}, ${((Date.now() - start) / 1000).toFixed(1)} s`);
  return run.status === 0;
}

try {
  ensureSystemPackages([PACKAGES.clangFormat]);
  const sources = [
    ...filesBelow("native", (name) => !/^(build|node_modules)/.test(name)),
    ...filesBelow("test/bench"),
    ...filesBelow("test/escape"),
    ...filesBelow("test/fuzz"),
    ...filesBelow("test/native/programs"),
  ].filter((path) => /\.(h|cc)$/.test(path));
  const results = [
    check("biome", join(ROOT, "node_modules/.bin/biome"), [
      "check",
      "--error-on-warnings",
      ...(write ? ["--write"] : []),
    ]),
    check("types", join(ROOT, "node_modules/.bin/tsc"), [...TSC_ARGUMENTS, "--noEmit"]),
    check("clang-format", "clang-format", [...(write ? ["-i"] : ["--dry-run", "-Werror"]), ...sources]),
  ];
  if (results.includes(false)) process.exitCode = 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
