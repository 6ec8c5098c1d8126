// The rest of the contract: explain, probe, pidfds by hand, held namespaces, worker threads.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, readlinkSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { LIBRARY } from "../support/library";
import { waitUntil } from "../support/processes";
import { isGone } from "./proc-stat";
import { api, children, inNamespaces, openFds, rejection, sh } from "./spawner-world";

describe("explain", () => {
  it("lists the steps in their order, without running anything", () => {
    const options = inNamespaces(["CLONE_NEWPID", "CLONE_NEWNS"], { rootfs: {}, noNewPrivileges: true });
    const steps = api.explain("true", ["x"], options);
    const names = steps.map(({ name }) => name);
    const order = ["clone3", "id-map", "rootfs", "pivot_root", "no_new_privs", "fds"];
    assert.deepEqual(
      names.filter((name) => order.includes(name)),
      order,
    );
    assert.deepEqual(steps.at(-1), { name: "exec", detail: "true x (looked up on PATH)" });
    assert.deepEqual(children(), []);
  });

  it("counts its steps as the errors do", async () => {
    const error = await rejection(api.spawn("true", [], { cwd: "/nowhere" }));
    const step = api.explain("true", [], { cwd: "/nowhere" })[error.index - 1];
    assert.deepEqual(step, { name: "cwd", detail: "/nowhere" });
  });
});

describe("probe", () => {
  it("tries each feature and leaves nothing behind", async () => {
    await api.probe();
    const before = openFds().length;
    const features = await api.probe();
    assert.ok(features.length > 10);
    for (const { feature, available, errno, remedy } of features) {
      if (!available) assert.ok(errno !== undefined, `${feature}: ${remedy}`);
    }
    const has = (name: string) => features.find(({ feature }) => feature === name)?.available;
    assert.ok(has("user namespace"));
    // On a kernel where execve(2) does not enter it, too.
    assert.equal(has("time namespace"), spawnSync("unshare", ["--user", "--time", "true"]).status === 0);
    assert.equal(openFds().length, before);
    assert.deepEqual(children(), []);
  });
});

describe("pidfd", () => {
  it("is opened, signalled and waited for by hand", async () => {
    const child = spawn("sleep", ["1000"]);
    const pidfd = api.pidfdOpen(child.pid ?? 0);
    try {
      api.pidfdSendSignal(pidfd, 0);
      const gone = api.pidfdWait(pidfd);
      api.pidfdSendSignal(pidfd, "SIGTERM");
      const reaped = once(child, "exit"); // by libuv, whose child it is
      assert.equal((await gone).signal, "SIGTERM");
      await reaped;
      assert.throws(() => api.pidfdSendSignal(pidfd, 0), { code: "ESRCH" });
    } finally {
      closeSync(pidfd);
    }
  });

  it("can't be opened for a process that does not exist", () => {
    assert.throws(() => api.pidfdOpen(2 ** 22 + 1), { code: "ESRCH", syscall: "pidfd_open" });
  });
});

describe("holdNamespaces", () => {
  it("is never traced", async () => {
    const error = await rejection(api.holdNamespaces({ sys: { ptrace: true } }));
    assert.match(error.message, /^sys\.ptrace: can't be asked of a holder/);
  });

  it("keeps namespaces alive until it is released", async () => {
    const holder = await api.holdNamespaces(inNamespaces(["CLONE_NEWNET", "CLONE_NEWUTS"], { hostname: "held" }));
    assert.notEqual(readlinkSync(`/proc/${holder.pid}/ns/net`), readlinkSync("/proc/self/ns/net"));
    assert.ok(holder.pidfd >= 0);
    await holder.release();
    assert.throws(() => process.kill(holder.pid, 0), { code: "ESRCH" });
  });
});

describe("worker threads", () => {
  const script = `
    const { parentPort } = require("node:worker_threads");
    const api = require(${JSON.stringify(LIBRARY)});
    (async () => {
      const codes = await Promise.all(Array.from({length: 8}, async (_, i) => (await (await api.spawn("sh", ["-c", "exit " + i])).exited).code));
      const left = await api.spawn("sleep", ["1000"], { sys: { pdeathsig: "SIGKILL" } });
      parentPort.postMessage({ codes, pid: left.pid });
    })();`;

  it("spawn beside each other, and take what they left running with them", async () => {
    await sh("true");
    const before = openFds().length;
    const workers = Array.from({ length: 3 }, () => new Worker(script, { eval: true }));
    const answers = (await Promise.all(workers.map((worker) => once(worker, "message")))) as [
      { codes: number[]; pid: number },
    ][];
    for (const [{ codes }] of answers) assert.deepEqual(codes, [0, 1, 2, 3, 4, 5, 6, 7]);
    await Promise.all(workers.map((worker) => worker.terminate()));
    await waitUntil("their children are gone", () => answers.every(([{ pid }]) => isGone(pid)));
    await waitUntil("their fds are closed", () => openFds().length <= before);
  });
});
