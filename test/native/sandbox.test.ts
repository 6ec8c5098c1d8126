// The profiles for real: what a task in a sandbox can reach, and what it can't. Runs as root and as an ordinary user.

import assert from "node:assert/strict";
import { once } from "node:events";
import { chownSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { api, listing, World } from "./sandbox-world";

const isRoot = process.getuid?.() === 0;

async function listen(server: Server, at: string | number): Promise<void> {
  typeof at === "string" ? server.listen(at) : server.listen(at, "127.0.0.1");
  await once(server, "listening");
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
      (await world.run("ls /sys/class/net; touch /sys/x 2>/dev/null", profile)).output;
    const names = readdirSync("/sys/class/net").map((name) => `${name}\n`);
    assert.equal(await look({ extends: "build", network: "host" }), names.join(""));
    assert.equal(await look("build"), "lo\n");
    assert.equal(await look("strict"), "lo\n");
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
      assert.match(
        (await world.run(script, "strict")).output,
        /unreachable|Permission denied/,
        "its loopback is down, and Landlock opens no port",
      );
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
