// A traced child: it stops at its execve, goes on when it is told to, and every request comes from the thread that
// started it, which is the only one that ptrace(2) heeds.

import assert from "node:assert/strict";
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { text } from "node:stream/consumers";
import { LIBRARY, LIBRARY_NODE } from "../support/library";
import { waitUntil } from "../support/processes";
import { skipBecause } from "../support/skip";
import { isGone, procStat } from "./proc-stat";
import { api, children, inNamespaces, isRoot, type Options, openFds, rejection, type Sys, sh } from "./spawner-world";

type Traced = Awaited<ReturnType<typeof api.spawn>> & {
  tracee: NonNullable<Awaited<ReturnType<typeof api.spawn>>["tracee"]>;
};

async function trace(file: string, args: string[] = [], options: Options = {}): Promise<Traced> {
  const child = await api.spawn(file, args, { ...options, sys: { ...options.sys, ptrace: true } });
  assert.ok(child.tracee);
  return Object.assign(child, { tracee: child.tracee });
}

const traceSh = (line: string, options: Options = {}): Promise<Traced> => trace("sh", ["-c", line], options);

const tracerOf = (pid: number): number =>
  Number(/^TracerPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);

async function rejected(promise: Promise<unknown>): Promise<string> {
  return (await rejection(promise)).code;
}

describe("ptrace", () => {
  it("stops the child at its execve, before its first instruction, traced by the spawner's own thread", async () => {
    const child = await traceSh("echo ran");
    assert.deepEqual(await child.tracee.nextStop(), { signal: "SIGTRAP" });
    assert.equal(procStat(child.pid).state, "t"); // stopped by its tracer (proc_pid_stat(5))
    assert.match(readlinkSync(`/proc/${child.pid}/exe`), /sh$/); // the command's program is in place
    assert.deepEqual(readFileSync(`/proc/${child.pid}/cmdline`, "utf8").split("\0"), ["sh", "-c", "echo ran", ""]);
    const tracer = tracerOf(child.pid);
    assert.equal(readFileSync(`/proc/self/task/${tracer}/comm`, "utf8"), "spawner\n");
    await child.tracee.continue();
    assert.ok(child.stdout);
    assert.equal(await text(child.stdout), "ran\n");
    assert.equal((await child.exited).code, 0);
  });

  it("waits for as long as nobody lets it go on, and is reported once", async () => {
    const child = await traceSh("echo ran");
    await child.tracee.nextStop();
    let output = "";
    child.stdout?.on("data", (chunk) => {
      output += String(chunk);
    });
    await sh("sleep 0.2"); // other children come and go meanwhile
    assert.deepEqual([output, procStat(child.pid).state], ["", "t"]);
    await child.tracee.continue();
    assert.equal(await child.tracee.nextStop(), null);
    assert.equal((await child.exited).code, 0);
    assert.equal(output, "ran\n");
  });

  it("tells every signal before it arrives, and it arrives only when it is passed on", async () => {
    const line = "trap 'echo caught' USR1; kill -USR1 $$; kill -USR1 $$; echo end; exit 3";
    const child = await traceSh(line);
    const seen: (string | undefined)[] = [(await child.tracee.nextStop())?.signal];
    await child.tracee.continue();
    seen.push((await child.tracee.nextStop())?.signal);
    await child.tracee.continue(); // the first is kept from it
    seen.push((await child.tracee.nextStop())?.signal);
    await child.tracee.continue("SIGUSR1");
    seen.push((await child.tracee.nextStop())?.signal);
    assert.deepEqual(seen, ["SIGTRAP", "SIGUSR1", "SIGUSR1", undefined]);
    assert.ok(child.stdout);
    assert.equal(await text(child.stdout), "caught\nend\n");
    assert.equal((await child.exited).code, 3);
  });

  it("lets another signal be delivered in place of one", async () => {
    const child = await traceSh("kill -USR1 $$; echo survived");
    await child.tracee.nextStop();
    await child.tracee.continue();
    assert.deepEqual(await child.tracee.nextStop(), { signal: "SIGUSR1" });
    await child.tracee.continue("SIGTERM");
    assert.equal((await child.exited).signal, "SIGTERM");
  });

  it("stops at each further execve of the command", async () => {
    const child = await traceSh("exec sh -c 'exec true'");
    const signals = [];
    for (let stop = await child.tracee.nextStop(); stop !== null; stop = await child.tracee.nextStop()) {
      signals.push(stop.signal);
      await child.tracee.continue();
    }
    assert.deepEqual(signals, ["SIGTRAP", "SIGTRAP", "SIGTRAP"]);
    assert.equal((await child.exited).code, 0);
  });

  it("is over after detach, and the child runs on as any other", async () => {
    const child = await traceSh("trap 'exit 7' USR1; echo ready; while :; do sleep 0.01; done");
    await child.tracee.nextStop();
    await child.tracee.detach();
    assert.equal(await child.tracee.nextStop(), null);
    assert.equal(tracerOf(child.pid), 0);
    assert.ok(child.stdout);
    await child.stdout[Symbol.asyncIterator]().next();
    child.kill("SIGUSR1");
    assert.equal((await child.exited).code, 7);
  });

  it("detaches with a signal, for another debugger to find it stopped", async () => {
    const child = await traceSh("exit 5");
    await child.tracee.nextStop();
    await child.tracee.detach("SIGSTOP");
    await waitUntil("it is stopped", () => procStat(child.pid).state === "T");
    assert.equal(tracerOf(child.pid), 0);
    child.kill("SIGCONT");
    assert.equal((await child.exited).code, 5);
  });

  it("refuses requests to one that runs or has ended, by ESRCH", async () => {
    const child = await trace("sleep", ["1000"]);
    await child.tracee.nextStop();
    await child.tracee.continue();
    assert.equal(await rejected(child.tracee.continue()), "ESRCH");
    child.kill("SIGKILL");
    await child.exited;
    assert.equal(await child.tracee.nextStop(), null);
    assert.equal(await rejected(child.tracee.continue()), "ESRCH");
    assert.equal(await rejected(child.tracee.detach()), "ESRCH");
  });

  it("keeps several children apart that stop and go on in any order", async () => {
    const count = 12;
    const traced = await Promise.all(
      Array.from({ length: count }, (_, i) => traceSh(`kill -USR1 $$; kill -USR2 $$; echo ${i}; exit ${i}`)),
    );
    for (const { tracee } of traced) assert.deepEqual(await tracee.nextStop(), { signal: "SIGTRAP" });
    const order = traced.map((child, i) => ({ child, i })).sort((a, b) => ((a.i * 7) % count) - ((b.i * 7) % count));
    await Promise.all(
      order.map(async ({ child, i }) => {
        await child.tracee.continue();
        assert.deepEqual(await child.tracee.nextStop(), { signal: "SIGUSR1" });
        await child.tracee.continue();
        assert.deepEqual(await child.tracee.nextStop(), { signal: "SIGUSR2" });
        await (i % 2 === 0 ? child.tracee.continue() : child.tracee.detach());
        assert.equal((await child.exited).code, i);
      }),
    );
    assert.deepEqual(children(), []);
  });

  it("holds up no other spawn while a child is stopped or runs", async () => {
    const stopped = await traceSh("exit 0");
    await stopped.tracee.nextStop();
    const running = await trace("sleep", ["1000"]);
    await running.tracee.nextStop();
    await running.tracee.continue();
    const waiting = running.tracee.nextStop();
    const codes = await Promise.all(
      Array.from({ length: 8 }, (_, i) => sh(`exit ${i}`).then(({ status }) => status.code)),
    );
    assert.deepEqual(codes, [0, 1, 2, 3, 4, 5, 6, 7]);
    running.kill("SIGKILL");
    assert.deepEqual(await waiting.then((stop) => stop?.signal ?? null), null);
    stopped.kill("SIGKILL");
    assert.equal((await stopped.exited).signal, "SIGKILL");
    await running.exited;
  });

  it("ends by timeout and by kill while it is stopped", async () => {
    const late = await trace("true", [], { timeout: 1000 });
    await late.tracee.nextStop();
    const { signal, reason } = await late.exited;
    assert.deepEqual([signal, reason], ["SIGKILL", "timeout"]);
    assert.equal(await late.tracee.nextStop(), null);
  });

  it("works with namespaces, maps and capabilities", async () => {
    const options = inNamespaces(["CLONE_NEWUTS", "CLONE_NEWNET"], { hostname: "traced" });
    const child = await traceSh("hostname", options);
    assert.deepEqual(await child.tracee.nextStop(), { signal: "SIGTRAP" });
    await child.tracee.continue();
    assert.ok(child.stdout);
    // hostname is another process, which nobody traces; the shell stops at its SIGCHLD.
    for (let stop = await child.tracee.nextStop(); stop !== null; stop = await child.tracee.nextStop()) {
      await child.tracee.continue(stop.signal as NodeJS.Signals);
    }
    assert.equal(await text(child.stdout), "traced\n");
  });

  it("works for a command of another user", async function () {
    if (!isRoot) skipBecause(this, "only root may change to another user");
    const sys: Sys = { credential: { uid: 4711, gid: 4711 } };
    const child = await trace("id", ["-u"], { sys });
    assert.deepEqual(await child.tracee.nextStop(), { signal: "SIGTRAP" });
    await child.tracee.continue();
    assert.ok(child.stdout);
    assert.equal(await text(child.stdout), "4711\n");
  });

  it("reports a command that does not exist, and leaves nothing behind", async () => {
    await sh("true");
    const before = openFds().length;
    const error = await rejection(trace("no-such-command"));
    assert.deepEqual([error.step, error.code], ["exec", "ENOENT"]);
    const child = await trace("true");
    await child.tracee.continue();
    await child.exited;
    for (const stream of child.stdio) stream?.destroy();
    await waitUntil("every fd is closed", () => openFds().length <= before);
    assert.deepEqual(children(), []);
  });

  it("kills the child when we end, stopped or running", async () => {
    const script = `
      const api = require(${JSON.stringify(LIBRARY)});
      (async () => {
        const sys = { ptrace: true };
        const stopped = await api.spawn("sleep", ["1000"], { sys });
        const running = await api.spawn("sleep", ["1000"], { sys });
        await running.tracee.nextStop();
        await running.tracee.continue();
        console.log(JSON.stringify([stopped.pid, running.pid]));
      })();`;
    const host = await api.spawn(LIBRARY_NODE, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    assert.ok(host.stdout);
    const pids = JSON.parse(String((await host.stdout[Symbol.asyncIterator]().next()).value)) as number[];
    assert.equal(pids.filter((pid) => existsSync(`/proc/${pid}`)).length, 2);
    host.kill("SIGKILL");
    await host.exited;
    await waitUntil("both are gone", () => pids.every(isGone));
  });
});
