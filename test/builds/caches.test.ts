// Builds that need what was fetched before: package managers fill their caches outside of any sandbox, from registries made
// for the purpose, and build from them inside, where no registry can be reached.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { skipBecause } from "../support/skip";
import { needs, Project } from "./project";
import { wheelBackend } from "./wheel-backend";

describe("builds: from package caches", () => {
  let project: Project;
  beforeEach(() => {
    project = new Project();
    project.moveHome();
  });
  afterEach(() => project.remove());

  it("npm ci, from what npm install has fetched", async function () {
    needs(this, "npm");
    project.add(
      {
        "greeter/package.json": '{"name":"greeter","version":"1.0.0"}',
        "greeter/index.js": "module.exports = 'hello npm';\n",
      },
      project.root,
    );
    await project.outside("npm pack --silent ./greeter", project.root);
    const tarball = readFileSync(join(project.root, "greeter-1.0.0.tgz"));
    const server = createServer((request, response) => {
      if (request.url?.endsWith(".tgz")) return response.end(tarball);
      const dist = {
        tarball: `http://${request.headers.host}/greeter-1.0.0.tgz`,
        integrity: `sha512-${createHash("sha512").update(tarball).digest("base64")}`,
      };
      const versions = { "1.0.0": { name: "greeter", version: "1.0.0", dist } };
      return response.end(JSON.stringify({ name: "greeter", "dist-tags": { latest: "1.0.0" }, versions }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    project.add({
      "package.json": '{"name":"sample","version":"1.0.0","dependencies":{"greeter":"1.0.0"}}',
      ".npmrc": `registry=http://127.0.0.1:${port}/\n`,
    });
    try {
      await project.outside("npm install --no-audit --no-fund && rm -r node_modules");
    } finally {
      server.close();
    }
    const output = await project.build("npm ci --offline --no-audit; node -p 'require(`greeter`)'", ["node_modules"]);
    assert.match(output, /^hello npm$/m);
  });

  it("pip install, of a wheel that pip has built", async function () {
    needs(this, "python3");
    // Itself, and not what pyenv has in its place: that one wants to change its own folder after every installation.
    const python = spawnSync("python3", ["-c", "import sys, pip; print(sys.executable)"], {
      encoding: "utf8",
    }).stdout.trim();
    if (python === "") skipBecause(this, "python3 has no pip");
    project.add(
      {
        "sample-1.0/PKG-INFO": "Metadata-Version: 2.1\nName: sample\nVersion: 1.0\n",
        "sample-1.0/pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "sample-1.0/sample.py": "GREETING = 'hello pip'\n",
        "sample-1.0/backend.py": wheelBackend('assert os.environ.get("MAY_BUILD"), "it is built twice"'),
      },
      project.root,
    );
    const options = "--no-index --find-links packages --no-build-isolation --no-deps --disable-pip-version-check";
    await project.outside("mkdir packages; tar -C .. -czf packages/sample-1.0.tar.gz sample-1.0");
    await project.outside(`MAY_BUILD=1 ${python} -m pip install ${options} --target ../thrown-away sample`);
    const output = await project.build(
      `${python} -m pip install ${options} --target site sample; PYTHONPATH=site python3 -c 'import sample; print(sample.GREETING)'`,
      ["site"],
    );
    assert.match(output, /^hello pip$/m);
  });

  it("go build, test and vet, with a module that go has fetched", async function () {
    needs(this, "go", "python3");
    const module = "module example.org/greeter\n\ngo 1.18\n";
    const at = "proxy/example.org/greeter/@v";
    project.add(
      {
        [`${at}/list`]: "v1.0.0\n",
        [`${at}/v1.0.0.info`]: '{"Version":"v1.0.0"}',
        [`${at}/v1.0.0.mod`]: module,
        "zip/example.org/greeter@v1.0.0/go.mod": module,
        "zip/example.org/greeter@v1.0.0/greeter.go":
          'package greeter\n\nfunc Greet(name string) string { return "hello " + name }\n',
      },
      project.root,
    );
    // zipfile's own command line and zip(1) would add the folders, which go refuses.
    const pack =
      "from zipfile import *; from glob import *; z = ZipFile(argv[1], 'w'); [z.write(f) for f in glob('*/*/*')]";
    await project.outside(`python3 -c "from sys import argv; ${pack}" ../${at}/v1.0.0.zip`, join(project.root, "zip"));
    project.add({
      "go.mod": "module example.org/sample\n\ngo 1.18\n\nrequire example.org/greeter v1.0.0\n",
      "main.go":
        'package main\n\nimport (\n\t"fmt"\n\n\t"example.org/greeter"\n)\n\nfunc main() { fmt.Println(greeter.Greet("go")) }\n',
      "main_test.go":
        'package main\n\nimport (\n\t"net"\n\t"testing"\n)\n\nfunc TestListens(t *testing.T) {\n\tif _, err := net.Listen("tcp", "127.0.0.1:0"); err != nil {\n\t\tt.Fatal(err)\n\t}\n}\n',
    });
    await project.outside(
      `GOFLAGS='-mod=mod -modcacherw' GONOSUMDB='*' GOPROXY="file://$PWD/../proxy" go build -o ../thrown-away .`,
    );
    const output = await project.build("go build -o sample .; ./sample; go test ./...; go vet ./...", ["sample"]);
    assert.match(output, /^hello go$/m);
    assert.match(output, /^ok\s+example.org\/sample/m);
  });

  it("cargo build, with a crate from a registry that cargo has fetched", async function () {
    needs(this, "cargo", "git");
    project.add(
      {
        "greeter/Cargo.toml":
          '[package]\nname = "greeter"\nversion = "1.0.0"\nedition = "2021"\ndescription = "x"\nlicense = "MIT"\n',
        "greeter/src/lib.rs": 'pub fn greet(name: &str) -> String { format!("hello {name}") }\n',
      },
      project.root,
    );
    await project.outside("cargo package --quiet --allow-dirty --no-verify", join(project.root, "greeter"));
    const crate = join(project.root, "greeter/target/package/greeter-1.0.0.crate");
    const cksum = createHash("sha256").update(readFileSync(crate)).digest("hex");
    const entry = { name: "greeter", vers: "1.0.0", deps: [], cksum, features: {}, yanked: false };
    project.add(
      {
        "index/gr/ee/greeter": `${JSON.stringify(entry)}\n`,
        "index/config.json": JSON.stringify({ dl: `file://${project.root}/crates/{crate}` }),
      },
      project.root,
    );
    cpSync(crate, join(project.root, "crates/greeter"), { recursive: true });
    await project.outside(
      "git init -q; git add .; git -c user.name=t -c user.email=t@localhost commit -qm index",
      join(project.root, "index"),
    );
    project.add({
      "Cargo.toml":
        '[package]\nname = "sample"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\ngreeter = { version = "1", registry = "own" }\n',
      ".cargo/config.toml": `[registries.own]\nindex = "file://${project.root}/index"\n`,
      "src/main.rs": 'fn main() { println!("{}", greeter::greet("cargo")); }\n',
    });
    await project.outside("cargo fetch --quiet");
    assert.match(await project.build("cargo run --offline", ["target"]), /^hello cargo$/m);
  });
});
