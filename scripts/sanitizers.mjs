// The native tests on builds with sanitizers. Node itself is an ordinary one: the runtime is preloaded into it, by a
// wrapper script that also keeps it out of whatever the tests start. Reports go into files, because the output of a test
// is easily lost, and any report is a failure.

import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./files.mjs";

/**
 * @typedef {object} Sanitizer
 * @property {string} title
 * @property {string} variant of the build (scripts/native.mjs)
 * @property {string} runtime
 * @property {Record<string, string[]>} options by environment variable
 * @property {string[]} leftOut compiled tests that tell it nothing
 */

const tests = (...names) => names.map((name) => `out/test/native/${name}.test.js`);

/**
 * Tests of what the built files are, not of what the code does; one that measures the memory of thousands; those that
 * look at every system call, where the runtime's own would be among them; those of what TypeScript decides, whose plans
 * run through the same native code as the others'; and those of ways round newer mount calls, which faults/child goes
 * too, down to each call that fails on them.
 */
const FOR_NEITHER = [
  ...tests("portability", "startup", "stress", "explain/*", "rules", "validate", "doctor", "doctor-causes"),
  ...tests("mount-fallbacks", "sandbox-alone", "remedies"),
  ...tests("cgroup-limits", "cgroup-systemd", "sandbox-capabilities", "sandbox-cgroup", "sandbox-files"),
  ...tests("sandbox-git", "sandbox-wall", "sandbox-workspace"),
];

/** @type {Sanitizer[]} */
export const SANITIZERS = [
  {
    title: "AddressSanitizer and UndefinedBehaviorSanitizer",
    variant: "address",
    runtime: "libasan.so",
    options: {
      // Leaks are looked for at the end and must not change the exit code: leaksOfOurs() tells ours from Node's.
      ASAN_OPTIONS: ["abort_on_error=1", "detect_leaks=1", "exitcode=0"],
      UBSAN_OPTIONS: ["print_stacktrace=1"],
    },
    leftOut: FOR_NEITHER,
  },
  {
    title: "ThreadSanitizer",
    variant: "thread",
    runtime: "libtsan.so",
    // Node's own code is not instrumented: without its accesses, its locks would be all that is seen of it.
    options: { TSAN_OPTIONS: ["ignore_noninstrumented_modules=1"] },
    // What the child does is done alone, and not instrumented for it; and the ways round newer calls are those of one
    // thread.
    leftOut: [
      ...FOR_NEITHER,
      ...tests("faults/child", "faults/fallbacks", "credentials", "fds", "landlock", "limits", "mounts", "namespaces"),
      ...tests("sandbox", "sessions", "ties", "unshare"),
    ],
  },
];

/** ThreadSanitizer's memory map has no place for as much randomness as newer kernels give to addresses. */
function withoutRandomAddresses() {
  return spawnSync("setarch", ["--addr-no-randomize", "true"]).status === 0 ? ["setarch", "--addr-no-randomize"] : [];
}

/**
 * A Node with the runtime in it.
 * @param {Sanitizer} sanitizer
 * @param {string} folder for the wrapper script and the reports
 * @returns {{node: string, env: Record<string, string>}}
 */
export function sanitizedNode(sanitizer, folder) {
  const found = spawnSync("g++", [`-print-file-name=${sanitizer.runtime}`], { encoding: "utf8" });
  const node = join(folder, "node");
  const quiet = join(ROOT, "out/test/support/no-preload.js");
  const words = [...withoutRandomAddresses(), process.execPath, "--require", quiet]
    .map((word) => `'${word}'`)
    .join(" ");
  mkdirSync(folder, { recursive: true });
  writeFileSync(node, `#!/bin/sh\nLD_PRELOAD='${realpathSync(found.stdout.trim())}' exec ${words} "$@"\n`);
  chmodSync(node, 0o755);
  const env = Object.fromEntries(
    Object.entries(sanitizer.options).map(([name, options]) => [
      name,
      [...options, `log_path=${join(folder, "report")}`].join(":"),
    ]),
  );
  return { node, env };
}

/** Frames of the runtime and of the standard library say nothing about who has allocated. */
const IS_RUNTIME = /libsanitizer|\bin (std::|__gnu_cxx::|operator new|malloc|calloc)|\/include\/c\+\+\//;

/**
 * Node and V8 leave memory behind at the end, and V8 keeps pointers where the leak checker does not look. A leak is ours
 * when our code has allocated it, not when something allocated further down a call of ours.
 * @param {string} report
 * @returns {string[]}
 */
function leaksOfOurs(report) {
  return report.split("\n\n").filter((block) => {
    if (!/^(Direct|Indirect) leak of /m.test(block)) return false;
    const frame = block.split("\n").find((line) => /^\s+#\d+ /.test(line) && !IS_RUNTIME.test(line));
    return frame !== undefined && /spawner\.node| \.\.\/[\w/.]+\.(cc|h):\d+/.test(frame);
  });
}

/**
 * @param {string} folder
 * @returns {string[]} what was reported, but the leaks that are not ours
 */
export function sanitizerReports(folder) {
  return readdirSync(folder)
    .filter((name) => name.startsWith("report."))
    .flatMap((name) => {
      const text = readFileSync(join(folder, name), "utf8");
      if (!text.includes("ERROR: LeakSanitizer: detected memory leaks")) return [text];
      const [before = ""] = text.split(/^=+\n==\d+==ERROR: LeakSanitizer/m);
      return [...(before.trim() === "" ? [] : [before]), ...leaksOfOurs(text)];
    });
}
