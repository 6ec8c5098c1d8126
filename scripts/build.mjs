// npm run build: the addon and PID 1 by node-gyp into dist/native, the bundles by webpack into dist. With the name of a
// variant (arm64, address, thread) the same once more, into native/build-NAME/dist.

import { utimesSync } from "node:fs";
import { join } from "node:path";
import { BUILD_RESULTS, buildIsStale, ROOT } from "./files.mjs";
import { buildNative, buildVariant, VARIANT_NAMES } from "./native.mjs";
import { runNode } from "./run.mjs";

const variants = process.argv.slice(2);
const unknown = variants.filter((name) => !VARIANT_NAMES.includes(name));
if (unknown.length > 0) throw new Error(`No variant ${unknown.join(", ")}; there are ${VARIANT_NAMES.join(", ")}.`);

if (variants.length === 0 || buildIsStale()) {
  buildNative();
  runNode("node_modules/webpack/bin/webpack.js", ["--config", "webpack.config.js"]);
  // webpack leaves a file alone that would become the same: it must not look older than its sources for ever.
  for (const path of BUILD_RESULTS) utimesSync(join(ROOT, path), new Date(), new Date());
}
for (const name of variants) console.log(`Built ${buildVariant(name)}.`);
