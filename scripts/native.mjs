// Compiles native/ by node-gyp: for this machine, for another architecture, or with sanitizers. node-gyp knows one build
// folder, native/build; a variant is therefore built from a copy of the sources in native/build-NAME, and nothing of the
// ordinary build is touched.

import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { filesBelow, ROOT } from "./files.mjs";
import { ensureLibseccomp, foreignLibseccomp } from "./libseccomp.mjs";
import { runNode } from "./run.mjs";
import { ensureSystemPackages, PACKAGES } from "./system-packages.mjs";

const PRODUCTS = ["spawner.node", "sandbox-init"];

/**
 * @typedef {object} Variant
 * @property {string} folder where its library is put, relative to the root
 * @property {string[]} options of node-gyp; what it does not know itself becomes a variable of binding.gyp
 * @property {Record<string, string>} [env]
 * @property {import("./system-packages.mjs").SystemPackage[]} [packages]
 * @property {string} [debian] the architecture's name there, when it is not this machine's
 */

/** @type {Record<string, Variant>} */
const VARIANTS = {
  arm64: {
    folder: "native/build-arm64/dist",
    options: ["--arch=arm64"],
    env: { CC: "aarch64-linux-gnu-gcc", CXX: "aarch64-linux-gnu-g++", AR: "aarch64-linux-gnu-ar" },
    packages: [PACKAGES.crossCompiler],
    debian: "arm64",
  },
  address: { folder: "native/build-address/dist", options: ["--sanitize=address"] },
  thread: { folder: "native/build-thread/dist", options: ["--sanitize=thread"] },
};

/** Names of the variants that can be built. */
export const VARIANT_NAMES = Object.keys(VARIANTS);

/**
 * Node's headers as its packages install them, so that node-gyp need not download them (nodejs.org is not reachable from
 * everywhere). Without them node-gyp falls back to its own download.
 */
function headersArgument() {
  const prefix = dirname(dirname(process.execPath));
  return existsSync(join(prefix, "include/node/node_api.h")) ? [`--nodedir=${prefix}`] : [];
}

/** What lies in native/ besides the sources: folders of builds. */
const isSource = (name) => !/^(build|node_modules)/.test(name);

/**
 * A copy of the sources with their times, so that make compiles only what has changed.
 * @param {string} target relative to the root
 */
function copySources(target) {
  const wanted = new Set(filesBelow("native", isSource).map((path) => relative("native", path)));
  for (const path of filesBelow(target, isSource)) {
    if (!wanted.has(relative(target, path))) rmSync(join(ROOT, path));
  }
  for (const name of readdirSync(join(ROOT, "native")).filter(isSource)) {
    cpSync(join(ROOT, "native", name), join(ROOT, target, name), { recursive: true, preserveTimestamps: true });
  }
}

/** @param {string} sources @param {string} folder */
function install(sources, folder) {
  mkdirSync(join(ROOT, folder), { recursive: true });
  for (const name of PRODUCTS) {
    // By rename: an editor that has the old file mapped must keep it, or it would end with SIGBUS.
    const file = join(ROOT, folder, name);
    copyFileSync(join(ROOT, sources, "build/Release", name), `${file}.new`);
    renameSync(`${file}.new`, file);
  }
}

/** @param {string} sources @param {string[]} options @param {Record<string, string>} env */
function nodeGyp(sources, options, env = {}) {
  ensureSystemPackages([
    { command: "python3", package: "python3", why: "by node-gyp" },
    { command: "make", package: "make", why: "by node-gyp" },
    { command: "g++", package: "g++", why: "to compile the addon" },
  ]);
  runNode(
    "node_modules/node-gyp/bin/node-gyp.js",
    [`--directory=${sources}`, "--loglevel=warn", "--jobs=max", ...headersArgument(), ...options, "configure", "build"],
    env,
  );
}

/** Compile for this machine into dist/native. */
export function buildNative() {
  ensureLibseccomp();
  nodeGyp("native", []);
  install("native", "dist/native");
}

/**
 * Compile a variant, and put it beside a copy of the bundles of dist/, which must be there.
 * @param {string} name one of VARIANT_NAMES
 * @returns {string} the folder of the library, relative to the root
 */
export function buildVariant(name) {
  const variant = VARIANTS[name];
  if (variant === undefined) throw new Error(`No variant ${name}; there are ${VARIANT_NAMES.join(", ")}.`);
  ensureSystemPackages(variant.packages ?? []);
  const sources = `native/build-${name}/sources`;
  copySources(sources);
  if (variant.debian === undefined) ensureLibseccomp();
  const sysroot =
    variant.debian === undefined ? [] : [`--sysroot=${foreignLibseccomp(variant.debian, `native/build-${name}`)}`];
  nodeGyp(sources, [...variant.options, ...sysroot], variant.env);
  install(sources, join(variant.folder, "native"));
  for (const file of readdirSync(join(ROOT, "dist")).filter((entry) => entry.endsWith(".js"))) {
    copyFileSync(join(ROOT, "dist", file), join(ROOT, variant.folder, file));
  }
  return variant.folder;
}
