// What is found out about a machine: toolchains, secrets, sockets and protected paths, in folders made for the purpose.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { MountEntry } from "../../src/inspect/mounts";
import { aliasesOf, possibleAliases } from "../../src/sandbox/aliases";
import { readHostFacts } from "../../src/sandbox/host";
import { resolveProfile } from "../../src/sandbox/profiles";
import { rootSecrets } from "../../src/sandbox/secrets";
import { findToolchains } from "../../src/sandbox/toolchains";
import { createdProtectedPaths, protectedPaths } from "../../src/sandbox/workspace";
import { outerRepository } from "../../src/sandbox/worktree";

describe("the machine, looked at", () => {
  let root: string;
  let home: string;
  beforeEach(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), "sandbox-host-")));
    home = join(root, "homes/me");
    mkdirSync(home, { recursive: true });
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const file = (path: string, content = ""): string => {
    const full = join(root, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, content, { mode: 0o755 });
    return full;
  };
  const link = (path: string, target: string): string => {
    const full = join(root, path);
    mkdirSync(dirname(full), { recursive: true });
    symlinkSync(target, full);
    return full;
  };

  describe("toolchains", () => {
    const found = async (...path: string[]): Promise<Record<string, string>> => {
      const toolchains = await findToolchains(home, [join(root, "home")], ["/usr/bin", ...path].join(":"));
      const relative = (at: string): string =>
        at.startsWith(`${home}/`) ? `~/${at.slice(home.length + 1)}` : at.replace(`${root}/`, "");
      return Object.fromEntries(toolchains.map((one) => [relative(one.path), relative(one.real)]));
    };

    it("are the known folders that are there, and no others", async () => {
      file("homes/me/.cargo/bin/cargo");
      file("homes/me/.nvm/nvm.sh");
      file("homes/me/.ssh/id");
      file("homes/me/Documents/letter");
      assert.deepEqual(await found(), { "~/.cargo": "~/.cargo", "~/.nvm": "~/.nvm" });
    });

    it("are followed where a link leads", async () => {
      file("data/nvm/nvm.sh");
      link("homes/me/.nvm", join(root, "data/nvm"));
      assert.deepEqual(await found(), { "~/.nvm": "data/nvm" });
    });

    it("are on the PATH, with the installation around them, but not with a project", async () => {
      file("homes/me/opt/node-20/bin/node");
      file("homes/me/opt/node-20/lib/x");
      file("homes/me/code/app/bin/run");
      file("homes/me/code/app/lib/x");
      file("homes/me/code/app/.git/HEAD");
      file("homes/me/bin/script");
      assert.deepEqual(
        await found(
          join(home, "opt/node-20/bin"),
          join(home, "code/app/bin"),
          join(home, "bin"),
          join(home, "missing"),
        ),
        {
          "~/opt/node-20": "~/opt/node-20",
          "~/code/app/bin": "~/code/app/bin",
          "~/bin": "~/bin",
        },
      );
    });

    it("never are the home folder or what holds much besides", async () => {
      file("homes/me/.local/share/keyrings/x");
      file("homes/me/.local/bin/x");
      file("homes/me/lib/x");
      link("homes/me/.cargo", home);
      link("homes/me/.pyenv", "..");
      assert.deepEqual(
        await found(
          home,
          join(home, ".local"),
          join(home, ".local/share"),
          join(home, ".local/bin"),
          join(home, "bin"),
        ),
        {
          "~/.local/bin": "~/.local/bin",
        },
      );
    });

    it("include what the links among the programs lead to, alone where nothing tells what it belongs to", async () => {
      file("homes/me/.local/bin/x");
      file("homes/me/.local/share/pipx/venvs/black/bin/black");
      link("homes/me/.local/bin/black", join(home, ".local/share/pipx/venvs/black/bin/black"));
      file("homes/me/tools/go/bin/gofmt");
      file("homes/me/tools/go/lib/x");
      link("homes/me/.local/bin/gofmt", "../../tools/go/bin/gofmt");
      file("homes/me/Documents/work/run.sh");
      link("homes/me/.local/bin/run", join(home, "Documents/work/run.sh"));
      link("homes/me/.local/bin/dangling", "nowhere");
      assert.deepEqual(await found(), {
        "~/.local/bin": "~/.local/bin",
        "~/.local/share/pipx": "~/.local/share/pipx",
        "~/tools/go": "~/tools/go",
        "~/Documents/work/run.sh": "~/Documents/work/run.sh",
      });
    });

    it("are found through links that lie elsewhere, and in another's home", async () => {
      file("homes/me/.local/share/fnm/node/bin/node");
      const shell = link("run/fnm/1/bin", join(home, ".local/share/fnm/node/bin"));
      file("home/linuxbrew/.linuxbrew/bin/brew");
      file("home/linuxbrew/.linuxbrew/lib/x");
      file("home/bob/bin/x");
      file("home/bob/lib/x");
      const all = await found(
        shell,
        join(root, "home/linuxbrew/.linuxbrew/bin"),
        join(root, "home/bob/bin"),
        join(root, "home/bob"),
      );
      assert.deepEqual(all, {
        "~/.local/share/fnm": "~/.local/share/fnm",
        "run/fnm/1/bin": "~/.local/share/fnm/node/bin",
        "home/linuxbrew/.linuxbrew": "home/linuxbrew/.linuxbrew",
        "home/bob/bin": "home/bob/bin",
      });
    });

    it("on the PATH in another's home come with what they need, and nothing else from there does", async () => {
      file("home/bob/.pyenv/shims/python3");
      file("home/bob/.pyenv/libexec/pyenv");
      file("home/bob/.local/bin/x");
      file("home/bob/.local/share/pipx/venvs/black/bin/black");
      link("home/bob/.local/bin/black", join(root, "home/bob/.local/share/pipx/venvs/black/bin/black"));
      file("home/bob/.cargo/bin/cargo");
      const path = [join(root, "home/bob/.pyenv/shims"), join(root, "home/bob/.local/bin")];
      assert.deepEqual(await found(...path), {
        "home/bob/.pyenv": "home/bob/.pyenv",
        "home/bob/.local/bin": "home/bob/.local/bin",
        "home/bob/.local/share/pipx": "home/bob/.local/share/pipx",
      });
      const [pyenv] = await findToolchains(home, [join(root, "home")], path.join(":"));
      assert.equal(pyenv?.otherHome, join(root, "home/bob"));
    });
  });

  describe("the repository of a linked worktree", () => {
    const text = (path: string, content: string): void => writeFileSync(file(path), `${content}\n`);
    const worktree = (): string => join(root, "work");
    beforeEach(() => {
      text("work/.git", `gitdir: ${root}/repo/.git/worktrees/work`);
      text("repo/.git/worktrees/work/commondir", "../..");
      text("repo/.git/worktrees/work/gitdir", join(worktree(), ".git"));
    });

    it("is found when both name each other", async () => {
      assert.equal((await outerRepository(worktree()))?.path, join(root, "repo/.git"));
      const facts = await readHostFacts({ workspace: worktree(), home });
      assert.equal(facts.repository?.path, join(root, "repo/.git"));
    });

    it("is not what a file from elsewhere claims", async () => {
      file("homes/me/.ssh/id");
      text("work/.git", `gitdir: ${home}/.ssh`);
      assert.equal((await outerRepository(worktree()))?.path, undefined, "it does not lead back");
      text("work/fake/gitdir", join(worktree(), ".git"));
      text("work/fake/commondir", join(home, ".ssh"));
      text("work/.git", "gitdir: fake");
      assert.equal((await outerRepository(worktree()))?.path, undefined, "it lies not in that repository");
      text("work/worktrees/fake/gitdir", join(worktree(), ".git"));
      text("work/worktrees/fake/commondir", join(home, ".ssh"));
      text("work/.git", "gitdir: worktrees/fake");
      assert.equal((await outerRepository(worktree()))?.path, undefined);
      link("homes/me/.ssh/worktrees", "nowhere");
      assert.equal((await outerRepository(worktree()))?.path, undefined);
      text("repo/.git/worktrees/work/gitdir", "/somebody/else/.git");
      text("work/.git", `gitdir: ${root}/repo/.git/worktrees/work`);
      assert.equal((await outerRepository(worktree()))?.path, undefined, "it is another worktree's");
    });

    it("is not looked for in an ordinary repository or in none", async () => {
      rmSync(join(worktree(), ".git"));
      assert.equal((await outerRepository(worktree()))?.path, undefined);
      file("work/.git/config");
      assert.equal((await outerRepository(worktree()))?.path, undefined);
    });
  });

  describe("other paths to the same folder", () => {
    const mount = (device: string, root: string, mountPoint: string): MountEntry => ({
      device,
      root,
      mountPoint,
      type: "ext4",
      source: "x",
    });

    it("are found where its file system is mounted again, whole or in part", () => {
      const table = [mount("8:1", "/", "/"), mount("8:1", "/persist/home", "/home"), mount("8:2", "/", "/data")];
      assert.deepEqual(possibleAliases("/home/me", table), ["/persist/home/me"]);
      const btrfs = [mount("0:30", "/@", "/"), mount("0:30", "/@home", "/home"), mount("0:30", "/", "/mnt/top")];
      assert.deepEqual(possibleAliases("/home/me", btrfs), ["/mnt/top/@home/me"]);
      const whole = [mount("8:1", "/", "/"), mount("8:1", "/home/me", "/srv/me"), mount("8:1", "/var", "/other")];
      assert.deepEqual(possibleAliases("/home/me", whole), ["/srv/me"]);
    });

    it("are not those that are something else now", async () => {
      // As if the world were mounted again, on a folder that in truth holds another "homes/me".
      const again = [mount("8:1", "/", "/"), mount("8:1", root, join(root, "elsewhere"))];
      mkdirSync(join(root, "elsewhere/homes/me"), { recursive: true });
      assert.deepEqual(possibleAliases(home, again), [join(root, "elsewhere/homes/me")]);
      assert.deepEqual(await aliasesOf(home, again), []);
    });
  });

  describe("protected paths", () => {
    const kinds = async (): Promise<Record<string, string>> =>
      Object.fromEntries((await protectedPaths(home)).map(({ path, kind }) => [path.slice(home.length + 1), kind]));

    it("are those that the editor and git act upon, there or missing", async () => {
      assert.deepEqual(await kinds(), { ".git": "missing", ".vscode": "missing" });
      file("homes/me/.git/config");
      file("homes/me/.git/hooks/x");
      file("homes/me/.vscode/tasks.json");
      assert.deepEqual(await kinds(), {
        ".vscode": "directory",
        ".git/hooks": "directory",
        ".git/config": "file",
        ".git/config.worktree": "missing",
        ".git/commondir": "missing",
      });
    });

    it("are in repositories that lie directly inside, which the editor opens, and two deep in a folder of such", async () => {
      file("homes/me/one/.git/config");
      file("homes/me/two/.git");
      file("homes/me/group/three/.git/hooks/x");
      file("homes/me/node_modules/x/.git/config");
      file("homes/me/build/deps/four/.git/config");
      link("homes/me/linked", join(home, "group/three"));
      link("homes/me/five/.git/config", "../../elsewhere");
      file("homes/me/five/.git/hooks/x");
      const there = async (): Promise<string[]> =>
        Object.entries(await kinds())
          .filter(([, kind]) => kind !== "missing")
          .map(([path]) => path)
          .sort();
      assert.deepEqual(await there(), ["five/.git/hooks", "group/three/.git/hooks", "one/.git/config", "two/.git"]);
      file("homes/me/.git/config");
      file("homes/me/.git/modules/two/HEAD");
      file("homes/me/.git/modules/two/config", `[core]\n\tworktree = ${home}/two\n`);
      const whole = (await protectedPaths(home)).map(({ path }) => path);
      assert.equal(new Set(whole).size, whole.length, "a submodule's marker is named once");
      assert.ok(!(await there()).includes("group/three/.git/hooks"), "in a repository, one deep");
      assert.ok((await there()).includes("one/.git/config"));
    });

    it("are looked for in a hundred folders and not in thousands", async () => {
      for (let index = 0; index < 250; index++) file(`homes/me/${String(index).padStart(3, "0")}/.git/config`);
      const there = Object.entries(await kinds()).filter(([, kind]) => kind === "file");
      assert.equal(there.length, 100);
    });

    it("are in submodules and worktrees as well", async () => {
      file("homes/me/.git/config");
      file("homes/me/.git/modules/libs/zlib/HEAD");
      file("homes/me/.git/modules/libs/zlib/config");
      file("homes/me/.git/modules/libs/zlib/modules/inner/HEAD");
      file("homes/me/.git/worktrees/w/gitdir");
      const all = await kinds();
      assert.equal(all[".git/modules/libs/zlib/config"], "file");
      assert.equal(all[".git/modules/libs/zlib/hooks"], "missing");
      assert.equal(all[".git/modules/libs/zlib/modules/inner/config"], "missing");
      assert.equal(all[".git/worktrees/w/gitdir"], "file");
      assert.equal(all[".git/worktrees/w/commondir"], "missing");
    });

    it("tell links from what they lead to", async () => {
      link("homes/me/.git", root);
      link("homes/me/.vscode", "nowhere");
      assert.deepEqual(await kinds(), { ".git": "symlink", ".vscode": "symlink" });
    });

    it("that were made since are found", async () => {
      file("homes/me/.git/config");
      const before = await protectedPaths(home);
      assert.deepEqual(await createdProtectedPaths(before), []);
      link("homes/me/.git/commondir", "nowhere");
      file("homes/me/.git/config.worktree");
      assert.deepEqual((await createdProtectedPaths(before)).sort(), [
        join(home, ".git/commondir"),
        join(home, ".git/config.worktree"),
      ]);
    });
  });

  it("has the real paths of what a profile and a command name, and says which are missing", async () => {
    file("data/x/file");
    file("homes/me/project/sub/file");
    link("homes/me/link", join(root, "data/x"));
    const profile = resolveProfile({
      extends: "build",
      filesystem: { read: ["~/link", "~/none"], hide: ["sub/file"] },
    });
    const facts = await readHostFacts(
      { workspace: join(home, "project"), home },
      { profile, command: { file: "true", cwd: "sub" } },
    );
    assert.deepEqual(facts.paths, {
      [join(home, "link")]: { real: join(root, "data/x"), kind: "directory", links: [join(home, "link")] },
      [join(home, "none")]: "missing",
      [join(home, "project/sub/file")]: { real: join(home, "project/sub/file"), kind: "file" },
      [join(home, "project/sub")]: { real: join(home, "project/sub"), kind: "directory" },
    });
  });

  it("has home and workspace by their real paths, and refuses what is neither", async () => {
    mkdirSync(join(home, "project"));
    link("alias", home);
    const facts = await readHostFacts({ workspace: join(root, "alias/project"), home: join(root, "alias") });
    assert.equal(facts.workspace, join(home, "project"));
    assert.equal(facts.home, home);
    assert.ok(facts.privateFolders.includes(home));
    await assert.rejects(readHostFacts({ workspace: join(root, "alias"), home }), /home folder/);
    await assert.rejects(readHostFacts({ workspace: join(root, "none"), home }), {
      name: "SandboxError",
      part: "workspace",
      message: /none does not exist/,
    });
    await assert.rejects(readHostFacts({ workspace: file("homes/me/file"), home }), /is not a folder/);
    await assert.rejects(readHostFacts({ workspace: join(home, "project"), home: "/" }), {
      name: "SandboxError",
      part: "home",
    });
  });

  it("has the sockets that somebody listens on, and none that was unlinked", async () => {
    mkdirSync(join(home, "project"));
    const servers = [createServer(), createServer()];
    const paths = [join(root, "a.sock"), join(root, "b c.sock")];
    try {
      for (const [index, server] of servers.entries()) {
        server.listen(paths[index]);
        await once(server, "listening");
      }
      rmSync(paths[0] ?? "");
      writeFileSync(paths[0] ?? "", "a file in its place");
      const { sockets } = await readHostFacts({ workspace: join(home, "project"), home });
      assert.deepEqual(
        sockets.filter((path) => path.startsWith(root)),
        [paths[1]],
      );
    } finally {
      for (const server of servers) {
        server.close();
      }
    }
  });

  it("has secrets that only root may read, as root", async function () {
    if (process.getuid?.() !== 0) {
      this.skip(); // an ordinary user is refused by the kernel
    }
    const secrets = await rootSecrets();
    assert.ok(secrets.includes("/etc/shadow"));
    assert.ok(!secrets.includes("/etc/passwd") && !secrets.includes("/etc"));
  });
});
