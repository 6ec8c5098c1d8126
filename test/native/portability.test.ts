// What the built files ask of the machine that loads them.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { skipBecause } from "../support/skip";

/** VS Code's own floor: Debian 10, RHEL 8, GCC 8's libstdc++. */
const FLOOR: Readonly<Record<string, string>> = { GLIBC: "2.28", GLIBCXX: "3.4.25", CXXABI: "1.3.11", GCC: "8.0.0" };

function readelf(context: Mocha.Context, ...args: string[]): string {
  try {
    return execFileSync("readelf", ["--wide", ...args], { encoding: "utf8" });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") skipBecause(context, "no readelf here");
    throw error;
  }
}

function isNewer(version: string, floor: string): boolean {
  const [a, b] = [version, floor].map((text) => text.split(".").map(Number));
  for (const [i, part] of (a ?? []).entries()) {
    if (part !== (b?.[i] ?? 0)) return part > (b?.[i] ?? 0);
  }
  return false;
}

/** The libraries by machine, as readelf names it. A variant is there when it was built: by npm test, as root. */
const BUILDS = [
  { folder: "dist/native", machine: process.arch === "arm64" ? "AArch64" : "Advanced Micro Devices X86-64" },
  { folder: "native/build-arm64/dist/native", machine: "AArch64" },
];

for (const { folder, machine } of BUILDS) {
  describe(`portability of ${folder}`, () => {
    const addon = `${folder}/spawner.node`;
    const init = `${folder}/sandbox-init`;
    before(function () {
      if (!existsSync(addon)) skipBecause(this, "not built: node scripts/build.mjs arm64");
    });

    it("is made for its machine", function () {
      for (const file of [addon, init]) {
        assert.match(readelf(this, "--file-header", file), new RegExp(`Machine: +${machine}`));
      }
    });

    it("asks for no symbol newer than glibc 2.28 and GCC 8's libstdc++", function () {
      const needed = readelf(this, "--version-info", addon).matchAll(/Name: ([A-Z]+)_([\d.]+)/g);
      const versions = [...needed].map(([, library = "", version = ""]) => ({ library, version }));
      assert.ok(versions.length > 3);
      const newer = versions.filter(({ library, version }) => isNewer(version, FLOOR[library] ?? "0"));
      assert.deepEqual(newer, []);
    });

    it("has a PID 1 that needs nothing, of a few kilobytes", function () {
      assert.doesNotMatch(readelf(this, "--program-headers", init), /INTERP|DYNAMIC/);
      assert.ok(statSync(init).size < 49_152);
    });
  });
}
