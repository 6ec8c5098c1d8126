// The rest of the contract: validate, explain, probe, pidfds by hand, held namespaces, worker threads.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, readFileSync, readlinkSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { LIBRARY } from "../support/library";
import { waitUntil } from "../support/processes";
import { api, children, inNamespaces, type Options, openFds, rejection, sh } from "./spawner-world";

/** Options that the types forbid, as they come from a user's JSON. */
const untyped = (json: string): Options => JSON.parse(json) as Options;

describe("validate", () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    [
      '{"sys":{"uidMappings":[{"containerID":0,"hostID":0,"size":0}]}}',
      "sys.uidMappings[0].size",
      /must be at least 1/,
    ],
    [
      '{"sys":{"cloneflags":["CLONE_NEWPIDS"]}}',
      "sys.cloneflags[0]",
      /"CLONE_NEWPIDS" \(did you mean "CLONE_NEWPID"\?\)/,
    ],
    ['{"sys":{"cloneflag":[]}}', "sys.cloneflag", /unknown option \(did you mean "cloneflags"\?\)/],
    ['{"stdoi":"pipe"}', "stdoi", /did you mean "stdio"/],
    ['{"cwd":7}', "cwd", /must be a string/],
    ['{"cwd":"a\\u0000b"}', "cwd", /NUL/],
    ['{"env":{"A=B":"x"}}', "env.A=B", /name of a variable/],
    ['{"terminal":{"columns":0,"rows":24}}', "terminal.columns", /at least 1/],
    ['{"terminal":{"columns":80,"rows":24},"stdio":"pipe"}', "stdio", /excludes terminal/],
    ['{"sys":{"hostname":"x"}}', "sys.hostname", /needs CLONE_NEWUTS/],
    ['{"sys":{"rootfs":{}}}', "sys.rootfs", /needs CLONE_NEWNS/],
    ['{"sys":{"loopback":true}}', "sys.loopback", /needs CLONE_NEWNET/],
    ['{"sys":{"init":true}}', "sys.init", /needs CLONE_NEWPID/],
    ['{"sys":{"rlimits":[{"type":"RLIMIT_NOFILES","soft":1,"hard":1}]}}', "sys.rlimits[0].type", /RLIMIT_NOFILE/],
    ['{"sys":{"rlimits":[{"type":"RLIMIT_NOFILE","soft":2,"hard":1}]}}', "sys.rlimits[0].soft", /above the hard limit/],
    [
      '{"sys":{"cloneflags":["CLONE_NEWNS"],"mounts":[{"destination":"etc","type":"tmpfs"}]}}',
      "sys.mounts[0].destination",
      /absolute/,
    ],
    ['{"sys":{"cloneflags":["CLONE_NEWNS"],"mounts":[{"destination":"/etc"}]}}', "sys.mounts[0].type", /must be given/],
    ['{"sys":{"seccomp":{}}}', "sys.seccomp", /unknown option/],
  ];
  for (const [json, path, message] of cases) {
    it(`names ${path} in ${json}`, async () => {
      const [problem] = api.validate(untyped(json));
      assert.equal(problem?.path, path);
      assert.match(problem?.message ?? "", message);
      const error = await rejection(api.spawn("true", [], untyped(json)));
      assert.equal(error.step, "validate");
      assert.ok(error.message.startsWith(`${path}: `), error.message);
    });
  }

  it("finds nothing wrong with sound options", () => {
    assert.deepEqual(api.validate({}), []);
    assert.deepEqual(api.validate(inNamespaces(["CLONE_NEWPID", "CLONE_NEWNS"], { rootfs: {} })), []);
  });

  it("refuses a NUL in the command and its arguments", async () => {
    assert.match((await rejection(api.spawn("tr\0ue"))).message, /^file: must not contain a NUL byte/);
    assert.match((await rejection(api.spawn("true", ["a", "b\0"]))).message, /^args\[1\]: must not contain a NUL byte/);
  });
});

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
    assert.ok(features.find(({ feature }) => feature === "user namespace")?.available);
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

/** Dead: reaped, or a zombie that nobody waits for any more. */
function isGone(pid: number): boolean {
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}
