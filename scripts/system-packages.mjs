// Debian packages that the scripts need: found missing, they are installed (as root) or named in an error (as anybody else).

import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const MINUTE = 60_000;

/**
 * A thing that some work needs, and the Debian package that brings it.
 * @typedef {object} SystemPackage
 * @property {string} package Name of the Debian package.
 * @property {string} [command] There when an executable of this name is on PATH.
 * @property {string} [file] There when this absolute path exists.
 * @property {string} why What it is needed for, to be read after "needed" ("to compile the addon").
 */

/**
 * @param {string} command
 * @returns {string | undefined} absolute path of the executable, as the shell's `command -v` would find it
 */
export function findCommand(command) {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    if (folder === "") continue;
    const candidate = join(folder, command);
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // Not in this folder of PATH.
    }
  }
  return undefined;
}

/** @param {SystemPackage} wanted */
function isThere(wanted) {
  if (wanted.command !== undefined) return findCommand(wanted.command) !== undefined;
  if (wanted.file !== undefined) return existsSync(wanted.file);
  throw new TypeError(`system package ${wanted.package}: say which command or file tells that it is there`);
}

/**
 * Run apt-get; its output is shown only when it fails, because it is long and of no use otherwise.
 * @param {string[]} args
 */
function aptGet(args) {
  // Another apt (unattended-upgrades, say) may hold the lock for a while: wait for it rather than fail.
  const command = ["-q", "-o", "DPkg::Lock::Timeout=120", ...args];
  const run = spawnSync("apt-get", command, {
    encoding: "utf8",
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    timeout: 10 * MINUTE,
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (run.status === 0) return;
  const why = run.error ? run.error.message : `exit code ${run.status ?? run.signal}`;
  throw new Error(`apt-get ${command.join(" ")} failed: ${why}\n${run.stdout ?? ""}${run.stderr ?? ""}`.trimEnd());
}

/**
 * Make sure that system packages are there. As root, what is missing is installed with apt-get, and said; as an
 * ordinary user nothing is changed.
 * @param {SystemPackage[]} wanted
 * @throws Error that names the packages, why they are needed and the exact command that installs them
 */
export function ensureSystemPackages(wanted) {
  const missing = wanted.filter((one) => !isThere(one));
  if (missing.length === 0) return;

  const names = [...new Set(missing.map((one) => one.package))];
  const reasons = missing.map((one) => `  ${one.package}: needed ${one.why}`).join("\n");
  const install = `apt-get install -y --no-install-recommends ${names.join(" ")}`;

  if (findCommand("apt-get") === undefined) {
    throw new Error(`These system packages are missing (Debian's names; there is no apt-get here):\n${reasons}`);
  }
  if (process.getuid?.() !== 0) {
    throw new Error(
      `These system packages are missing:\n${reasons}\nInstall them with:\n  sudo apt-get update && sudo ${install}`,
    );
  }

  console.log(`Installing Debian packages (up to a minute):\n${reasons}`);
  const start = Date.now();
  aptGet(["update"]);
  aptGet(["install", "-y", "--no-install-recommends", ...names]);
  const still = missing.filter((one) => !isThere(one));
  if (still.length > 0) {
    const what = still.map((one) => `${one.command ?? one.file} (package ${one.package})`).join(", ");
    throw new Error(`${install} succeeded, and yet this is not there: ${what}`);
  }
  console.log(`Installed in ${Math.round((Date.now() - start) / 1000)} s.`);
}

/** Packages that more than one script asks for. */
export const PACKAGES = {
  /** @type {SystemPackage} */
  chromium: { command: "chromium", package: "chromium", why: "to drive VS Code in a browser, where no desktop is" },
  /** @type {SystemPackage} */
  fonts: {
    file: "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf",
    package: "fonts-dejavu-core",
    why: "so that the text in that browser can be read",
  },
  /** @type {SystemPackage} */
  strace: { command: "strace", package: "strace", why: "to hold explain() against what is really done" },
  /** @type {SystemPackage} */
  bubblewrap: { command: "bwrap", package: "bubblewrap", why: "to compare what its sandboxes hold" },
  /** @type {SystemPackage} */
  cmake: { command: "cmake", package: "cmake", why: "to build with it in a sandbox" },
  /** @type {SystemPackage} */
  gdb: { command: "gdb", package: "gdb", why: "to debug in a sandbox" },
  /** @type {SystemPackage} */
  go: { command: "go", package: "golang-go", why: "to build with it in a sandbox" },
  /** @type {SystemPackage} */
  tmux: { command: "tmux", package: "tmux", why: "to run it in a sandbox" },
  /** @type {SystemPackage} */
  clangFormat: { command: "clang-format", package: "clang-format", why: "to check the layout of the C++ sources" },
  /** @type {SystemPackage} */
  clang: { command: "clang++", package: "clang", why: "to compile the fuzzer" },
  /** @type {SystemPackage} */
  fuzzer: {
    file: "/usr/lib/clang/14/lib/linux/libclang_rt.fuzzer-x86_64.a",
    package: "libclang-rt-14-dev",
    why: "to compile the fuzzer",
  },
  /** @type {SystemPackage} */
  libseccomp: { file: "/usr/include/seccomp.h", package: "libseccomp-dev", why: "to compile the system call filter" },
  /** @type {SystemPackage} */
  crossCompiler: {
    command: "aarch64-linux-gnu-g++",
    package: "g++-aarch64-linux-gnu",
    why: "to compile for arm64",
  },
  /** @type {SystemPackage} */
  mmdebstrap: { command: "mmdebstrap", package: "mmdebstrap", why: "to unpack the test machine's system" },
  /** @type {SystemPackage} */
  mke2fs: { command: "mke2fs", package: "e2fsprogs", why: "to make the test machine's disks" },
  /** @type {SystemPackage} */
  cpio: { command: "cpio", package: "cpio", why: "to make the test machine's initramfs" },
  /** @type {SystemPackage} */
  zstd: { command: "zstd", package: "zstd", why: "to decompress the test machine's kernel" },
  /** @type {SystemPackage} */
  xz: { command: "xz", package: "xz-utils", why: "to decompress the test machine's drivers" },
  /** @type {SystemPackage} */
  lz4: { command: "lz4", package: "lz4", why: "to decompress the test machine's kernel" },
  /** @type {SystemPackage} */
  qemu: { command: "qemu-system-x86_64", package: "qemu-system-x86", why: "to run the test machine" },
};
