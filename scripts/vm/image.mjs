// The test machine's disk and kernel, built from Debian's packages when they are not in the cache: outside the checkout,
// under a hash of all that they are made from, so that a fresh clone finds them. Nothing is mounted that this
// machine would see: it is done in a mount namespace of its own, and mke2fs makes a file system of a folder.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { filesBelow, ROOT } from "../files.mjs";
import { ensureSystemPackages, PACKAGES } from "../system-packages.mjs";
import { aptSources, aptTransport, backportsOf, debianCodename } from "./apt.mjs";
import { makeBootFiles } from "./kernel.mjs";

const MINUTE = 60_000;
const BUILD_LIMIT_MS = 30 * MINUTE;
const KEPT_UNUSED_MS = 14 * 24 * 60 * MINUTE;
const UNFINISHED = "unfinished-";

/** Beside the essential ones: a system with logins and a service manager for each user, and what the tests call or load. */
const INSTALLED = [
  ...["systemd-sysv", "dbus", "dbus-user-session", "libpam-systemd", "kmod"],
  ...["libstdc++6", "procps", "iproute2", "git", "apparmor"],
];

/**
 * stable: that of the release, which its users have. newest: of the release's backports.
 * @typedef {"stable" | "newest"} Kernel
 */

/**
 * @typedef {object} Image
 * @property {Record<Kernel, {kernel: string, initramfs: string}>} boot
 * @property {string} root raw disk with the root file system; never written to
 */

/** Why a machine can't be made here, in words; undefined when it can. */
export function whyNoImage() {
  if (process.getuid?.() !== 0) return "only root can make the files of a Debian system";
  if (process.arch !== "x64") return "only made for x86-64";
  if (debianCodename() === undefined) return "made from Debian's packages, and this system is not Debian";
  return undefined;
}

function cacheFolder() {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "sandbox-tasks");
}

/** @param {string} codename */
function imageFolder(codename) {
  // Everything that decides what is in it.
  const hash = createHash("sha256").update(`${codename} ${INSTALLED.join(" ")}`);
  const recipe = [...filesBelow("scripts/vm/image"), "scripts/vm/kernel.mjs"].sort();
  for (const path of recipe) hash.update(`\0${path}\0`).update(readFileSync(join(ROOT, path)));
  return join(cacheFolder(), `vm-${hash.digest("hex").slice(0, 16)}`);
}

/** @param {string} codename @returns {Record<Kernel, string>} parts of Debian's archive */
const kernelSuites = (codename) => ({ stable: codename, newest: backportsOf(codename) });

/** @param {string} folder @returns {Image} */
function filesOf(folder) {
  const boot = (kernel) => ({ kernel: join(folder, kernel, "kernel"), initramfs: join(folder, kernel, "initramfs") });
  return { boot: { stable: boot("stable"), newest: boot("newest") }, root: join(folder, "root.img") };
}

/** Whether the image need not be built first. */
export function hasImage() {
  const codename = debianCodename();
  return codename !== undefined && existsSync(imageFolder(codename));
}

/** @param {string} file @param {string[]} args @param {Record<string, string>} [env] */
function mustRun(file, args, env = {}) {
  const run = spawnSync(file, args, {
    encoding: "utf8",
    env: { ...process.env, ...env },
    maxBuffer: 2 ** 28,
    timeout: BUILD_LIMIT_MS,
  });
  if (run.status === 0) return;
  const why = run.error?.message ?? `exit code ${run.status ?? run.signal}`;
  const last = `${run.stdout}${run.stderr}`.trimEnd().split("\n").slice(-40).join("\n");
  throw new Error(`${file} ${args.join(" ")} failed: ${why}\n${last}`);
}

/** @param {string} codename @param {string} work an empty folder */
function build(codename, work) {
  const { mmdebstrap, mke2fs, cpio, zstd, xz, lz4 } = PACKAGES;
  ensureSystemPackages([mmdebstrap, mke2fs, cpio, zstd, xz, lz4]);
  writeFileSync(join(work, "sources.list"), `${aptSources(codename).join("\n")}\n`);
  writeFileSync(join(work, "apt.conf"), `${aptTransport()}\n`);
  const suites = kernelSuites(codename);
  mustRun(
    "unshare",
    [
      // If we are killed, so is it.
      ...["--mount", "--propagation=private", "--pid", "--fork", "--kill-child", "--"],
      ...[join(ROOT, "scripts/vm/image/build"), work],
    ],
    { VM_CODENAME: codename, VM_KERNEL_SUITES: Object.values(suites).join(" "), VM_PACKAGES: INSTALLED.join(",") },
  );
  const [busybox, init] = [join(work, "busybox/bin/busybox"), join(ROOT, "scripts/vm/image/init")];
  for (const [kernel, suite] of Object.entries(suites)) {
    makeBootFiles(join(work, "kernels", suite), busybox, init, join(work, kernel));
  }
  const kept = [...Object.keys(suites), "root.img"];
  for (const name of readdirSync(work)) {
    if (!kept.includes(name)) rmSync(join(work, name), { recursive: true });
  }
}

/** Remove images that no run has used for long, and what a build that was killed left behind. */
function prune() {
  const cache = cacheFolder();
  for (const name of readdirSync(cache)) {
    const age = Date.now() - statSync(join(cache, name)).mtimeMs;
    const isOld = name.startsWith("vm-") && age > KEPT_UNUSED_MS;
    const isDead = name.startsWith(UNFINISHED) && age > 2 * BUILD_LIMIT_MS;
    if (isOld || isDead) rmSync(join(cache, name), { recursive: true, force: true });
  }
}

/**
 * The image, built when it is not in the cache. Two that build at once both succeed, and the first one's is kept.
 * @throws Error that says what failed; nothing is left then
 * @returns {Image}
 */
export function ensureImage() {
  const why = whyNoImage();
  if (why !== undefined) throw new Error(`No test machine: ${why}.`);
  const codename = /** @type {string} */ (debianCodename());
  const folder = imageFolder(codename);
  mkdirSync(cacheFolder(), { recursive: true });
  if (!existsSync(folder)) {
    console.log(`Building the test machine from packages of Debian ${codename} (some minutes) for ${folder}`);
    const start = Date.now();
    const work = mkdtempSync(join(cacheFolder(), UNFINISHED));
    try {
      build(codename, work);
      if (!existsSync(folder)) renameSync(work, folder);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
    console.log(`Built in ${Math.round((Date.now() - start) / 1000)} s.`);
  }
  const now = new Date();
  utimesSync(folder, now, now);
  prune();
  return filesOf(folder);
}
