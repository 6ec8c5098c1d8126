// What loading the bundles brings along: an editor waits for an extension that starts, so the schemas and the addon come
// on first use.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { dirname } from "node:path";
import { LIBRARY, LIBRARY_NODE } from "../support/library";

/** The files of dist/ that a fresh Node has loaded after running a script. */
function loaded(script: string): string[] {
  // Enough of `vscode` to load the extension: whatever is asked for is a class.
  const program = `
    const Module = require("node:module");
    const load = Module._load;
    const vscode = new Proxy({}, { get: () => class {} });
    Module._load = (request, ...rest) => (request === "vscode" ? vscode : load(request, ...rest));
    const dist = (name) => require(${JSON.stringify(dirname(LIBRARY))} + "/" + name);
    ${script}
    const names = Object.keys(require.cache).map((file) => require("node:path").basename(file));
    console.log(JSON.stringify(names.sort()));`;
  return JSON.parse(execFileSync(LIBRARY_NODE, ["-e", program], { encoding: "utf8" }));
}

describe("loading", () => {
  it("the extension loads neither the schemas nor the addon", () => {
    assert.deepEqual(loaded('dist("extension.js");'), ["extension.js"]);
  });

  it("the library loads the schemas with the first check, and the addon with the first use of it", () => {
    assert.deepEqual(loaded('dist("api.js").sandbox.resolveProfile("build");'), ["api.js"]);
    assert.deepEqual(loaded('dist("api.js").validate({});'), ["api.js", "schemas.js"]);
    assert.ok(loaded('dist("api.js").pidfdOpen(process.pid);').includes("spawner.node"));
  });
});
