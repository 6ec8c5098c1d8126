// The second wall alone: the options of a profile with its mounts made loose on purpose, so that Landlock is all that is left
// between a task and what it must not do. And with both walls, that ordinary work goes on.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { skipBecause } from "../support/skip";
import { api, until, World } from "./sandbox-world";

type Ref = Parameters<typeof api.sandbox.resolveProfile>[0];
type Spawn = ReturnType<typeof api.sandbox.compile>;

/** Where the host is shown, read-only. */
const PLACE = "/var/lib/sandbox-tasks-wall";

const abi = Math.max(0, api.landlockAbi());

/** All that a stream gives. */
const read = (stream: Readable | null): Promise<string> | string => (stream === null ? "" : text(stream));

describe("sandbox, Landlock alone where mounts are loose", () => {
  let world: World;

  before(function () {
    if (abi < 2) skipBecause(this, "this kernel has no Landlock that allows renaming (ABI 2)");
    if (process.getuid?.() !== 0) skipBecause(this, "only root can make folders where nothing is private");
    mkdirSync(PLACE, { recursive: true });
    chmodSync(PLACE, 0o755);
  });
  beforeEach(() => {
    world = new World(PLACE);
    world.write("work/file");
    world.write("beside/secret", "secret\n");
    world.write("beside/other/public", "public\n");
  });
  afterEach(() => world.remove());
  after(() => rmSync(PLACE, { recursive: true, force: true }));

  /** Nothing is mounted but /proc and /dev, and the root is the host's, writable. */
  function loose({ sys = {}, ...options }: Spawn): Spawn {
    const { maskedPaths: _, readonlyPaths: __, mounts = [], ...rest } = sys;
    return {
      ...options,
      sys: {
        ...rest,
        rootfs: { path: "/" },
        mounts: mounts.filter(({ destination }) => ["/proc", "/dev"].includes(destination)),
      },
    };
  }

  async function run(script: string, ref: Ref, change = loose): Promise<string> {
    const profile = api.sandbox.resolveProfile(ref);
    const command = { file: "bash", args: ["-c", script], env: { PATH: "/usr/bin:/bin", LC_ALL: "C" } };
    // Beside the home folder: what is in that is writable to Landlock, as the home folder is the sandbox's own.
    const context = { workspace: join(world.root, "work"), home: world.home };
    const facts = await api.sandbox.readHostFacts(context, { profile, command });
    const options = change(api.sandbox.compile(command, profile, context, facts));
    const child = await api.spawn(command.file, command.args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    const [out, err] = await Promise.all([read(child.stdout), read(child.stderr), child.exited]);
    return out + err;
  }

  it("what is hidden can't be read, what is beside it can", async () => {
    const hide = [join(world.root, "beside/secret")];
    const script = `cat ${world.root}/beside/secret; cat ${world.root}/beside/other/public`;
    const profile: Ref = { extends: "build", filesystem: { hide } };
    assert.equal(await run(script, { ...profile, landlock: "off" }), "secret\npublic\n", "the mounts are loose");
    assert.match(await run(script, profile), /^public\ncat: .*secret: Permission denied\n$/);
  });

  it("what is only shown can't be changed, in any way", async () => {
    const beside = join(world.root, "beside");
    const changes = [
      `echo x > ${beside}/new`,
      `echo x >> ${beside}/secret`,
      `truncate -s 0 ${beside}/secret`,
      `rm ${beside}/secret`,
      `mkdir ${beside}/folder`,
      `ln -s x ${beside}/link`,
      `mkfifo ${beside}/fifo`,
      `mv ${beside}/secret file2`,
      `mv file ${beside}/file`,
      `ln ${beside}/secret hard`,
    ];
    const script = changes.map((line) => `(${line}) 2>/dev/null && echo "did: ${line}"`).join("; ");
    assert.equal(await run(script, "build"), "");
    assert.equal(readFileSync(join(beside, "secret"), "utf8"), "secret\n");
    assert.ok(existsSync(join(world.root, "work/file")));
  });

  it("the workspace of strict can't be changed, that of build can", async () => {
    const script = "echo x > made && mv made moved && mkdir -p a/b && mv moved a/b/ && cat a/b/moved && rm -r a";
    assert.match(await run(script, "strict"), /Permission denied/);
    assert.equal(await run(script, "build"), "x\n");
  });

  it("no port can be opened or reached without a network, though the namespace is the host's", async function () {
    if (abi < 4) skipBecause(this, "this kernel's Landlock has no rights to ports");
    const server = createServer((socket) => socket.end("hello\n"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const shared = (options: Spawn): Spawn => {
      const { loopback: _, ...sys } = loose(options).sys ?? {};
      return {
        ...options,
        sys: { ...sys, cloneflags: (sys.cloneflags ?? []).filter((flag) => flag !== "CLONE_NEWNET") },
      };
    };
    try {
      const script = `exec 3<>/dev/tcp/127.0.0.1/${port} && cat <&3`;
      assert.equal(await run(script, { extends: "strict", landlock: "off" }, shared), "hello\n");
      assert.match(await run(script, "strict", shared), /Permission denied/);
    } finally {
      server.close();
    }
  });
});

describe("sandbox, with both walls", () => {
  let world: World;

  before(function () {
    if (abi < 2) skipBecause(this, "this kernel has no Landlock that allows renaming (ABI 2)");
  });
  beforeEach(() => {
    world = new World();
  });
  afterEach(() => world.remove());

  it("the abstract sockets of the host are out of reach with its network, the others are not", async function () {
    if (abi < 6) skipBecause(this, "this kernel's Landlock has no scopes");
    const name = `sandbox-tasks-wall-${process.pid}`;
    const server = createServer((socket) => socket.end("hello\n"));
    await new Promise<void>((resolve) => server.listen(`\0${name}`, resolve));
    const script = `perl -MSocket -e 'socket(C, AF_UNIX, SOCK_STREAM, 0); connect(C, pack("Sa108", AF_UNIX, "\\0${name}")) or die $!; print <C>'`;
    try {
      assert.equal((await world.run(script, { extends: "install", landlock: "off" })).output, "hello\n");
      assert.match((await world.run(script, "install")).output, /Operation not permitted/);
    } finally {
      server.close();
    }
  });

  it("a compiler and make work", async function () {
    const tools = spawnSync("sh", ["-c", "command -v cc && command -v make"]);
    if (tools.status !== 0) skipBecause(this, "cc and make are not installed");
    writeFileSync(join(world.workspace, "a.c"), '#include <stdio.h>\nint main(void) { puts("built"); return 0; }\n');
    writeFileSync(join(world.workspace, "Makefile"), "out/a: a.c\n\tmkdir -p out && cc -o $@ $<\n");
    const { output, code } = await world.run("make -s && ./out/a && cp out/a /tmp/b && /tmp/b");
    assert.equal(code, 0, output);
    assert.equal(output, "built\nbuilt\n");
  });

  it("git, renames across folders, sockets, fifos and /proc/self work", async () => {
    world.write("home/project/out/a", "#!/bin/sh\necho run\n", 0o755);
    const { output, code } = await world.run(
      [
        "set -e",
        "./out/a",
        "git init -q . 2>/dev/null && git add out && git -c user.name=a -c user.email=b@c commit -qm x && git log --format=%s",
        "mv out/a b && ln b out/hard && mkfifo f && (echo through > f & cat f)",
        "echo 500 > /proc/self/oom_score_adj && cat /proc/self/oom_score_adj",
        "cp b /tmp/b && /tmp/b && mv /tmp/b /run/b && ls / > /dev/null && diff <(echo 1) <(echo 1)",
        "python3 -c 'import multiprocessing as m; p = m.Pool(2); print(sum(p.map(abs, [1, -2])))' 2>/dev/null || echo 3",
      ].join("; "),
    );
    assert.equal(code, 0, output);
    assert.equal(output, "run\nx\nthrough\n500\nrun\n3\n");
  });

  it("terminals work: stty, script, tty, and tmux where it is installed", async () => {
    const line =
      'stty size; tty; script -qec "stty -echo; echo in-script" /dev/null; if command -v tmux > /dev/null; then tmux -f /dev/null new-session -d "echo in-tmux > /tmp/t" && while ! grep -q . /tmp/t 2>/dev/null; do sleep 0.1; done; cat /tmp/t; else echo in-tmux; fi';
    const sandbox = await world.start(line, "build", { terminal: { columns: 90, rows: 30 } });
    let output = "";
    sandbox.process.terminal?.output.on("data", (chunk) => {
      output += chunk;
    });
    assert.equal((await sandbox.exited).code, 0, output);
    await until("the terminal's output", () => (output.includes("in-tmux") ? output : undefined));
    assert.match(output, /^30 90\r\n\/dev\/pts\/\d+\r\nin-script\r\n[\s\S]*in-tmux/);
  });

  it("a command that joins is as restricted, and both can signal each other", async () => {
    const sandbox = await world.start(
      "sleep 1000 & echo $! > /tmp/pid; wait; until test -e /tmp/said; do sleep 0.05; done",
    );
    const inside = async (script: string): Promise<string> => {
      const child = await sandbox.exec({ file: "sh", args: ["-c", script] });
      const [out, err] = await Promise.all([read(child.stdout), read(child.stderr), child.exited]);
      return out + err;
    };
    await until(
      "the first command has written",
      async () => (await inside("cat /tmp/pid")).match(/^\d+\n$/) ?? undefined,
    );
    assert.equal(await inside("kill -TERM $(cat /tmp/pid) && echo signalled && : > /tmp/said"), "signalled\n");
    await sandbox.exited;
  });
});
