// npm test: installs what the tests need, builds, lints, and runs every suite; `npm test -- unit native` runs only those.
// The very last line is the sum: "N passed, N failed, N skipped".

import { randomUUID } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { filesBelow, ROOT } from "./files.mjs";
import { compare, RUN_MARK, snapshot } from "./leftovers.mjs";
import { compileHost, runNode, runNodeAside, TSC_ARGUMENTS } from "./run.mjs";
import { MACHINE_SUITES } from "./suites/machine.mjs";
import { isRoot } from "./suites/mocha.mjs";
import { failure, heading, RESULTS, summary } from "./suites/results.mjs";
import { runSuites } from "./suites/schedule.mjs";
import { GROUPS, SUITES } from "./suites/suites.mjs";
import { ensureSystemPackages, PACKAGES } from "./system-packages.mjs";
import { ensureImage, whyNoImage } from "./vm/image.mjs";

const USUAL = Object.keys(SUITES).filter((name) => !SUITES[name].onlyWhenAsked);

/** @type {import("./suites/results.mjs").Result[]} */
const results = [];

/** Compiled files whose source is gone would be run as if they were still tests. */
function removeOrphans() {
  for (const file of filesBelow("out")) {
    if (!/\.js(\.map)?$/.test(file)) continue; // test/support/programs.ts compiles its own
    const source = file.replace(/^out\//, "").replace(/\.js(\.map)?$/, ".ts");
    if (!existsSync(join(ROOT, source))) rmSync(join(ROOT, file));
  }
}

/** A module of test/support. */
const compiled = (path) => createRequire(import.meta.url)(join(ROOT, "out/test/support", path));

/** @param {readonly string[]} chosen */
function installPackages(chosen) {
  const needsEditor = chosen.some((name) => SUITES[name].editor);
  ensureSystemPackages([
    PACKAGES.libseccomp, // the build would ask for it alone, and look at every list of packages once more
    ...(chosen.includes("lint") ? [PACKAGES.clangFormat] : []),
    // Without them those tests are skipped; only root can install them.
    ...((chosen.includes("native") || chosen.includes("builds")) && isRoot ? [PACKAGES.strace] : []),
    ...(chosen.includes("builds") && isRoot ? [PACKAGES.cmake, PACKAGES.gdb, PACKAGES.tmux, PACKAGES.go] : []),
    ...(chosen.includes("native") ? [PACKAGES.crossCompiler] : []),
    ...(chosen.includes("fuzz") ? [PACKAGES.clang, PACKAGES.fuzzer] : []),
    ...(needsEditor ? [PACKAGES.chromium, PACKAGES.fonts] : []),
  ]);
}

/** @param {readonly string[]} chosen */
async function prepare(chosen) {
  const needsEditor = chosen.some((name) => SUITES[name].editor);
  if (needsEditor) compileHost();
  // VS Code comes from another registry than Debian's packages, and unpacking is work for one processor.
  const host = needsEditor ? runNodeAside("out/test/support/vscode-host/install.js") : undefined;
  try {
    installPackages(chosen);
    heading("build");
    runNode("scripts/build.mjs");
    runNode("node_modules/typescript/bin/tsc", TSC_ARGUMENTS);
    removeOrphans();
    // Once, and not by each of the machines that run side by side; who has not asked for one uses what is there.
    const machine = process.env.SANDBOX_TASKS_TEST_ASKED !== undefined && chosen.some((name) => name in MACHINE_SUITES);
    if (machine && whyNoImage() === undefined) {
      ensureSystemPackages([PACKAGES.qemu]);
      ensureImage();
    }
    if (chosen.some((name) => SUITES[name].user)) compiled("programs.js").compilePrograms();
    if (needsEditor) runNode("scripts/package.mjs");
  } finally {
    await host;
  }
}

async function main() {
  const asked = process.argv.slice(2).flatMap((name) => GROUPS[name] ?? [name]);
  const unknown = asked.filter((name) => !(name in SUITES));
  if (unknown.length > 0) {
    const names = [...Object.keys(SUITES), ...Object.keys(GROUPS)].join(", ");
    throw new Error(`No suite ${unknown.join(", ")}; there are ${names}.`);
  }
  const chosen = asked.length > 0 ? asked : USUAL;
  if (asked.length > 0) process.env.SANDBOX_TASKS_TEST_ASKED = "1";

  mkdirSync(RESULTS, { recursive: true });
  await prepare(chosen);

  // Everything temporary of this run goes into one folder, so that what is left in it is known to be ours.
  const temp = realpathSync(mkdtempSync(join(tmpdir(), "sbx-")));
  chmodSync(temp, 0o711);
  process.env.TMPDIR = temp;
  process.env[RUN_MARK] = randomUUID();
  const before = snapshot();
  try {
    results.push(...(await runSuites(chosen)));
    heading("left behind");
    const { left, counts } = await compare(before, process.env[RUN_MARK], temp);
    console.log(counts);
    for (const one of left) results.push(failure("left behind", one, "was there after all suites had ended"));
  } finally {
    rmSync(temp, { recursive: true, force: true });
  }
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  results.push(failure("npm test", "preparation", error instanceof Error ? error.message : String(error)));
}
if (!summary(results)) process.exitCode = 1;
