// The build profile for real: what a task can do to the workspace it runs in, and what it can't. Runs as root and as an
// ordinary user.

import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { listing, World } from "./sandbox-world";

/** Connects to a Unix socket and says whether somebody answered; perl is there on every Debian. */
const CONNECT =
  "perl -MSocket -e 'socket(S,PF_UNIX,SOCK_STREAM,0); print connect(S,pack_sockaddr_un($ARGV[0])) ? qq(open\\n) : qq(closed: $!\\n)'";

async function listen(server: Server, at: string | number): Promise<void> {
  typeof at === "string" ? server.listen(at) : server.listen(at, "127.0.0.1");
  await once(server, "listening");
}

for (const place of ["below /tmp", "below the home folder"]) {
  describe(`sandbox, build profile, with a workspace ${place}`, () => {
    let world: World;
    beforeEach(() => {
      world = place === "below /tmp" ? new World() : new World(homedir());
    });
    afterEach(() => world.remove());

    it("works in the workspace, and what it makes there is the user's own", async () => {
      world.write("home/project/in.txt", "hello\n");
      const { code, output } = await world.run("pwd; cat in.txt; echo made > out.txt; mkdir -p a/b && mv out.txt a/b/");
      assert.equal(output, `${world.workspace}\nhello\n`);
      assert.equal(code, 0);
      const made = statSync(join(world.workspace, "a/b/out.txt"));
      assert.equal(made.uid, process.getuid?.());
      assert.equal(made.gid, process.getgid?.());
    });

    it("does not see the home folder", async () => {
      world.write("home/.ssh/id_ed25519", "secret\n", 0o600);
      world.write("home/.npmrc", "secret\n", 0o600);
      world.write("home/other-project/file", "secret\n");
      const { output } = await world.run('ls -A ~; cat ~/.ssh/id_ed25519 ~/.npmrc ~/other-project/file; echo "$HOME"');
      assert.ok(!output.includes("secret"), output);
      assert.match(output, /^project\n/);
      assert.ok(output.includes(`${world.home}\n`));
    });

    it("has a home of its own to write to, which ends with it", async () => {
      const { code, output } = await world.run("mkdir -p ~/.cache/x && echo 1 > ~/.cache/x/y && cat ~/.cache/x/y");
      assert.equal(output, "1\n");
      assert.equal(code, 0);
      assert.ok(!existsSync(join(world.home, ".cache")));
    });

    it("shows toolchains read-only and hides the credentials among them", async () => {
      world.write("home/.cargo/bin/tool", "#!/bin/sh\necho tool runs\n", 0o755);
      world.write("home/.cargo/credentials.toml", "secret\n", 0o600);
      world.write("home/.local/share/keyrings/login.keyring", "secret\n", 0o600);
      const { output } = await world.run(
        "~/.cargo/bin/tool; cat ~/.cargo/credentials.toml ~/.local/share/keyrings/*; touch ~/.cargo/bin/evil; rm -f ~/.cargo/bin/tool",
      );
      assert.match(output, /^tool runs\n/);
      assert.ok(!output.includes("secret"), output);
      assert.match(output, /evil.*Read-only file system/);
      assert.ok(existsSync(join(world.home, ".cargo/bin/tool")));
    });

    it("protects git's hooks and config and the editor's settings", async () => {
      world.makeRepository();
      world.write("home/project/.vscode/tasks.json", "{}\n");
      const before = listing(world.workspace);
      const { output } = await world.run(
        [
          "echo evil > .git/hooks/pre-commit",
          "echo evil > .git/hooks/post-checkout",
          "echo evil >> .git/config",
          "echo evil > .vscode/tasks.json",
          "echo evil > .vscode/settings.json",
          "rm -rf .git/hooks .git/config .vscode",
          "chmod -x .git/hooks/pre-commit",
        ].join("\n"),
      );
      assert.deepEqual(listing(world.workspace), before, output);
      assert.equal(readFileSync(join(world.workspace, ".git/hooks/pre-commit"), "utf8"), "#!/bin/sh\necho original\n");
    });

    it("does not let the protection be moved away, copied round or covered", async () => {
      world.makeRepository();
      world.write("home/project/.git/modules/libs/zlib/HEAD", "ref: refs/heads/main\n");
      world.write("home/project/.git/modules/libs/zlib/config", "[core]\n");
      world.write("home/project/.vscode/tasks.json", "{}\n");
      const before = listing(world.workspace);
      const { output } = await world.run(
        [
          // rename(2) itself: mv(1) would copy where it is refused.
          'ren() { perl -e \'rename($ARGV[0], $ARGV[1]) or print "$!\\n"\' "$@"; }',
          "ren .git x; ren .git/hooks x; ren .git/modules x; ren .git/modules/libs x; ren .git/modules/libs/zlib x; ren .vscode x",
          "ren .git/config x; ren .git/modules/libs/zlib/config x; ren .vscode/tasks.json x; ren .git/hooks/pre-commit x",
          "rmdir .git/hooks; rm -rf .git/modules/libs/zlib/config",
          "mkdir y; ren y .git; ren y .git/hooks; ren y .vscode; rmdir y",
          "ln -sfn /tmp .git/hooks; ln -sfn /tmp .vscode; rm -f .git/hooks/tmp",
          "ln .git/config z; ln .git/hooks/pre-commit z",
          'ren "$PWD" ../elsewhere',
          "umount .git/hooks; umount -l .git; mount -t tmpfs none .git/hooks",
          "for how in -Um -Urm; do unshare $how sh -c 'umount .git/hooks; umount -R .git; mount -o remount,rw,bind .git/hooks; echo evil > .git/hooks/pre-commit; echo evil > .git/config'; done",
        ].join("\n"),
      );
      assert.deepEqual(listing(world.workspace), before, output);
      assert.ok(!readFileSync(join(world.workspace, ".git/config"), "utf8").includes("evil"));
      assert.ok(!readFileSync(join(world.workspace, ".git/hooks/pre-commit"), "utf8").includes("evil"));
    });

    it("lets git's own work go on beside them", async () => {
      world.makeRepository();
      const { code, output } = await world.run(
        "echo blob > .git/objects-x && mkdir -p .git/objects/aa && echo x > .git/index.lock && mv .git/index.lock .git/index && rm .git/objects-x && ls .git",
      );
      assert.equal(code, 0, output);
      assert.ok(existsSync(join(world.workspace, ".git/index")));
    });

    it("leaves no stub where there was nothing to protect", async () => {
      world.write("home/project/only.txt");
      const before = listing(world.root);
      const { code, warnings } = await world.run("ls -A");
      assert.equal(code, 0);
      assert.deepEqual(listing(world.root), before);
      assert.deepEqual(warnings, []);
    });

    it("tells when a task made what it could not be kept from making", async () => {
      const { warnings } = await world.run("mkdir -p .vscode .git/hooks; echo evil > .vscode/tasks.json");
      assert.equal(warnings.length, 2, warnings.join("\n"));
      assert.ok(warnings.some((warning) => warning.includes(join(world.workspace, ".vscode"))));
      assert.ok(warnings.some((warning) => warning.includes(join(world.workspace, ".git"))));
    });

    it("protects the file that leads to a worktree's git directory", async () => {
      world.write("home/project/.git", "gitdir: /nowhere\n");
      await world.run("echo gitdir: evil > .git; rm -f .git; mv .git x");
      assert.equal(readFileSync(join(world.workspace, ".git"), "utf8"), "gitdir: /nowhere\n");
    });

    it("shows a worktree the repository it belongs to, read-only", async () => {
      const repository = join(world.home, "repository/.git");
      world.write("home/repository/.git/HEAD", "ref: refs/heads/main\n");
      world.write("home/repository/file", "secret\n");
      world.write("home/repository/.git/worktrees/project/commondir", "../..\n");
      world.write("home/repository/.git/worktrees/project/gitdir", `${world.workspace}/.git\n`);
      world.write("home/project/.git", `gitdir: ${repository}/worktrees/project\n`);
      const { output } = await world.run(
        `cat ${repository}/HEAD; cat ${repository}/../file; echo evil > ${repository}/HEAD`,
      );
      assert.match(output, /^ref: refs\/heads\/main\n/);
      assert.match(output, /HEAD: Read-only file system/);
      assert.ok(!output.includes("secret"), output);
    });

    it("is not run where a protected path is a link that could be made to lead elsewhere", async () => {
      world.makeRepository();
      mkdirSync(join(world.workspace, "settings"));
      symlinkSync("settings", join(world.workspace, ".vscode"));
      await assert.rejects(world.run("true"), {
        name: "SandboxError",
        part: "protected",
        message: /\.vscode is a symbolic link/,
      });
      assert.equal((await world.run("true", "strict")).code, 0, "a read-only workspace can be run");
    });

    it("hides Unix sockets, those in the workspace too", async () => {
      const servers = [createServer(), createServer(), createServer()];
      const paths = [join(world.workspace, "in.sock"), join(world.root, "out.sock")];
      try {
        for (const [index, path] of paths.entries()) {
          await listen(servers[index] ?? createServer(), path);
        }
        await listen(servers[2] ?? createServer(), `\0sandbox-test-${process.pid}`);
        for (const path of paths) {
          assert.match((await world.run(`${CONNECT} ${path}`)).output, /^closed/);
        }
        assert.match((await world.run(`${CONNECT} $'${paths[0]}'; ls -l in.sock`)).output, /^closed[^\n]*\nc/);
        const abstract = `perl -MSocket -e 'socket(S,PF_UNIX,SOCK_STREAM,0); print connect(S,pack_sockaddr_un(qq(\\0sandbox-test-${process.pid}))) ? qq(open\\n) : qq(closed: $!\\n)'`;
        assert.match((await world.run(abstract)).output, /^closed/);
      } finally {
        for (const server of servers) {
          server.close();
        }
      }
    });
  });
}
