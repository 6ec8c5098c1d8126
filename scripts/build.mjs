// npm run build: the addon and PID 1 by node-gyp into dist/native, the bundles by webpack into dist.

import { copyFileSync, existsSync, mkdirSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "./files.mjs";
import { runNode } from "./run.mjs";
import { ensureSystemPackages } from "./system-packages.mjs";

const PRODUCTS = ["spawner.node", "sandbox-init"];

/**
 * Node's headers as its packages install them, so that node-gyp need not download them (nodejs.org is not reachable from
 * everywhere). Without them node-gyp falls back to its own download.
 */
function headersArgument() {
  const prefix = dirname(dirname(process.execPath));
  return existsSync(join(prefix, "include/node/node_api.h")) ? [`--nodedir=${prefix}`] : [];
}

ensureSystemPackages([
  { command: "python3", package: "python3", why: "by node-gyp" },
  { command: "make", package: "make", why: "by node-gyp" },
  { command: "g++", package: "g++", why: "to compile the addon" },
]);
runNode("node_modules/node-gyp/bin/node-gyp.js", [
  "--directory=native",
  "--loglevel=warn",
  ...headersArgument(),
  "configure",
  "build",
]);
mkdirSync(join(ROOT, "dist/native"), { recursive: true });
for (const name of PRODUCTS) {
  // By rename: an editor that has the old file mapped must keep it, or it would end with SIGBUS.
  const file = join(ROOT, "dist/native", name);
  copyFileSync(join(ROOT, "native/build/Release", name), `${file}.new`);
  renameSync(`${file}.new`, file);
}
runNode("node_modules/webpack/bin/webpack.js", ["--config", "webpack.config.js"]);
