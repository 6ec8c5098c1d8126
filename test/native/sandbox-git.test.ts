// git itself in the build profile: in a clone, in a linked worktree and in a submodule, whose repositories lie outside of the
// workspace. What tells git what to run stays as it is.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { skipBecause } from "../support/skip";
import { api, listing, World } from "./sandbox-world";

describe("sandbox, git", () => {
  let world: World;
  let repository: string;

  const git = (cwd: string, ...args: string[]): string =>
    execFileSync("git", ["-c", "protocol.file.allow=always", ...args], {
      cwd,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env.PATH, HOME: world.home, GIT_CONFIG_NOSYSTEM: "1" },
    });

  /** Runs in another workspace than the world's own. */
  const runIn = async (workspace: string, script: string): Promise<{ code: number | null; output: string }> => {
    const sandbox = await api.sandbox.run(
      { file: "bash", args: ["-c", `(${script}) > /tmp/out 2>&1; code=$?; cat /tmp/out; exit $code`] },
      "build",
      {
        workspace,
        home: world.home,
      },
    );
    sandbox.process.stdin?.end();
    const chunks: Buffer[] = [];
    for await (const chunk of sandbox.process.stdout ?? []) chunks.push(chunk);
    return { code: (await sandbox.exited).code, output: Buffer.concat(chunks).toString() };
  };

  before(function () {
    try {
      execFileSync("git", ["--version"]);
    } catch {
      skipBecause(this, "git is not installed");
    }
  });

  beforeEach(() => {
    world = new World();
    repository = join(world.home, "repository");
    world.write("home/.gitconfig", "[user]\n\tname = Me\n\temail = me@example.org\n[init]\n\tdefaultBranch = main\n");
    world.write("home/repository/file", "one\n");
    git(repository, "init", "--quiet");
    git(repository, "add", ".");
    git(repository, "commit", "--quiet", "-m", "first");
  });
  afterEach(() => world.remove());

  /** What must be the same afterwards: what git would run, and where it would look for that. */
  const guarded = (directory: string): string[] => [
    readFileSync(join(directory, "config"), "utf8"),
    ...listing(join(directory, "hooks")),
  ];

  it("works in a clone, with who commits from the user's settings", async () => {
    const before = guarded(join(repository, ".git"));
    const { code, output } = await runIn(
      repository,
      "set -e; git status --porcelain; echo two > file; git commit -qam second; git switch -qc topic; git worktree add -q tree; cd tree; echo three > file; git commit -qam third; git log --format='%an %s'; git worktree list | wc -l",
    );
    assert.equal(output, "Me third\nMe second\nMe first\n2\n");
    assert.equal(code, 0);
    assert.equal(git(repository, "log", "-1", "--format=%ae", "topic").trim(), "me@example.org");
    assert.deepEqual(guarded(join(repository, ".git")), before);
    git(repository, "fsck");
  });

  it("works in a linked worktree, and leaves the other's files, index and settings alone", async () => {
    const tree = join(world.root, "tree");
    git(repository, "worktree", "add", "--quiet", "-b", "topic", tree);
    const directory = join(repository, ".git");
    const before = guarded(directory);
    const { code, output } = await runIn(
      tree,
      "set -e; git status --porcelain; echo two > file; git add file; git commit -qm second; git branch other; git stash list; git log --format=%s; git worktree list | wc -l",
    );
    assert.equal(output, "second\nfirst\n2\n");
    assert.equal(code, 0);
    assert.equal(git(repository, "log", "-1", "--format=%s", "topic").trim(), "second");
    assert.equal(git(repository, "status", "--porcelain"), "");
    const attempts = await runIn(
      tree,
      `cd ${directory}; for f in config hooks/post-commit HEAD index worktrees/tree/gitdir worktrees/tree/commondir packed-refs; do (echo evil > $f) 2>&1 && echo "wrote $f"; done; cat ../file; true`,
    );
    assert.ok(!attempts.output.includes("wrote"), attempts.output);
    assert.match(attempts.output, /file: No such file/);
    assert.deepEqual(guarded(directory), before);
    git(repository, "fsck");
  });

  it("works in a submodule that is opened by itself, and in its superproject", async () => {
    const outer = join(world.home, "outer");
    world.write("home/outer/own", "own\n");
    git(outer, "init", "--quiet");
    git(outer, "submodule", "--quiet", "add", repository, "lib");
    git(outer, "add", ".");
    git(outer, "commit", "--quiet", "-m", "outer");
    const module = join(outer, ".git/modules/lib");
    const before = guarded(module);
    const commit = "set -e; git status --porcelain; echo two >> file; git commit -qam second; git log --format=%s -2";
    assert.deepEqual(await runIn(join(outer, "lib"), commit), { code: 0, output: "second\nfirst\n" });
    assert.deepEqual(guarded(module), before);
    const evil =
      "(echo evil >> ../.git/modules/lib/config; echo evil > ../.git/modules/lib/hooks/post-commit; cat ../own) 2>&1; true";
    assert.ok(!(await runIn(join(outer, "lib"), evil)).output.includes("own\n"));

    const inOuter = await runIn(
      outer,
      "set -e; cd lib; echo three >> file; git commit -qam third; cd ..; git commit -qam moved; git submodule status",
    );
    assert.equal(inOuter.code, 0, inOuter.output);
    const lead = readFileSync(join(outer, "lib/.git"), "utf8");
    await runIn(outer, "echo gitdir: /evil > lib/.git; rm lib/.git; mv lib x; mkdir -p lib/.git");
    assert.equal(readFileSync(join(outer, "lib/.git"), "utf8"), lead);
    assert.deepEqual(guarded(module), before);
  });

  it("works in a repository inside the workspace, whose hooks and settings stay as they are", async () => {
    const inner = join(world.workspace, "inner");
    git(world.home, "clone", "--quiet", repository, inner);
    git(world.home, "clone", "--quiet", repository, join(world.workspace, "group/deeper"));
    const directories = [inner, join(world.workspace, "group/deeper")].map((folder) => join(folder, ".git"));
    const before = directories.map(guarded);
    const { code, output } = await runIn(
      world.workspace,
      `set -e; cd inner; echo two >> file; git commit -qam second; git log --format=%s -2; cd ../group/deeper; git status --porcelain`,
    );
    assert.deepEqual({ code, output }, { code: 0, output: "second\nfirst\n" });
    await runIn(
      world.workspace,
      `for at in inner group/deeper; do echo evil >> $at/.git/config; echo evil > $at/.git/hooks/post-commit; mv $at/.git x; mv $at y; rm -rf $at/.git/hooks; done`,
    );
    assert.deepEqual(directories.map(guarded), before);
  });

  it("is not shown a repository that does not name the workspace as its own", async () => {
    world.write("home/project/.git", `gitdir: ${repository}/.git\n`);
    assert.match((await world.run(`cat ${repository}/.git/config`)).output, /No such file/);
    world.write("home/repository/.git/modules/x/config", "[core]\n\tworktree = ../../../elsewhere\n");
    world.write("home/project/.git", `gitdir: ${repository}/.git/modules/x\n`);
    assert.match((await world.run(`cat ${repository}/.git/modules/x/config`)).output, /No such file/);
    renameSync(join(world.workspace, ".git"), join(world.workspace, "git"));
  });
});
