// Where the native build finds libseccomp: this machine's package, or for another architecture the same package taken
// apart in a folder of its own. Nothing of the machine's package database is changed for that.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./files.mjs";
import { ensureSystemPackages, PACKAGES } from "./system-packages.mjs";

const MINUTE = 60_000;

/** @param {string} file @param {string[]} args @param {string} [cwd] */
function run(file, args, cwd) {
  const done = spawnSync(file, args, { cwd, encoding: "utf8", timeout: 5 * MINUTE, stdio: ["ignore", "pipe", "pipe"] });
  if (done.status === 0) return;
  const why = done.error?.message ?? `exit code ${done.status ?? done.signal}`;
  throw new Error(`${file} ${args.join(" ")} failed: ${why}\n${done.stdout ?? ""}${done.stderr ?? ""}`.trimEnd());
}

/** The package of this machine. */
export function ensureLibseccomp() {
  ensureSystemPackages([PACKAGES.libseccomp]);
}

/**
 * The package of another architecture, downloaded by an apt that has its own lists and believes to be on such a machine;
 * any user may do that.
 * @param {string} architecture Debian's name for it
 * @param {string} folder relative to the root
 * @returns {string} absolute path of the folder that stands for that machine's /
 */
export function foreignLibseccomp(architecture, folder) {
  const root = join(ROOT, folder, "sysroot");
  if (existsSync(join(root, "usr/include/seccomp.h"))) return root;
  const work = join(ROOT, folder, "apt");
  rmSync(work, { recursive: true, force: true });
  for (const name of ["state/lists/partial", "cache/archives/partial"])
    mkdirSync(join(work, name), { recursive: true });
  writeFileSync(join(work, "status"), "");
  console.log(`Fetching libseccomp for ${architecture}.`);
  const options = [
    `APT::Architecture=${architecture}`,
    `APT::Architectures=${architecture}`,
    `Dir::State=${join(work, "state")}`,
    `Dir::State::status=${join(work, "status")}`,
    `Dir::Cache=${join(work, "cache")}`,
    // Its own user could not write here.
    `APT::Sandbox::User=root`,
  ].flatMap((option) => ["-o", option]);
  try {
    run("apt-get", ["-q", ...options, "update"]);
    run("apt-get", ["-q", ...options, "download", PACKAGES.libseccomp.package], work);
    const [file] = readdirSync(work).filter((name) => name.endsWith(".deb"));
    run("dpkg-deb", ["-x", join(work, file ?? ""), `${root}.new`]);
    rmSync(root, { recursive: true, force: true });
    run("mv", [`${root}.new`, root]);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return root;
}
