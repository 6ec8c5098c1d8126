// Node and npm: tests, installs from what is there, bundlers.

import assert from "node:assert/strict";
import { cpSync, existsSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { skipBecause } from "../support/skip";
import { needs, Project } from "./project";

describe("builds: JavaScript", () => {
  let project: Project;
  beforeEach(() => {
    project = new Project();
  });
  afterEach(() => project.remove());

  it("npm test, with workers, children and a server", async function () {
    needs(this, "npm");
    project.add({
      "package.json": JSON.stringify({ name: "sample", version: "1.0.0", scripts: { test: "node --test" } }),
      "sample.test.mjs": `
        import assert from "node:assert/strict";
        import { execFileSync } from "node:child_process";
        import { createServer } from "node:http";
        import { once } from "node:events";
        import test from "node:test";
        import { Worker } from "node:worker_threads";
        test("child", () => assert.equal(execFileSync("echo", ["x"]).toString(), "x\\n"));
        test("worker", async () => {
          const worker = new Worker("require('worker_threads').parentPort.postMessage(7)", { eval: true });
          assert.deepEqual(await once(worker, "message"), [7]);
        });
        test("server", async () => {
          const server = createServer((_, response) => response.end("hello")).listen(0, "127.0.0.1");
          await once(server, "listening");
          const answer = await fetch("http://127.0.0.1:" + server.address().port);
          assert.equal(await answer.text(), "hello");
          server.close();
        });`,
    });
    assert.match(await project.build("npm test", []), /pass 3/);
  });

  it("npm install and npm ci without a network, with the scripts of a dependency", async function () {
    needs(this, "npm");
    const run = "node -e \"require('fs').writeFileSync('made', 'x')\"";
    project.add({
      "package.json": JSON.stringify({
        name: "sample",
        version: "1.0.0",
        scripts: { hello: "hello" },
        dependencies: { greeter: "file:greeter-1.0.0.tgz" },
      }),
      "greeter/package.json": JSON.stringify({
        name: "greeter",
        version: "1.0.0",
        bin: { hello: "hello.js" },
        scripts: { postinstall: run },
      }),
      "greeter/hello.js": "#!/usr/bin/env node\nconsole.log('hello from a dependency');\n",
    });
    const output = await project.build(
      "npm pack ./greeter; npm install --offline --no-audit; rm -r node_modules; npm ci --offline --no-audit; npm run hello; ls node_modules/greeter/made",
      ["greeter-1.0.0.tgz", "node_modules", "package-lock.json"],
    );
    assert.match(output, /^hello from a dependency$/m);
    assert.match(output, /greeter\/made/);
  });

  it("tsc and webpack", async function () {
    let modules = resolve("node_modules");
    const tools = ["typescript/bin/tsc", "webpack/bin/webpack.js", "webpack-cli/package.json"];
    const missing = tools.filter((file) => !existsSync(resolve(modules, file)));
    if (missing.length > 0) skipBecause(this, `no ${missing[0]?.split("/")[0]} in this copy of the project`);
    // A developer has them in the project; what lies in the home folder or in /tmp is hidden.
    if ([homedir(), tmpdir(), "/tmp"].some((folder) => modules.startsWith(`${folder}/`))) {
      modules = join(project.folder, "node_modules");
      cpSync("node_modules", modules, { recursive: true });
    }
    project.add({
      "tsconfig.json": JSON.stringify({
        compilerOptions: { strict: true, outDir: "out", types: [] },
        files: ["src/main.ts"],
      }),
      "src/main.ts": 'import { greet } from "./greet";\ngreet("world");\n',
      "src/greet.ts":
        'declare const console: { log(text: string): void };\nexport function greet(name: string): void { console.log("hello " + name); }\n',
    });
    const output = await project.build(
      `node ${modules}/typescript/bin/tsc -p . --module commonjs
       node ${modules}/webpack/bin/webpack.js --mode production --entry ./out/main.js -o dist
       node dist/main.js`,
      ["out", "dist"],
    );
    assert.match(output, /^hello world$/m);
  });
});
