// The profiles for real: what a task in a sandbox can reach, and what it can't. Runs as root and as an ordinary user.

import assert from "node:assert/strict";
import { once } from "node:events";
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { api, listing, World } from "./sandbox-world";

const isRoot = process.getuid?.() === 0;

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

describe("sandbox, what every profile keeps to", () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  afterEach(() => world.remove());

  it("can't write anywhere but in the workspace and in what is its own", async () => {
    const marker = `sandbox-test-${process.pid}`;
    const folders = [
      "/",
      "/usr",
      "/etc",
      "/var",
      "/opt",
      "/usr/local/bin",
      "/proc/sys/kernel",
      "/sys",
      "/boot",
      world.root,
    ];
    const { output } = await world.run(
      `for d in ${folders.join(" ")}; do echo x > $d/${marker} && echo "wrote $d"; done 2>/dev/null; touch /tmp/${marker} /run/${marker} /dev/shm/${marker} && echo own`,
    );
    // The root of this world lies in /tmp, which is the sandbox's own.
    assert.equal(output, `wrote ${world.root}\nown\n`);
    for (const folder of [...folders, "/tmp", "/run", "/dev/shm"]) {
      assert.ok(!existsSync(join(folder, marker)), folder);
    }
  });

  it("has a /tmp of its own", async () => {
    const file = world.write("visible.txt");
    const { output } = await world.run(`ls -A /tmp /var/tmp; cat ${file}; echo $TMPDIR`);
    assert.ok(!output.includes("visible.txt\n/"), output);
    assert.match(output, /No such file/);
    assert.match(output, /\n\/tmp\n/);
  });

  it("sees the host's network interfaces only when it uses them", async () => {
    const look = async (profile: Parameters<World["run"]>[1]): Promise<string> =>
      (await world.run("ls /sys/class/net; ls /sys/fs/cgroup; touch /sys/x 2>/dev/null", profile)).output;
    const names = (folder: string): string =>
      readdirSync(folder)
        .map((name) => `${name}\n`)
        .join("");
    const cgroups = names("/sys/fs/cgroup");
    assert.equal(await look({ extends: "build", network: "host" }), `${names("/sys/class/net")}${cgroups}`);
    assert.equal(await look("build"), `lo\n${cgroups}`);
    assert.equal(await look("strict"), `lo\n${cgroups}`);
  });

  it("has the default devices and nothing else", async () => {
    const { output } = await world.run("ls /dev; head -c 4 /dev/urandom | wc -c; echo x > /dev/null; ls /dev/pts");
    assert.deepEqual(
      output.trim().split(/\s+/),
      "fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero 4 ptmx".split(" "),
    );
  });

  it("has no capability and can't gain one", async () => {
    const { output } = await world.run("grep -E '^(Cap|NoNewPrivs)' /proc/self/status; id -u; cat /proc/self/uid_map");
    assert.deepEqual(output.match(/Cap\w+:\s+0{16}/g)?.length, 5);
    assert.match(output, /NoNewPrivs:\s+1/);
    const uid = process.getuid?.();
    assert.match(output, new RegExp(`\\n${uid}\\n\\s+${uid}\\s+${uid}\\s+1\\n`));
  });

  it("is in namespaces of its own, and in the editor's time", async () => {
    const sandbox = await world.start("sleep 1000");
    const all = await api.inspect.namespaces(sandbox.process.pid);
    assert.deepEqual(
      all.filter(({ shared }) => shared).map(({ type }) => type),
      ["time"],
    );
    await sandbox.terminate(1000);
  });

  it("reaches no network", async () => {
    const server = createServer((socket) => socket.end("hello from the host\n"));
    await listen(server, 0);
    const address = server.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const script = `exec 3<>/dev/tcp/127.0.0.1/${port} && cat <&3`;
    try {
      assert.match((await world.run(script)).output, /Connection refused/, "its loopback is up, and nobody is there");
      assert.match((await world.run(script, "strict")).output, /unreachable/, "its loopback is down");
      assert.equal((await world.run(script, "install")).output, "hello from the host\n");
      assert.deepEqual((await world.run("cut -d: -f1 /proc/net/dev | tail -n +3")).output.trim(), "lo");
    } finally {
      server.close();
    }
  });

  it("can talk to itself over loopback", async () => {
    const script = `perl -MSocket -e 'socket(L,PF_INET,SOCK_STREAM,0); bind(L,pack_sockaddr_in(0,INADDR_LOOPBACK)) or die; listen(L,1); $a=getsockname(L); socket(C,PF_INET,SOCK_STREAM,0); connect(C,$a) or die; print "connected\\n"'`;
    assert.equal((await world.run(script)).output, "connected\n");
  });

  it("can look up names as the host does where it has the host's network", async () => {
    const { output } = await world.run("cat /etc/resolv.conf", "install");
    assert.equal(output, existsSync("/etc/resolv.conf") ? readFileSync("/etc/resolv.conf", "utf8") : output);
  });

  it("gets a clean environment", async () => {
    const leaked = [
      "GITHUB_TOKEN",
      "SSH_AUTH_SOCK",
      "VSCODE_IPC_HOOK_CLI",
      "ELECTRON_RUN_AS_NODE",
      "NODE_OPTIONS",
      "DBUS_SESSION_BUS_ADDRESS",
      "XDG_RUNTIME_DIR",
      "DISPLAY",
      "AWS_SECRET_ACCESS_KEY",
    ];
    const env = { ...process.env, ...Object.fromEntries(leaked.map((name) => [name, "leak"])), LC_TIME: "C" };
    const { output } = await world.run("env", { extends: "build", environment: { set: { MINE: "set" } } }, { env });
    assert.ok(!output.includes("leak"), output);
    assert.match(output, /^LC_TIME=C$/m);
    assert.match(output, /^MINE=set$/m);
    assert.match(output, /^PATH=/m);
  });

  it("sees no process but its own", async () => {
    const { output } = await world.run("ls -d /proc/[0-9]* | wc -l; kill -0 $PPID && echo $PPID");
    assert.match(output, /^[2-5]\n1\n$/);
  });

  it("does not read the machine's secrets as root", async () => {
    if (!isRoot) {
      assert.match((await world.run("cat /etc/shadow")).output, /Permission denied/);
      return;
    }
    const { output } = await world.run(
      "cat /etc/shadow /etc/gshadow | wc -c; ls -A /root /proc/acpi 2>/dev/null | grep -v : | wc -l; wc -c < /proc/kcore",
    );
    assert.match(output, /^0\n/);
  });

  it("says why root can't write in a workspace of somebody else's", async function () {
    if (!isRoot) {
      this.skip(); // an ordinary user can't give a folder away
    }
    chownSync(world.workspace, 12345, 12345);
    const { output, warnings } = await world.run("touch new");
    assert.match(output, /Permission denied/);
    assert.match(warnings.join(), /belongs to user 12345/);
  });

  it("leaves the workspace alone under the strict profile", async () => {
    world.write("home/project/file", "kept\n");
    const before = listing(world.workspace);
    const { output } = await world.run("echo x > file; touch new; rm -f file; touch /tmp/x && echo tmp", "strict");
    assert.deepEqual(listing(world.workspace), before);
    assert.match(output, /Read-only file system/);
    assert.match(output, /tmp\n/);
  });

  it("shows, opens and hides what the profile names", async () => {
    world.write("home/data/in.txt", "data\n");
    world.write("home/cache/old.txt", "old\n");
    world.write("home/project/secret/key", "secret\n");
    world.write("home/project/.env", "secret\n");
    world.write("home/tree/hidden/deep/shown.txt", "shown\n");
    world.write("home/tree/hidden/not.txt", "secret\n");
    const { output } = await world.run(
      "cat ~/data/in.txt; echo x > ~/data/in.txt; echo new > ~/cache/new.txt; cat ~/cache/old.txt secret/key .env ~/tree/hidden/deep/shown.txt ~/tree/hidden/not.txt; ls ~/tree/hidden",
      {
        extends: "build",
        filesystem: {
          read: ["~/data", "~/tree", "~/tree/hidden/deep"],
          write: ["~/cache"],
          hide: ["secret", ".env", "~/tree/hidden"],
        },
      },
    );
    assert.ok(!output.includes("secret\n"), output);
    assert.match(output, /^data\n/);
    assert.match(output, /old\n/);
    assert.match(output, /shown\n/);
    assert.match(output, /in\.txt: Read-only file system/);
    assert.equal(readFileSync(join(world.home, "data/in.txt"), "utf8"), "data\n");
    assert.equal(readFileSync(join(world.home, "cache/new.txt"), "utf8"), "new\n");
  });

  it("protects a repository that the profile makes writable as well", async () => {
    world.makeRepository("home/second");
    await world.run(
      "echo evil > ~/second/.git/hooks/pre-commit; mv ~/second/.git ~/second/x; echo fine > ~/second/file",
      {
        extends: "strict",
        filesystem: { write: ["~/second"] },
      },
    );
    assert.match(readFileSync(join(world.home, "second/.git/hooks/pre-commit"), "utf8"), /original/);
    assert.equal(readFileSync(join(world.home, "second/file"), "utf8"), "fine\n");
  });

  it("uses the host's /tmp when the profile says so", async () => {
    const file = world.write("shared.txt", "shared\n");
    const { output } = await world.run(`cat ${file}`, { extends: "build", filesystem: { tmp: "shared" } });
    assert.equal(output, "shared\n");
  });

  it("leaves no mount behind on the host", async () => {
    const mounts = (): string => readFileSync("/proc/self/mountinfo", "utf8");
    const before = mounts();
    await world.run("true");
    assert.equal(mounts(), before);
  });
});
