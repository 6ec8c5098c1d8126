// The owner of a tree (sys.subreaper): whatever the command starts ends with it, without a PID namespace, and neither the
// owner nor its guard nor anybody else can be reached from inside.

import assert from "node:assert/strict";
import { type ChildProcess, spawn as nodeSpawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { LIBRARY_NODE } from "../support/library";
import { MARK, markedProcesses, waitUntil } from "../support/processes";
import { skipBecause } from "../support/skip";
import { api, canOwn, isRoot, type Options, OWNED, rejection, run, sh } from "./spawner-world";

/** Escapes a process-group kill and its parent: a session of its own, whose parent has ended. */
const RUNAWAY = "(setsid sleep 1000 &) ; (setsid sh -c 'trap \"\" TERM HUP INT; (setsid sleep 1000 &); sleep 1000' &) ";

/** Programs that fork as fast as they can and end, each in a session of its own, so that no list of them is ever right. */
const STORM = 'storm() { setsid sh -c "$1" "$1" & }; f=\'(setsid sh -c "$0" "$0" &) ; exit\'; storm "$f"; storm "$f"; ';

async function sayingReady(line: string, options: Options): Promise<Awaited<ReturnType<typeof api.spawn>>> {
  const child = await api.spawn("sh", ["-c", line], options);
  assert.ok(child.stdout);
  assert.match(String((await child.stdout[Symbol.asyncIterator]().next()).value), /^ready/);
  return child;
}

describe("subreaper", () => {
  let mark: string;
  let options: Options;
  before(async function () {
    if (!(await canOwn())) skipBecause(this, "Landlock without a scope of signals (ABI 6)");
  });
  beforeEach(() => {
    mark = randomUUID();
    options = { sys: OWNED, env: { ...process.env, [MARK]: mark } };
  });
  const left = (): string =>
    markedProcesses(mark)
      .map(({ pid, command }) => `${pid} ${command}`)
      .join("\n");

  it("passes on output, exit code and signals of the command", async () => {
    const { status, stdout } = await sh("echo out; exit 42", options);
    assert.equal(stdout, "out\n");
    assert.equal(status.code, 42);
    assert.equal((await sh("kill -SEGV $$", options)).status.signal, "SIGSEGV");
    const error = await rejection(api.spawn("no-such-command", [], options));
    assert.equal(`${error.step} ${error.code}`, "exec ENOENT");
  });

  it("ends every process with the command, and only then says that it has ended", async () => {
    const { status } = await sh(`${RUNAWAY}; sleep 0.2`, options);
    assert.equal(status.code, 0);
    assert.equal(left(), "");
  });

  it("ends all of them when it is killed, or its time is up", async () => {
    const child = await sayingReady(`${RUNAWAY}; sleep 0.2; echo ready; sleep 1000`, options);
    assert.ok(markedProcesses(mark).length >= 4, left());
    assert.equal(child.kill("SIGKILL"), true);
    const { signal, reason } = await child.exited;
    assert.equal(`${signal} ${reason}`, "SIGKILL killed");
    assert.equal(left(), "");
    assert.equal(child.kill("SIGKILL"), false);

    const { status } = await sh(`${RUNAWAY}; sleep 1000`, { ...options, timeout: 1500 });
    assert.equal(`${status.signal} ${status.reason}`, "SIGKILL timeout");
    assert.equal(left(), "");
  });

  it("ends a storm of forks", async () => {
    const child = await sayingReady(`${STORM} sleep 0.3; echo ready; sleep 1000`, options);
    const begun = performance.now();
    child.kill("SIGKILL");
    await child.exited;
    assert.equal(left(), "");
    assert.ok(performance.now() - begun < 10_000);
  });

  it("ends them though its command has filled the user's queue of signals", async () => {
    const fill =
      'use POSIX; sigprocmask(SIG_BLOCK, POSIX::SigSet->new(40)); kill 40, $$ for 1 .. 200_000; $| = 1; print "ready\\n"; sleep 1000';
    const child = await sayingReady(`trap "" TERM; ${RUNAWAY}; perl -e '${fill}'`, options);
    assert.equal(api.signalNamespace(child, "SIGTERM"), true);
    assert.equal(child.kill("SIGKILL"), true);
    await child.exited;
    await waitUntil("nothing of it runs", () => left() === "");
  });

  it("its guard ends them when the owner itself is killed", async () => {
    const child = await sayingReady(`${RUNAWAY}; ${STORM} sleep 0.3; echo ready; sleep 1000`, options);
    assert.ok(left() !== "");
    process.kill(child.pid, "SIGKILL");
    await child.exited;
    await waitUntil("nothing of it runs", () => left() === "");
  });

  it("ends them when the editor is killed", async () => {
    const host = resolve("out/test/native/hosts/owner.js");
    const editor: ChildProcess = nodeSpawn(LIBRARY_NODE, [host, `${RUNAWAY}; ${STORM} sleep 1000`], {
      env: { ...process.env, [MARK]: mark },
      stdio: ["ignore", "pipe", "inherit"],
    });
    assert.ok(editor.stdout);
    await once(editor.stdout, "data");
    await waitUntil("the tree has grown", () => markedProcesses(mark).length > 4);
    editor.kill("SIGKILL");
    await waitUntil("nothing of it runs", () => left() === "");
  });

  it("signals everybody inside at once, and nobody else", async () => {
    const outsider = nodeSpawn("sleep", ["1000"], { stdio: "ignore" });
    try {
      const child = await sayingReady(
        "trap 'exit 7' USR1; for i in 1 2; do setsid sh -c 'trap \"exit\" USR1; while :; do sleep 0.02; done' & done; echo ready; wait; wait; while :; do sleep 0.02; done",
        options,
      );
      assert.equal(api.signalNamespace(child, "SIGUSR1"), true);
      assert.equal((await child.exited).code, 7);
      assert.equal(left(), "");
      assert.equal(outsider.exitCode ?? outsider.signalCode, null);
    } finally {
      outsider.kill("SIGKILL");
    }
  });

  it("can't be signalled, traced or read from inside, and neither can anybody outside", async () => {
    const line = [
      "owner=$(awk '{ print $4 }' /proc/$$/stat)",
      `for pid in $owner $(ps -o pid= --ppid $owner) ${process.pid} 1; do test $pid = $$ || { kill -KILL $pid; kill -STOP $pid; kill -0 $pid; }; done 2>/dev/null && echo reached`,
      `for f in environ mem maps fd/0; do head -c1 /proc/$owner/$f >/dev/null 2>&1 && echo read $f; done`,
      "kill -KILL -1 2>/dev/null; echo alive",
    ].join("; ");
    // Root's capabilities see into every process.
    const capabilities = isRoot ? {} : { keepBounding: true };
    const { stdout, status } = await sh(line, { ...options, sys: { ...OWNED, capabilities } });
    // kill -1 of bash's builtin spares the shell itself, and reaches nobody else.
    assert.equal(stdout, "alive\n");
    assert.equal(status.code, 0);
  });

  it("has the terminal, Ctrl-C and its size", async () => {
    const child = await api.spawn(
      "sh",
      ["-c", "stty size; trap 'echo interrupted; exit 3' INT; echo ready; while :; do sleep 0.02; done"],
      {
        ...options,
        terminal: { columns: 99, rows: 33 },
      },
    );
    let shown = "";
    child.terminal?.output.on("data", (chunk: Buffer) => {
      shown += chunk;
    });
    await waitUntil("it is ready", () => shown.includes("ready"));
    const closed = new Promise((done) => child.terminal?.output.once("close", done));
    child.terminal?.write("\x03");
    assert.equal((await child.exited).code, 3);
    await closed;
    assert.match(shown, /^33 99/);
    assert.match(shown, /interrupted/);
  });

  it("may have the right to its own terminal, by itself", async () => {
    const landlock: NonNullable<typeof OWNED.landlock> = {
      handledAccessFs: ["read_file", "write_file"],
      scoped: ["signal"],
      rules: [{ path: "/usr", access: ["read_file"] }],
    };
    const tries = async (more: object): Promise<string> => {
      const child = await api.spawn("sh", ["-c", "echo written > /dev/stderr; echo done"], {
        ...options,
        sys: { ...OWNED, landlock: { ...landlock, ...more } },
        terminal: { columns: 80, rows: 24 },
      });
      let shown = "";
      child.terminal?.output.on("data", (chunk: Buffer) => {
        shown += chunk;
      });
      const closed = new Promise((done) => child.terminal?.output.once("close", done));
      await child.exited;
      await closed;
      return shown;
    };
    assert.doesNotMatch(await tries({}), /^written/m);
    assert.match(await tries({ terminal: ["read_file", "write_file"] }), /^written/m);
  });

  it("leaves the bounding set alone where it is told to, and nothing else", async () => {
    const { stdout } = await run("grep", ["Cap", "/proc/self/status"], {
      ...options,
      sys: { ...OWNED, capabilities: { keepBounding: true } },
    });
    const own = readFileSync("/proc/self/status", "utf8");
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapAmb"]) assert.match(stdout, new RegExp(`${set}:\\s+0+$`, "m"));
    const bounding = (text: string): string | undefined => /CapBnd:\s+(\w+)/.exec(text)?.[1];
    assert.equal(bounding(stdout), bounding(own));
  });

  it("leaves no process of its own", async () => {
    await run("sleep", ["0.1"], options);
    const helpers = (await api.inspect.processes(process.pid)).filter(({ name }) => name === "sandbox-init");
    assert.deepEqual(helpers, []);
  });
});
