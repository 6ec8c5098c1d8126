// Patterns of a profile against folders made for the purpose: what they match, what they pass over, and their bounds.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import fc from "fast-check";
import { expandGlob, globProblem, isGlob, splitGlob } from "../../src/sandbox/globs";
import { readHostFacts } from "../../src/sandbox/host";
import { layout } from "../../src/sandbox/layout";
import { resolveProfile } from "../../src/sandbox/profiles";
import type { ProfileDefinition } from "../../src/sandbox/schema";

describe("patterns of a profile", () => {
  let root: string;
  beforeEach(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), "sandbox-globs-")));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const files = (...paths: string[]): void => {
    for (const path of paths) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), "");
    }
  };
  const matches = async (pattern: string): Promise<string[]> => {
    const { prefix, segments } = splitGlob(pattern);
    return (await expandGlob(join(root, prefix), segments)).map((path) => relative(root, path));
  };

  it("match as a shell's do, and names with a leading dot too", async () => {
    files(".env", ".env.local", "a/.env", "a/b/.env", "a/b/env", "a/c.key", "x.key", "x1.key");
    assert.deepEqual(await matches("*.key"), ["x.key", "x1.key"]);
    assert.deepEqual(await matches("x?.key"), ["x1.key"]);
    assert.deepEqual(await matches("**/.env*"), [".env", ".env.local", "a/.env", "a/b/.env"]);
    assert.deepEqual(await matches("**/*.key"), ["a/c.key", "x.key", "x1.key"]);
    assert.deepEqual(await matches("a/**/.env"), ["a/.env", "a/b/.env"]);
    assert.deepEqual(await matches("{a,x}*/*.key"), ["a/c.key"]);
    assert.deepEqual(await matches("*"), [".env", ".env.local", "a", "x.key", "x1.key"]);
    assert.deepEqual(await matches("a/**"), ["a/.env", "a/b", "a/c.key"]);
    assert.deepEqual(await matches("none/*"), []);
  });

  it("do not name what lies in what they name already", async () => {
    files("a/a/a/x", "b/a/x");
    assert.deepEqual(await matches("**/a"), ["a", "b/a"]);
  });

  it("leave node_modules and .git alone unless they name them", async () => {
    files("node_modules/p/.env", "a/node_modules/p/.env", ".git/x/.env", "b/.env");
    assert.deepEqual(await matches("**/.env"), ["b/.env"]);
    assert.deepEqual(await matches("**/node_modules/**/.env"), ["a/node_modules/p/.env", "node_modules/p/.env"]);
    assert.deepEqual(await matches("node_modules/*/.env"), ["node_modules/p/.env"]);
  });

  it("do not follow links, but where they lead to something in the same folder", async () => {
    files("in/secret", "in/d/x.env", "out/x.env");
    symlinkSync("secret", join(root, "in/a.env"));
    symlinkSync("../out/x.env", join(root, "in/b.env"));
    symlinkSync("../out", join(root, "in/out"));
    symlinkSync(".", join(root, "in/loop"));
    symlinkSync("nowhere", join(root, "in/c.env"));
    assert.deepEqual(await matches("in/**/*.env"), ["in/d/x.env", "in/secret"]);
  });

  it("are refused by name when they stand for too much, and never cut off", async () => {
    files(...Array.from({ length: 501 }, (_, index) => `many/${index}.env`));
    await assert.rejects(matches("many/*.env"), { name: "GlobError", message: /matches more than 500 paths/ });
    const workspace = join(root, "many");
    const definition: ProfileDefinition & { extends: string } = {
      extends: "build",
      filesystem: { hide: ["x", "*.env"] },
    };
    await assert.rejects(
      readHostFacts({ workspace, home: join(root, "home") }, { profile: resolveProfile(definition) }),
      {
        name: "ProfileError",
        path: "filesystem.hide[1]",
        message: /\*\.env matches more than 500 paths; name the fol/,
      },
    );
    assert.equal((await matches("many/1*.env")).length, 111);
  });

  it("of read and write do not go where a link of the workspace leads", async () => {
    files("project/x", "keys/id");
    symlinkSync("../keys", join(root, "project/data"));
    const context = { workspace: join(root, "project"), home: join(root, "home") };
    const isPlace = async (list: "read" | "write" | "hide", path = "keys/id"): Promise<boolean> => {
      const profile = resolveProfile({ extends: "build", filesystem: { [list]: ["data/*"] } });
      const places = layout(profile, await readHostFacts(context, { profile }));
      return places.some((place) => place.path === join(root, path));
    };
    assert.ok(!(await isPlace("write")));
    assert.ok(!(await isPlace("read")));
    assert.ok(await isPlace("hide"));
    rmSync(join(root, "project/data"));
    files("project/data/id");
    assert.ok(await isPlace("write", "project/data/id"), "without a link it does");
  });

  it("are told from paths, and cut where they begin", () => {
    for (const text of ["a", "~/.ssh", "/srv/a-b_c", "a(b)", "a!b", "a+b", "@x/y"])
      assert.equal(isGlob(text), false, text);
    for (const text of ["*", "a?", "[ab]", "{a,b}", "**/x"]) assert.equal(isGlob(text), true, text);
    assert.deepEqual(splitGlob("~/.config/*"), { prefix: "~/.config", segments: ["*"] });
    assert.deepEqual(splitGlob("/*/x"), { prefix: "/", segments: ["*", "x"] });
    assert.deepEqual(splitGlob("./a//b/**/./x"), { prefix: "./a/b", segments: ["**", "x"] });
    assert.equal(globProblem("../x/*"), undefined);
  });

  it("whatever is written, it is looked for and nothing breaks", async () => {
    files("a/b", "c");
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: fc.constantFrom(..."ab/*?[]{},!()\\.~^-|+@"), maxLength: 12 }),
        async (text) => {
          if (!isGlob(text) || globProblem(text) !== undefined || text.startsWith("/")) return;
          const { prefix, segments } = splitGlob(text);
          for (const path of await expandGlob(join(root, prefix.replaceAll("..", "")), segments)) {
            assert.ok(path.startsWith(root));
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
