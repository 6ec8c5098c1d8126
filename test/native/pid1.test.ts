// PID 1 of a sandbox: what it passes on, what it reaps, and that everything ends with it.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { text } from "node:stream/consumers";
import { LIBRARY, LIBRARY_NODE } from "../support/library";
import { waitUntil } from "../support/processes";
import { api, children, inNamespaces, rejection, run, sh, WHOLE_ROOT } from "./spawner-world";

describe("PID 1", () => {
  const options = inNamespaces(["CLONE_NEWPID", "CLONE_NEWNS"], WHOLE_ROOT);

  it("passes on output, exit code and signals of the command", async () => {
    const { status, stdout } = await sh("echo $$; exit 42", options);
    assert.equal(stdout, "2\n");
    assert.equal(status.code, 42);
    assert.equal((await sh("kill -SEGV $$", options)).status.signal, "SIGSEGV");
  });

  it("passes signals on to the command, and ends with it", async () => {
    const child = await api.spawn(
      "sh",
      ["-c", "trap 'echo caught; exit 9' USR1; echo ready; while :; do sleep 0.01; done"],
      options,
    );
    assert.ok(child.stdout);
    const iterator = child.stdout[Symbol.asyncIterator]();
    assert.equal(String((await iterator.next()).value), "ready\n");
    child.kill("SIGUSR1");
    assert.equal(String((await iterator.next()).value), "caught\n");
    assert.equal((await child.exited).code, 9);
  });

  it("reaps orphans, and takes every process with it when the command ends", async () => {
    const { stdout, status } = await sh(
      "(sh -c 'true & exec sleep 0.05' &) ; sleep 0.2; ps -eo stat= | grep -c Z; setsid sleep 1000 & exit 0",
      options,
    );
    assert.equal(stdout, "0\n");
    assert.equal(status.code, 0);
  });

  it("is told to signal everybody inside at once", async () => {
    const child = await api.spawn(
      "sh",
      ["-c", "setsid sleep 1000 & setsid sleep 1000 & echo started; wait; wait"],
      options,
    );
    assert.ok(child.stdout);
    await child.stdout[Symbol.asyncIterator]().next();
    await waitUntil(
      "both sleep",
      async () => (await api.inspect.processes(child.pid)).filter((p) => p.name === "sleep").length === 2,
    );
    assert.equal(api.signalNamespace(child, "SIGTERM"), true);
    const { signal, reason } = await child.exited;
    assert.equal(signal, "SIGTERM");
    assert.equal(reason, "killed");
  });

  it("can't be traced, read or killed from inside", async () => {
    const { stdout } = await sh(
      "for f in exe root fd/0 environ mem; do head -c1 /proc/1/$f >/dev/null 2>&1 && echo read $f; done; kill -KILL 1; kill -STOP 1; echo alive",
      { sys: { ...options.sys, capabilities: {}, noNewPrivileges: true } },
    );
    assert.equal(stdout, "alive\n");
  });

  it("counts the memory and the time of what ran inside, and not ours", async () => {
    const { status } = await run("perl", ["-e", '$x = "x" x 50_000_000; for (1..2_000_000) { $y++ }'], options);
    assert.ok(status.maxRss > 45e6 && status.maxRss < 200e6, `${status.maxRss}`);
    assert.ok(status.userTime > 0.02, `${status.userTime}`);
    const small = await run("true", [], options);
    assert.ok(small.status.maxRss < 20e6, `${small.status.maxRss} for a small program`);
  });

  it("reports a failed exec as if there were no PID 1 between", async () => {
    const error = await rejection(api.spawn("no-such-command", [], options));
    assert.equal(error.step, "exec");
    assert.equal(error.code, "ENOENT");
    assert.equal(error.index, error.steps);
    assert.deepEqual(children(), []);
  });

  it("is left out on demand", async () => {
    const { stdout } = await sh("echo $$", { sys: { ...options.sys, init: false } });
    assert.equal(stdout, "1\n");
  });

  it("lets the reader see the end of the output when the command closes it", async () => {
    const child = await api.spawn("sh", ["-c", "echo last; exec >&- 2>&-; sleep 1000"], options);
    assert.ok(child.stdout);
    assert.equal(await text(child.stdout), "last\n");
    child.kill("SIGKILL");
    await child.exited;
  });

  it("goes when the thread that spawned it goes, with everything inside", async () => {
    // A process of its own that spawns and is then killed without a chance to clean up.
    const script = `
      const api = require(${JSON.stringify(LIBRARY)});
      api.spawn("sh", ["-c", "setsid sleep 1000 & sleep 1000"], ${JSON.stringify(options)}).then((p) => console.log(p.pid));`;
    const host = await api.spawn(LIBRARY_NODE, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    assert.ok(host.stdout);
    const pid = Number((await host.stdout[Symbol.asyncIterator]().next()).value);
    await waitUntil("all three run", async () => (await api.inspect.processes(pid)).length === 4);
    const inside = (await api.inspect.processes(pid)).map((process) => process.pid);
    host.kill("SIGKILL");
    await host.exited;
    await waitUntil("nothing is left", () => inside.every((process) => !existsSync(`/proc/${process}`)));
  });
});
