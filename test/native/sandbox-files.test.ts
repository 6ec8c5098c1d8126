// What a profile says about files, for real: hiding by pattern, package caches, a workspace whose changes are thrown away,
// settings without their secrets. Runs as root and as an ordinary user.

import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { layersKeepAttributes } from "../support/layers";
import { skipBecause } from "../support/skip";
import { api, listing, World } from "./sandbox-world";

/** rename(2) itself: mv(1) would copy where it is refused. */
const REN = 'ren() { perl -e \'rename($ARGV[0], $ARGV[1]) or print "$!\\n"\' "$@"; }';

describe("sandbox, files", () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  afterEach(() => world.remove());

  describe("hidden by pattern", () => {
    const hide = { extends: "build", filesystem: { hide: [".env", "**/.env*", "~/.cargo/*.key"] } };

    it("are empty, wherever they are, and the others are as they were", async () => {
      for (const path of [".env", ".env.local", "a/b/.env", "a/env"])
        world.write(`home/project/${path}`, `secret ${path}\n`);
      world.write("home/.cargo/x.key", "secret key\n");
      world.write("home/.cargo/x.txt", "shown\n");
      const { output } = await world.run("cat .env .env.local a/b/.env ~/.cargo/x.key a/env ~/.cargo/x.txt", hide);
      assert.equal(output, "secret a/env\nshown\n");
    });

    it("can't be had by moving, replacing, linking or unmounting", async () => {
      world.write("home/project/.env", "secret\n");
      world.write("home/project/a/.env", "secret\n");
      world.write("home/project/evil", "evil\n");
      const before = listing(world.workspace);
      const { output } = await world.run(
        [
          REN,
          "ren .env x; ren evil .env; ln .env y; rm -f .env; cp evil .env; umount .env; cat .env x y",
          "unshare -Urm sh -c 'umount .env; cat .env; mount --bind evil .env'",
          "ren a b; cat b/.env; ren b a",
        ].join("\n"),
        hide,
      );
      assert.ok(!output.includes("secret"), output);
      assert.deepEqual(listing(world.workspace), before);
      assert.equal(readFileSync(join(world.workspace, ".env"), "utf8"), "secret\n");
    });

    it("leave no stub where nothing matches, and what a task makes itself is its own", async () => {
      const before = listing(world.root);
      const { output } = await world.run("ls -A; echo own > .env; cat .env; rm .env", hide);
      assert.equal(output, "own\n");
      assert.deepEqual(listing(world.root), before);
    });
  });

  it("refuses to show what a link in the workspace leads to", async () => {
    world.write("home/.ssh/id", "secret\n");
    symlinkSync(join(world.home, ".ssh"), join(world.workspace, "data"));
    for (const list of ["read", "write"]) {
      await assert.rejects(world.run("cat data/id", { extends: "build", filesystem: { [list]: ["data"] } }), {
        name: "ProfileError",
        path: `filesystem.${list}[0]`,
        message: /leads out of the workspace, to .*\.ssh/,
      });
      const { output } = await world.run("cat data/id", { extends: "build", filesystem: { [list]: ["data/*"] } });
      assert.match(output, /No such file/);
    }
  });

  it("refuses to show what a link leads to that a task may have made", async () => {
    world.write("home/.ssh/id", "secret\n");
    world.write("home/out/file", "own\n");
    world.write("home/other/file", "other\n");
    symlinkSync(join(world.home, ".ssh"), join(world.home, "out/data"));
    symlinkSync("../out", join(world.home, "other/beside"));
    // As it is written, the path is nowhere near the folder: the way to it leads through another link.
    symlinkSync(join(world.home, "out"), join(world.home, "alias"));
    for (const path of ["~/out/data", "~/out/data/id", "~/alias/data/id"]) {
      const filesystem = { write: ["~/out"], read: [path] };
      await assert.rejects(world.run("cat ~/.ssh/id", { extends: "build", filesystem }), {
        name: "ProfileError",
        path: "filesystem.read[0]",
        message: /goes through a link in .*\/out, where a task may write, to .*\.ssh.*Name .* itself if it is meant/,
      });
    }
    await assert.rejects(
      world.run("true", { extends: "build", filesystem: { write: ["~/out", "~/out/data", "~/out/./data"] } }),
      {
        name: "ProfileError",
        path: "filesystem.write[1]",
      },
    );
    const byPattern = { extends: "build", filesystem: { write: ["~/out"], read: ["~/out/data/*"] } };
    assert.match((await world.run("cat ~/.ssh/id ~/out/data/id", byPattern)).output, /^(cat: .*No such file.*\n){2}$/);
    const toWritable = { extends: "build", filesystem: { write: ["~/out", "~/other"], read: ["~/other/beside/file"] } };
    assert.equal((await world.run("cat ~/other/beside/file", toWritable)).output, "own\n");
    const throughHome = { extends: "build", filesystem: { write: ["~/alias"] } };
    assert.equal(
      (await world.run("cat ~/alias/file", throughHome)).output,
      "own\n",
      "nobody inside can have made that",
    );
  });

  describe("package caches", () => {
    beforeEach(() => {
      world.write("home/.npm/_cacache/index", "index\n");
      world.write("home/.npm/_npx/tool", "tool\n");
      world.write("home/.cargo/registry/crate", "crate\n");
      world.write("home/.cargo/credentials.toml", "secret\n", 0o600);
      world.write("home/.m2/repository/jar", "jar\n");
      world.write("home/.m2/settings.xml", "secret\n", 0o600);
    });
    const LINE =
      "cat ~/.npm/_cacache/index ~/.cargo/registry/crate ~/.m2/repository/jar; for f in ~/.npm/_cacache ~/.cargo/registry ~/.m2/repository; do (echo new > $f/new) 2>/dev/null; (echo changed > $f/$(ls $f | grep -v new)) 2>/dev/null; cat $f/*; done; cat ~/.cargo/credentials.toml ~/.m2/settings.xml ~/.npm/_npx/tool";

    it("are under a layer of the sandbox's own in build and shell", async () => {
      const before = listing(world.root);
      for (const profile of ["build", "shell"]) {
        const { output } = await world.run(LINE, profile);
        assert.match(output, /^index\ncrate\njar\nchanged\nnew\nchanged\nnew\nchanged\nnew\n/, profile);
        assert.ok(!output.includes("secret") && !output.includes("tool\n"), output);
        assert.deepEqual(listing(world.root), before);
      }
    });

    it("are read-only in strict", async () => {
      const before = listing(world.root);
      const { output } = await world.run(LINE, "strict");
      assert.match(output, /^index\ncrate\njar\nindex\ncrate\njar\n/);
      assert.deepEqual(listing(world.root), before);
    });

    it("are the user's own in install, but for what is no cache", async () => {
      const { output } = await world.run(LINE, "install");
      assert.match(output, /^index\ncrate\njar\nchanged\nnew\n/);
      assert.ok(!output.includes("secret"), output);
      for (const path of [".npm/_cacache/new", ".cargo/registry/new", ".m2/repository/new"]) {
        assert.equal(readFileSync(join(world.home, path), "utf8"), "new\n");
      }
      await world.run(
        "echo evil > ~/.npm/_npx/tool; echo evil > ~/.cargo/bin; echo evil > ~/.cargo/config.toml",
        "install",
      );
      assert.equal(readFileSync(join(world.home, ".npm/_npx/tool"), "utf8"), "tool\n");
      assert.ok(!existsSync(join(world.home, ".cargo/config.toml")));
    });

    it("stand beside cargo's settings, which are shown", async () => {
      world.write("home/.cargo/config.toml", "[build]\njobs = 2\n");
      assert.equal((await world.run("cat ~/.cargo/config.toml")).output, "[build]\njobs = 2\n");
    });

    it("stand beside cargo's settings, which are hidden where they hold a token", async () => {
      world.write("home/.cargo/config.toml", '[registries.mine]\ntoken = "secret"\n');
      assert.equal((await world.run("cat ~/.cargo/config.toml")).output, "");
    });

    it("stay hidden where the profile hides them", async () => {
      const { output } = await world.run("ls ~/.cargo ~/.m2", { extends: "build", filesystem: { hide: ["~/.m2/*"] } });
      assert.ok(!output.includes("repository"), output);
    });

    it("are made in install, where a package manager is there that would make them, and nowhere else", async () => {
      const { env } = process;
      for (const name of ["cargo", "npm", "bun", "go"]) world.write(`tools/${name}`, "#!/bin/sh\n", 0o755);
      world.write("home/.bun/bin/bun", "#!/bin/sh\n", 0o755);
      world.write("new/.cargo/bin/cargo", "#!/bin/sh\n", 0o755);
      const context = { workspace: world.workspace, home: join(world.root, "new") };
      const run = async (profile: Parameters<typeof api.sandbox.run>[1]): Promise<string> => {
        const line =
          "for f in .npm/_cacache .cargo/registry .bun/install/cache go/pkg/mod; do echo kept > ~/$f/file; done; ls ~/.cargo";
        const sandbox = await api.sandbox.run({ file: "bash", args: ["-c", line] }, profile, context);
        const [out] = await Promise.all([text(sandbox.process.stdout ?? Readable.from([])), sandbox.ended]);
        return out;
      };
      try {
        // Nothing else: npm tells what it starts where its cache is.
        process.env = { PATH: `${world.root}/tools:/usr/bin:/bin` };
        const before = listing(context.home);
        await run("build");
        await run("strict");
        assert.deepEqual(listing(context.home), before);
        assert.equal(await run({ extends: "install", filesystem: { hide: ["~/go"] } }), "bin\ngit\nregistry\n");
        for (const path of [".npm/_cacache/file", ".cargo/registry/file", ".bun/install/cache/file"]) {
          assert.equal(readFileSync(join(context.home, path), "utf8"), "kept\n", path);
        }
        assert.ok(!existsSync(join(context.home, ".local/share/pnpm")), "its package manager is not there");
        assert.ok(!existsSync(join(context.home, "go")), "the profile hides it");
      } finally {
        process.env = env;
      }
    });

    it("outside of the home folder, where CARGO_HOME says, leave the rest of that folder as it is", async function () {
      if (process.getuid?.() !== 0) skipBecause(this, "only root can make folders where nothing is private");
      const place = mkdtempSync("/var/lib/sandbox-tasks-cargo-");
      try {
        process.env.CARGO_HOME = place;
        chmodSync(place, 0o755);
        mkdirSync(join(place, "registry"));
        for (const name of ["registry/crate", "config.toml"]) writeFileSync(join(place, name), `${name}\n`);
        writeFileSync(join(place, "credentials.toml"), "secret\n");
        const line = `cd ${place}; cat registry/crate config.toml credentials.toml; echo new > registry/new; cat registry/new; ls /usr > /dev/null && echo x > file`;
        const { output } = await world.run(line);
        assert.match(output, /^registry\/crate\nconfig.toml\nnew\nbash: line 1: file: Read-only file system\n$/);
        assert.ok(!existsSync(join(place, "registry/new")));
      } finally {
        delete process.env.CARGO_HOME;
        rmSync(place, { recursive: true, force: true });
      }
    });

    it("that are links are found by the name that programs know", async () => {
      mkdirSync(join(world.root, "big"));
      world.write("big/pip/wheel", "wheel\n");
      mkdirSync(join(world.home, ".cache"));
      symlinkSync(join(world.root, "big/pip"), join(world.home, ".cache/pip"));
      const { output } = await world.run("cat ~/.cache/pip/wheel; echo x > ~/.cache/pip/x; cat ~/.cache/pip/x");
      assert.equal(output, "wheel\nx\n");
      assert.deepEqual(
        listing(join(world.root, "big/pip")).map((line) => line.split(" ")[0]),
        ["wheel"],
      );
    });
  });

  describe("a copy-on-write workspace", () => {
    const thrown = { extends: "build", filesystem: { workspace: "copy-on-write" } } as const;

    it("takes every change and loses it", async function () {
      if (!layersKeepAttributes()) skipBecause(this, "before Linux 6.6 folders that were there stay");
      world.write("home/project/src/a.txt", "old\n");
      world.write("home/project/gone/b.txt", "old\n");
      const before = listing(world.workspace);
      const { output, code } = await world.run(
        "echo new > src/a.txt; echo c > c.txt; rm -r gone; mkdir gone; mv src/a.txt d.txt; cat c.txt d.txt; ls -A; chmod 700 .; pwd",
        thrown,
      );
      assert.equal(output, `c\nnew\nc.txt\nd.txt\ngone\nsrc\n${world.workspace}\n`);
      assert.equal(code, 0);
      assert.deepEqual(listing(world.workspace), before);
    });

    it("says so where a folder that was there can't be removed, and takes the other changes", async function () {
      if (layersKeepAttributes()) skipBecause(this, "since Linux 6.6 it can");
      world.write("home/project/src/a.txt", "old\n");
      const before = listing(world.workspace);
      const { output } = await world.run(
        "echo new > src/a.txt; mv src/a.txt b.txt; cat b.txt; rm -r src; ls -A",
        thrown,
      );
      assert.match(output, /^new\nb.txt\nsrc\n[\s\S]*Input\/output error/);
      assert.deepEqual(listing(world.workspace), before);
      const overlay = (await api.probe()).find(({ feature }) => feature === "overlay in a user namespace");
      assert.match(overlay?.detail ?? "", /before Linux 6\.6 folders that were there can't be removed/);
    });

    it("protects, hides and holds in place as any other", async () => {
      world.makeRepository();
      world.write("home/project/.vscode/tasks.json", "{}\n");
      world.write("home/project/.git/modules/lib/HEAD", "ref: refs/heads/main\n");
      world.write("home/project/.git/modules/lib/config", "[core]\n");
      world.write("home/project/.env", "secret\n");
      const before = listing(world.workspace);
      const { output } = await world.run(
        [
          REN,
          "cat .env",
          "for f in .git/config .git/hooks/pre-commit .git/hooks/new .vscode/tasks.json .git/modules/lib/config; do (echo evil >> $f) 2>/dev/null; done",
          "ren .git x; ren .vscode x; ren .git/modules x; rm -rf .git/hooks",
          "echo ref > .git/refs; cat .git/config .git/hooks/* .vscode/tasks.json .git/modules/lib/config .git/refs",
        ].join("\n"),
        { extends: "build", filesystem: { workspace: "copy-on-write", hide: [".env"] } },
      );
      assert.ok(!output.includes("evil") && !output.includes("secret"), output);
      assert.match(output, /bare = false\n#!\/bin\/sh\necho original\n\{\}\n\[core\]\nref\n/);
      assert.deepEqual(listing(world.workspace), before);
    });
  });

  it("gives programs their settings without what is secret in them", async () => {
    world.write(
      "home/.gitconfig",
      '[user]\n\tname = "A \\"B\\" C"\n\temail = a@b.example\n[alias]\n\tx = !evil\n[http]\n\textraheader = secret\n[include]\n\tpath = more\n',
    );
    world.write("home/more", "[init]\n\tdefaultBranch = trunk\n[credential]\n\thelper = secret\n");
    world.write(
      "home/.npmrc",
      "registry=https://npm.example/\n//npm.example/:_authToken=secret\n@me:registry=https://u:secret@npm.example/\n_auth = secret\n@you:registry=https://you.example/npm\ncafile=$" +
        "{SECRET}\n",
      0o600,
    );
    world.write(
      "home/.config/pip/pip.conf",
      "[global]\nindex-url = https://u:secret@pypi.example/simple\nextra-index-url = https://dl.example/a1b2c3secretd4e5f6/simple\nfind-links = /srv/wheels\n",
    );
    const { output } = await world.run(
      "cat ~/.npmrc ~/.config/pip/pip.conf ~/.gitconfig; git config --global user.name; git config --global user.email; git config --global init.defaultBranch; npm config get registry 2>/dev/null",
    );
    assert.ok(!output.includes("secret") && !output.includes("evil"), output);
    assert.match(
      output,
      /^registry=https:\/\/npm.example\/\n@you:registry=https:\/\/you.example\/npm\n\[global\]\nfind-links/,
    );
    assert.match(output, /\nA "B" C\na@b.example\ntrunk\n/);
  });
});
