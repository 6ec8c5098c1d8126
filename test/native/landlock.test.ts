// sys.landlock for real: each right, port and scope is tried once with and once without, in a child that nothing else
// restricts. What is denied must be denied by Landlock alone.

import assert from "node:assert/strict";
import { spawn as plainSpawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { skipBecause } from "../support/skip";
import { makeTemp, removeTemp } from "../support/temp";
import { api, inNamespaces, type Options, rejection, run, type Sys, sh } from "./spawner-world";

type Landlock = NonNullable<Sys["landlock"]>;
type FsAccess = NonNullable<Landlock["handledAccessFs"]>[number];

const READ: FsAccess[] = ["execute", "read_file", "read_dir"];
const abi = Math.max(0, api.landlockAbi());

const restricted = (landlock: Landlock, more: Options = {}): Options => ({
  ...more,
  sys: { noNewPrivileges: true, landlock, ...more.sys },
});

describe("sys.landlock", () => {
  let folder: string;

  before(function () {
    if (abi === 0) skipBecause(this, "this kernel has no Landlock");
  });
  beforeEach(() => {
    folder = makeTemp("landlock");
    mkdirSync(join(folder, "in/sub"), { recursive: true });
    mkdirSync(join(folder, "in/empty"));
    mkdirSync(join(folder, "out"));
    for (const name of ["in/file", "in/sub/file", "out/file"]) writeFileSync(join(folder, name), "text\n");
    writeFileSync(join(folder, "in/program"), "#!/bin/sh\necho executed\n", { mode: 0o755 });
  });
  afterEach(() => removeTemp(folder));

  /** One right about what is in a folder, and a line of shell or perl that works with it alone. */
  const rights: readonly (readonly [
    right: FsAccess,
    needed: number,
    line: string,
    denied: RegExp,
    beside?: FsAccess[],
  ])[] = [
    ["execute", 1, "in/program", /Permission denied/, ["read_file"]],
    ["read_file", 1, "cat in/file", /Permission denied/],
    ["read_dir", 1, "ls in", /Permission denied/],
    ["write_file", 1, "echo more >> in/file", /Permission denied/],
    ["make_reg", 1, "echo > in/new", /Permission denied/, ["write_file", "truncate"]],
    ["make_dir", 1, "mkdir in/new", /Permission denied/],
    ["make_sym", 1, "ln -s file in/new", /Permission denied/],
    ["make_fifo", 1, "mkfifo in/new", /Permission denied/],
    [
      "make_sock",
      1,
      `perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0); bind(S, pack_sockaddr_un("in/new")) or die $!'`,
      /Permission denied/,
    ],
    ["remove_file", 1, "rm -f in/file", /Permission denied/],
    ["remove_dir", 1, "rmdir in/empty", /Permission denied/],
    ["refer", 2, `perl -e 'rename("in/file", "out/new") or die $!'`, /cross-device link/, ["make_reg", "remove_file"]],
    ["truncate", 3, "perl -e 'truncate(q(in/file), 0) or die $!'", /Permission denied/, ["write_file"]],
  ];

  for (const [right, needed, line, denied, beside = []] of rights) {
    it(`${right}: denied without it, allowed with it, and only there`, async function () {
      if (abi < needed) skipBecause(this, `this kernel's Landlock has no ${right}`);
      const others = beside.filter((one) => one !== "truncate" || abi >= 3); // before, nothing is asked for it
      const handled = [...new Set<FsAccess>([...READ, right, ...others])];
      const host = ["/usr", "/bin", "/lib", "/lib64", "/etc"].map((path) => ({
        path,
        access: READ,
        options: ["optional" as const],
      }));
      const attempt = (access: FsAccess[], at = folder): ReturnType<typeof sh> =>
        sh(line, {
          ...restricted({
            handledAccessFs: handled,
            rules: [
              ...host,
              { path: "/dev/null", access: ["read_file"] },
              ...(access.length > 0 ? [{ path: join(folder, "out"), access }] : []),
              ...(access.length > 0 ? [{ path: at === folder ? join(folder, "in") : at, access }] : []),
            ],
          }),
          cwd: folder,
          env: { PATH: "/usr/bin:/bin", LC_ALL: "C" },
        });
      const refused = await attempt(others);
      assert.notEqual(refused.status.code, 0, refused.stdout);
      assert.match(refused.stderr, denied);
      const elsewhere = await attempt([right, ...others], join(folder, "in/sub"));
      assert.notEqual(elsewhere.status.code, 0, "a right to another path is none");
      const allowed = await attempt([right, ...others]);
      assert.equal(allowed.status.code, 0, allowed.stderr);
    });
  }

  it("make_char and make_block: denied to root too", async function () {
    if (process.getuid?.() !== 0) skipBecause(this, "only root may make devices");
    for (const [kind, right] of [
      ["c", "make_char"],
      ["b", "make_block"],
    ] as const) {
      const line = `mknod ${folder}/in/device ${kind} 1 3`;
      assert.match((await sh(line, restricted({ handledAccessFs: [right] }))).stderr, /Permission denied/);
      const rules = [{ path: `${folder}/in`, access: [right] }];
      const made = await sh(`${line} && rm ${folder}/in/device`, restricted({ handledAccessFs: [right], rules }));
      assert.equal(made.status.code, 0, made.stderr);
    }
  });

  it("ioctl_dev: for devices that are opened afterwards, not for those that are open already", async function () {
    if (abi < 5) skipBecause(this, "this kernel's Landlock has no ioctl_dev");
    const line = "stty -F /dev/tty size; stty size";
    const look = async (rules: Landlock["rules"]): Promise<string> => {
      const child = await api.spawn("sh", ["-c", line], {
        ...restricted({ handledAccessFs: ["ioctl_dev"], rules: rules ?? [] }),
        terminal: { columns: 99, rows: 33 },
      });
      let output = "";
      child.terminal?.output.setEncoding("utf8").on("data", (chunk) => {
        output += chunk;
      });
      const ended = new Promise((resolve) => child.terminal?.output.once("close", resolve));
      await Promise.all([child.exited, ended]);
      return output;
    };
    assert.match(await look([]), /\/dev\/tty.*Permission denied[\s\S]*33 99/);
    assert.equal(await look([{ path: "/dev", access: ["ioctl_dev"] }]), "33 99\r\n33 99\r\n");
  });

  it("bind_tcp and connect_tcp: by port", async function () {
    if (abi < 4) skipBecause(this, "this kernel's Landlock has no rights to ports");
    const server = createServer((socket) => socket.end("hello\n"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    try {
      const connect = `perl -MSocket -e 'socket(S, PF_INET, SOCK_STREAM, 0); connect(S, pack_sockaddr_in(${port}, INADDR_LOOPBACK)) or die $!; print <S>'`;
      const bind = `perl -MSocket -e 'socket(S, PF_INET, SOCK_STREAM, 0); bind(S, pack_sockaddr_in(0, INADDR_LOOPBACK)) or die $!'`;
      const net: Landlock = { handledAccessNet: ["bind_tcp", "connect_tcp"] };
      assert.match((await sh(connect, restricted(net))).stderr, /Permission denied/);
      assert.match((await sh(bind, restricted(net))).stderr, /Permission denied/);
      const allowed = restricted({ ...net, ports: [{ port, access: ["connect_tcp"] }] });
      assert.equal((await sh(connect, allowed)).stdout, "hello\n");
      assert.match((await sh(bind, allowed)).stderr, /Permission denied/);
      const bindable = await sh(bind, restricted({ ...net, ports: [{ port: 0, access: ["bind_tcp"] }] }));
      assert.equal(bindable.status.code, 0, bindable.stderr);
    } finally {
      server.close();
    }
  });

  it("abstract_unix_socket: those of others can't be reached, one's own can", async function () {
    if (abi < 6) skipBecause(this, "this kernel's Landlock has no scopes");
    const name = `sandbox-tasks-test-${process.pid}`;
    const server = createServer((socket) => socket.end("hello\n"));
    await new Promise<void>((resolve) => server.listen(`\0${name}`, resolve));
    // Padded: so older Nodes bind such names.
    const client = (to: string): string =>
      `socket(C, AF_UNIX, SOCK_STREAM, 0); connect(C, pack("Sa108", AF_UNIX, "\\0${to}")) or die $!;`;
    const line = `perl -MSocket -e '${client(name)} print <C>'`;
    const own = `perl -MSocket -e 'socket(L, AF_UNIX, SOCK_STREAM, 0); bind(L, pack("Sa108", AF_UNIX, "\\0${name}-own")); listen(L, 1); ${client(`${name}-own`)} print "connected"'`;
    try {
      assert.equal((await sh(line, restricted({ handledAccessFs: ["make_char"] }))).stdout, "hello\n");
      const scoped = restricted({ scoped: ["abstract_unix_socket"] });
      assert.match((await sh(line, scoped)).stderr, /Operation not permitted/);
      assert.equal((await sh(own, scoped)).stdout, "connected");
    } finally {
      server.close();
    }
  });

  it("signal: those of others can't be reached, one's own can", async function () {
    if (abi < 6) skipBecause(this, "this kernel's Landlock has no scopes");
    const other = plainSpawn("sleep", ["1000"]);
    try {
      const line = `kill -0 ${other.pid}; sleep 1000 & kill $! && echo own`;
      assert.equal((await sh(line, restricted({ handledAccessFs: ["make_char"] }))).stderr, "");
      const { stdout, stderr } = await sh(line, restricted({ scoped: ["signal"] }));
      assert.match(stderr, /not permitted/i);
      assert.equal(stdout, "own\n");
    } finally {
      other.kill();
    }
  });

  it("leaves no fd of the ruleset or its paths", async () => {
    const landlock: Landlock = { handledAccessFs: READ, rules: [{ path: "/", access: READ }] };
    const list = "ls -l /proc/self/fd | grep -c -e landlock -e ' /$'";
    for (const options of [restricted(landlock), restricted(landlock, inNamespaces(["CLONE_NEWPID"]))]) {
      assert.equal((await sh(list, options)).stdout, "0\n");
    }
    const closed = restricted(landlock, { stdio: [null, "pipe", null, null, "pipe"] });
    const child = await api.spawn("sh", ["-c", "ls /proc/self/fd | tr '\\n' ' '"], closed);
    const chunks: string[] = [];
    child.stdout?.setEncoding("utf8").on("data", (chunk) => chunks.push(chunk));
    await child.exited;
    await child[Symbol.asyncDispose]();
    assert.deepEqual(
      chunks
        .join("")
        .trim()
        .split(" ")
        .filter((fd) => Number(fd) > 4),
      [],
    );
  });

  it("is about paths inside the new root, and enters before the working directory", async () => {
    const inside = inNamespaces(["CLONE_NEWNS", "CLONE_NEWPID"], {
      rootfs: {},
      mounts: [
        ...["usr", "bin", "lib", "lib64", "etc"].map((name) => ({
          destination: `/${name}`,
          source: `/${name}`,
          options: ["rbind", "ro", "optional"],
        })),
        { destination: "/data", type: "tmpfs" },
        { destination: "/data/link", type: "symlink", source: "/usr" },
      ],
      noNewPrivileges: true,
    });
    const landlock: Landlock = { handledAccessFs: READ, rules: [{ path: "/data/link", access: READ }] };
    const bins = ["/bin", "/lib", "/lib64"].map((path) => ({ path, access: READ, options: ["optional" as const] }));
    const options = {
      ...inside,
      sys: { ...inside.sys, landlock: { ...landlock, rules: [...(landlock.rules ?? []), ...bins] } },
      cwd: "/data",
    };
    const { stdout, stderr } = await sh("pwd; ls /usr | grep -x bin; ls /etc", options);
    assert.equal(stdout, "/data\nbin\n");
    assert.match(stderr, /Permission denied/);
  });

  it("keeps PID 1 outside: it ends those inside, who can't signal it", async function () {
    if (abi < 6) skipBecause(this, "this kernel's Landlock has no scopes");
    const options = restricted({ scoped: ["signal"] }, inNamespaces(["CLONE_NEWPID"]));
    const child = await api.spawn("sh", ["-c", "kill -0 1; echo $?; exec sleep 1000"], options);
    const [chunk] = await new Promise<Buffer[]>((resolve) => child.stdout?.once("data", (data) => resolve([data])));
    assert.equal(String(chunk), "1\n");
    api.signalNamespace(child, "SIGTERM");
    assert.equal((await child.exited).signal, "SIGTERM");
    await child[Symbol.asyncDispose]();
  });

  it("refuses a rule whose path is missing, or has a link in it that was not to be there", async () => {
    symlinkSync(join(folder, "in"), join(folder, "link"));
    const rule = (path: string, options?: ("optional" | "nofollow")[]): Options =>
      restricted({
        handledAccessFs: ["make_char"],
        rules: [{ path, access: ["make_char"], ...(options ? { options } : {}) }],
      });
    const missing = await rejection(api.spawn("true", [], rule(join(folder, "none"))));
    assert.deepEqual([missing.step, missing.code, missing.path], ["landlock rule", "ENOENT", join(folder, "none")]);
    assert.match(missing.remedy ?? "", /optional/);
    const linked = await rejection(api.spawn("true", [], rule(join(folder, "link"), ["nofollow"])));
    assert.deepEqual([linked.step, linked.code], ["landlock rule", "ELOOP"]);
    for (const fine of [rule(join(folder, "link")), rule(join(folder, "none"), ["optional"])]) {
      assert.equal((await run("true", [], fine)).status.code, 0);
    }
    assert.ok(existsSync(join(folder, "in/file")) && readFileSync(join(folder, "in/file"), "utf8") === "text\n");
  });

  it("names what the kernel lacks, and leaves it out only where that was allowed", async () => {
    const wish: Landlock = { handledAccessFs: ["make_char"], handledAccessNet: ["connect_send_udp"] };
    const problems = api.validate(restricted(wish));
    if (abi >= 10) {
      assert.deepEqual(problems, []);
      return;
    }
    assert.deepEqual(
      problems.map(({ path }) => path),
      ["sys.landlock.handledAccessNet[0]"],
    );
    const weaker = restricted({ ...wish, minimumAbi: 1 });
    const step = api.explain("true", [], weaker).find(({ name }) => name === "landlock ruleset");
    assert.equal(step?.detail, `files: make_char; left out, as this kernel has ABI ${abi}: connect_send_udp`);
    assert.equal((await run("true", [], weaker)).status.code, 0);
  });
});
