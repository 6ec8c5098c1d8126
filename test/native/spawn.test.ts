// spawn() without any namespace: what child_process does, done by our own spawner.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { waitUntil } from "../support/processes";
import { api, children, inNamespaces, openFds, rejection, run, sh } from "./spawner-world";

describe("spawn", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "spawn-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  it("runs a command, with its output, its error output and its exit code", async () => {
    const { status, stdout, stderr } = await sh("echo out; echo err >&2; exit 3");
    assert.equal(stdout, "out\n");
    assert.equal(stderr, "err\n");
    assert.equal(status.code, 3);
    assert.equal(status.signal, null);
    assert.equal(status.coreDumped, false);
    assert.ok(status.wallTime > 0 && status.wallTime < 60);
    assert.ok(status.maxRss > 0);
    assert.equal(status.reason, undefined);
  });

  it("counts the processor time of the command", async () => {
    const { status } = await sh("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done");
    assert.ok(status.userTime > 0.01, `${status.userTime} s`);
    assert.ok(status.wallTime >= status.userTime / 2);
  });

  it("tells an end by a signal", async () => {
    const { status } = await sh("kill -SEGV $$");
    assert.equal(status.code, null);
    assert.equal(status.signal, "SIGSEGV");
  });

  it("passes input through and sees its end", async () => {
    const child = await api.spawn("cat");
    child.stdin?.end("to and fro\n");
    assert.ok(child.stdout);
    assert.equal(await text(child.stdout), "to and fro\n");
    assert.equal((await child.exited).code, 0);
  });

  it("loses no byte of a large output", async () => {
    const { stdout } = await sh("head -c 5000000 /dev/zero | tr '\\0' x");
    assert.equal(stdout.length, 5_000_000);
  });

  it("gives the environment, the working directory and argv[0] that were asked for", async () => {
    const env = { PATH: process.env.PATH, ONE: "1", EMPTY: "", UNSET: undefined, "with space": "ä\n" };
    const { stdout } = await run("env", ["-0"], { env });
    const variables = stdout.split("\0");
    for (const expected of ["ONE=1", "EMPTY=", "with space=ä\n"]) assert.ok(variables.includes(expected), expected);
    assert.ok(!stdout.includes("UNSET"));
    assert.equal((await run("pwd", [], { cwd: folder })).stdout, `${folder}\n`);
    assert.equal(
      (await run("/bin/sh", ["-c", "cat /proc/$$/cmdline"], { argv0: "other" })).stdout.split("\0")[0],
      "other",
    );
  });

  it("looks the command up on the child's PATH, past folders that lack it", async () => {
    writeFileSync(join(folder, "own-command"), "#!/bin/sh\necho found\n", { mode: 0o755 });
    const { stdout } = await run("own-command", [], { env: { PATH: `/nowhere:${folder}:/usr/bin:/bin` } });
    assert.equal(stdout, "found\n");
  });

  it("does with each stdio entry what it says", async () => {
    const file = join(folder, "log");
    const fd = openSync(file, "w");
    try {
      const child = await api.spawn("sh", ["-c", "echo to file; echo to five >&5; ls -l /proc/$$/fd >&1; cat <&0"], {
        stdio: ["ignore", fd, "inherit", null, null, "pipe"],
      });
      assert.equal(child.stdin, null);
      assert.equal(child.stdout, null);
      const five = child.stdio[5];
      assert.ok(five !== null && five !== undefined && "read" in five);
      assert.equal(await text(five), "to five\n");
      assert.equal((await child.exited).code, 0);
      const listing = readFileSync(file, "utf8");
      assert.match(listing, /^to file\n/);
      assert.match(listing, / 0 -> \/dev\/null/);
      assert.match(listing, / 5 -> socket/);
      assert.doesNotMatch(listing, / [346789] -> /);
    } finally {
      closeSync(fd);
    }
  });

  it("shuffles fds that stand in each other's way", async () => {
    const files = ["a", "b", "c"].map((name) => join(folder, `shuffle-${name}`));
    const [a, b, c] = files.map((file) => openSync(file, "w")) as [number, number, number];
    try {
      // Every order of the three, at numbers that overlap with their own.
      const stdio = Array.from({ length: Math.max(a, b, c) + 1 }, () => null) as (number | null)[];
      [stdio[a], stdio[b], stdio[c]] = [b, c, a];
      const line = `echo to-b >&${a}; echo to-c >&${b}; echo to-a >&${c}`;
      const child = await api.spawn("bash", ["-c", line], { stdio });
      assert.equal((await child.exited).code, 0);
      assert.deepEqual(
        files.map((file) => readFileSync(file, "utf8")),
        ["to-a\n", "to-b\n", "to-c\n"],
      );
    } finally {
      for (const fd of [a, b, c]) closeSync(fd);
    }
  });

  it("leaks no fd of ours into the child", async () => {
    const fd = openSync("/dev/zero", "r");
    try {
      const { stdout } = await run("ls", ["-l", "/proc/self/fd"]);
      assert.doesNotMatch(stdout, /zero|eventpoll|sandbox|pidfd/);
    } finally {
      closeSync(fd);
    }
  });

  it("starts the child with no signal blocked or ignored", async () => {
    const { stdout } = await run("grep", ["-E", "^Sig(Blk|Ign)", "/proc/self/status"]);
    assert.match(stdout, /SigBlk:\t0{16}\nSigIgn:\t0{16}\n/);
  });

  it("stays readable to its own user after it spawned (the dumpable flag)", async () => {
    await sh("true", { sys: { capabilities: {}, noNewPrivileges: true } }).catch(() => undefined);
    assert.ok(openFds().length > 0);
    assert.ok(readFileSync("/proc/self/environ").length > 0);
  });

  describe("kill", () => {
    it("sends a signal, once", async () => {
      const child = await api.spawn("sleep", ["1000"]);
      assert.ok(child.pidfd >= 0);
      assert.equal(child.kill(), true);
      const status = await child.exited;
      assert.equal(status.signal, "SIGTERM");
      assert.equal(status.reason, "killed");
      assert.equal(child.kill(), false);
      assert.equal(child.pidfd, -1);
    });

    it("refuses a signal that does not exist", async () => {
      await using child = await api.spawn("sleep", ["1000"]);
      assert.throws(() => child.kill("SIGNONE" as NodeJS.Signals), /Unknown signal: SIGNONE/);
      assert.throws(() => child.kill(999), { code: "EINVAL" });
    });

    it("comes with the end of a scope", async () => {
      let pid = 0;
      {
        await using child = await api.spawn("sleep", ["1000"]);
        pid = child.pid;
      }
      assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
    });

    it("comes when the time is over", async () => {
      const { status } = await run("sleep", ["1000"], { timeout: 1000 });
      assert.equal(status.signal, "SIGKILL");
      assert.equal(status.reason, "timeout");
    });

    it("comes when the signal is aborted, with the signal that was chosen", async () => {
      const controller = new AbortController();
      const child = await api.spawn("sleep", ["1000"], { signal: controller.signal, killSignal: "SIGINT" });
      controller.abort();
      assert.equal((await child.exited).signal, "SIGINT");
      await assert.rejects(api.spawn("true", [], { signal: controller.signal }), { name: "AbortError" });
    });
  });

  describe("failure", () => {
    it("names the step, the command and what to do when there is no such command", async () => {
      const error = await rejection(api.spawn("no-such-command", ["x"]));
      assert.equal(error.code, "ENOENT");
      assert.equal(error.errno, 2);
      assert.equal(error.syscall, "execve");
      assert.equal(error.step, "exec");
      assert.equal(error.index, error.steps);
      assert.match(error.message, /^exec no-such-command x .*: ENOENT, no such file or directory in execve\(2\)/);
      assert.match(error.remedy ?? "", /PATH/);
    });

    it("tells a file that may not be executed from one that is not there", async () => {
      writeFileSync(join(folder, "plain"), "#!/bin/sh\n", { mode: 0o644 });
      assert.equal((await rejection(api.spawn("plain", [], { env: { PATH: folder } }))).code, "EACCES");
      writeFileSync(join(folder, "binary"), "\x01\x02\x03", { mode: 0o755 });
      const error = await rejection(api.spawn(join(folder, "binary")));
      assert.equal(error.code, "ENOEXEC");
      assert.match(error.message, /exec format error/);
    });

    it("does not blame a folder of PATH that it may not search for a misspelt name", async () => {
      const locked = join(folder, "locked");
      mkdirSync(locked, { mode: 0o000 });
      const sys = inNamespaces([], { capabilities: {}, noNewPrivileges: true }).sys;
      const error = await rejection(api.spawn("no-such-command", [], { env: { PATH: locked }, sys }));
      assert.equal(error.code, "ENOENT");
    });

    it("names a working directory that does not exist", async () => {
      const error = await rejection(api.spawn("true", [], { cwd: "/no/such/folder" }));
      assert.equal(error.step, "cwd");
      assert.equal(error.path, "/no/such/folder");
      assert.match(error.message, /^cwd \/no\/such\/folder: ENOENT/);
    });

    it("leaves nothing behind", async () => {
      const before = openFds();
      for (const options of [{ cwd: "/no/such/folder" }, { sys: { umask: 0o22 } }] as const) {
        await rejection(api.spawn("no-such-command", [], options));
      }
      assert.deepEqual(children(), []);
      assert.deepEqual(openFds(), before);
    });
  });

  it("leaves no fd and no zombie behind after many, many at a time", async () => {
    await sh("true"); // the spawner's own thread, memory and pidfd exist from the first spawn on
    const before = openFds().length;
    await Promise.all(
      Array.from({ length: 64 }, (_, i) => sh(`echo ${i}`).then(({ stdout }) => assert.equal(stdout, `${i}\n`))),
    );
    await waitUntil("every stream is closed", () => openFds().length <= before);
    assert.deepEqual(children(), []);
  });

  it("does not disturb child_process", async () => {
    const theirs = spawn("sh", ["-c", "sleep 0.1; exit 7"]);
    const [ours, [code]] = await Promise.all([sh("exit 5"), once(theirs, "exit")]);
    assert.equal(ours.status.code, 5);
    assert.equal(code, 7);
  });
});
