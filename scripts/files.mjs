// Questions about the files of the repository that more than one script asks.

import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** Root folder of the repository. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** What `npm run build` leaves; scripts that need the build check these. */
export const BUILD_RESULTS = [
  "dist/extension.js",
  "dist/api.js",
  "dist/schemas.js",
  "dist/dbus.js",
  "dist/native/spawner.node",
  "dist/native/sandbox-init",
];

const BUILD_SOURCES = [
  "src",
  "native",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "webpack.config.js",
  "scripts/build.mjs",
  "scripts/libseccomp.mjs",
  "scripts/native.mjs",
];

/**
 * All files below a file or folder.
 * @param {string} path relative to the root of the repository
 * @param {(name: string) => boolean} [enter] which folders to look into; default: all
 * @returns {string[]} relative to the root
 */
export function filesBelow(path, enter = () => true) {
  const absolute = join(ROOT, path);
  if (!existsSync(absolute)) return [];
  if (!statSync(absolute).isDirectory()) return [path];
  return readdirSync(absolute, { withFileTypes: true }).flatMap((entry) => {
    const below = join(path, entry.name);
    if (entry.isDirectory()) return enter(entry.name) ? filesBelow(below, enter) : [];
    return [below];
  });
}

/** Whether dist/ is missing or older than what it is made from. */
export function buildIsStale() {
  const results = BUILD_RESULTS.map((path) => join(ROOT, path));
  if (!results.every((path) => existsSync(path))) return true;
  const oldest = Math.min(...results.map((path) => statSync(path).mtimeMs));
  // native/build* is node-gyp's own output.
  const sources = BUILD_SOURCES.flatMap((path) => filesBelow(path, (name) => !/^(build|node_modules)/.test(name)));
  return sources.some((path) => statSync(join(ROOT, path)).mtimeMs > oldest);
}
