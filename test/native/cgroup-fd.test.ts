// What a child that is born in a cgroup (sys.cgroupFD, CLONE_INTO_CGROUP) is held to there, by the kernel's controllers.
// A real hierarchy of version 2 is needed for most of it: npm run test:vm has one.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { LIBRARY, LIBRARY_NODE } from "../support/library";
import { withoutNamespaces } from "../support/no-namespaces";
import { waitUntil } from "../support/processes";
import { skipBecause } from "../support/skip";
import { cgroupMount, TestCgroup } from "./cgroup-world";
import { api, inNamespaces, isRoot, rejection, sh, WHOLE_ROOT } from "./spawner-world";

const MEGABYTE = 2 ** 20;

describe("a child that is born in a cgroup", () => {
  let cgroup: TestCgroup | undefined;
  afterEach(async () => {
    await cgroup?.remove();
    cgroup = undefined;
  });

  function make(context: Mocha.Context, settings: Readonly<Record<string, string>> = {}): TestCgroup {
    cgroup = TestCgroup.make(context, settings);
    return cgroup;
  }

  it("is killed when it takes more memory than memory.max, and the cgroup says so", async function () {
    const made = make(this, { "memory.max": String(32 * MEGABYTE), "memory.swap.max": "0" });
    const allocate = (megabytes: number) => `perl -e '$x = "x" x (${megabytes} << 20); print length $x'`;
    const sys = { cgroupFD: made.fd };
    assert.equal((await sh(`exec ${allocate(4)}`, { sys })).stdout, String(4 * MEGABYTE));
    assert.equal(made.figure("memory.events", "oom_kill"), 0);
    const { status, stdout } = await sh(`exec ${allocate(64)}`, { sys });
    assert.deepEqual([status.signal, stdout], ["SIGKILL", ""]);
    assert.equal(made.figure("memory.events", "oom_kill"), 1);
  });

  for (const [where, sys] of [
    ["alone", {}],
    ["in namespaces of its own", inNamespaces(["CLONE_NEWPID", "CLONE_NEWNS"], WHOLE_ROOT).sys],
  ] as const) {
    it(`can't have more descendants at a time than pids.max, ${where}`, async function () {
      const made = make(this, { "pids.max": "10" });
      const storm = "for i in $(seq 20); do setsid sleep 1000 & done; wait";
      const child = await api.spawn("sh", ["-c", storm], { stdio: "ignore", sys: { ...sys, cgroupFD: made.fd } });
      await waitUntil("a fork was refused", () => made.figure("pids.events", "max") > 0);
      assert.ok(made.members().length <= 10);
      made.write("cgroup.kill", "1");
      await child.exited;
    });
  }

  it("is refused for its namespaces, by name, where it is those that are refused", async function () {
    const made = make(this);
    const script = `const api = require(${JSON.stringify(LIBRARY)});
      const cgroupFD = require("node:fs").openSync(${JSON.stringify(made.path)}, "r");
      const own = (hostID) => [{ containerID: 0, hostID, size: 1 }];
      const ids = { uidMappings: own(process.getuid()), gidMappings: own(process.getgid()) };
      const sys = { cloneflags: ["CLONE_NEWUSER"], ...ids, cgroupFD };
      api.spawn("true", [], { sys }).catch(({ code, feature, remedy }) => console.log(code, feature, remedy));`;
    const [file = "", ...args] = withoutNamespaces([LIBRARY_NODE, "-e", script]);
    assert.match(execFileSync(file, args, { encoding: "utf8" }), /^\w+ user namespace .*sysctl/);
  });

  it("gets no more of a CPU than cpu.max", async function () {
    const made = make(this, { "cpu.max": "10000 100000" });
    await using child = await api.spawn("sh", ["-c", "while :; do :; done"], { sys: { cgroupFD: made.fd } });
    await waitUntil("it was held back ten times", () => made.figure("cpu.stat", "nr_throttled") >= 10);
    const [periods, used] = [made.figure("cpu.stat", "nr_periods"), made.figure("cpu.stat", "usage_usec")];
    // A tenth of each period of 100 ms, and as much again for what the scheduler takes back later.
    assert.ok(used <= (periods + 1) * 20_000, `${used} us in ${periods} periods`);
    assert.equal(child.kill("SIGKILL"), true);
    await child.exited;
  });

  it("runs on the CPUs of cpuset.cpus", async function () {
    const made = make(this, { "cpuset.cpus": "0" });
    const { stdout } = await sh("grep Cpus_allowed_list /proc/self/status", { sys: { cgroupFD: made.fd } });
    assert.match(stdout, /:\t0\n$/);
  });

  it("is frozen with its descendants, and goes on", async function () {
    const made = make(this);
    const child = await api.spawn("sh", ["-c", "cat; echo end"], { sys: { cgroupFD: made.fd } });
    assert.ok(child.stdin && child.stdout);
    const said = text(child.stdout);
    await waitUntil("the descendant is there", () => made.members().length === 2);
    made.write("cgroup.freeze", "1");
    await waitUntil("all are frozen", () => made.figure("cgroup.events", "frozen") === 1);
    child.stdin.end("gone on\n");
    made.write("cgroup.freeze", "0");
    await waitUntil("none is frozen", () => made.figure("cgroup.events", "frozen") === 0);
    assert.equal(await said, "gone on\nend\n");
    assert.equal((await child.exited).code, 0);
  });

  it("ends with its descendants when the cgroup is killed, in sessions of their own as well", async function () {
    const made = make(this);
    const child = await api.spawn("sh", ["-c", "for i in 1 2 3; do setsid sleep 1000 & done; wait"], {
      sys: { cgroupFD: made.fd },
    });
    await waitUntil("they are there", () => made.members().length === 4);
    made.write("cgroup.kill", "1");
    assert.equal((await child.exited).signal, "SIGKILL");
    await waitUntil("all have ended", () => made.figure("cgroup.events", "populated") === 0);
  });
});

describe("cgroupFD of an ordinary user", () => {
  it("is refused by name from outside of what is delegated, although a cgroup can be made there", async function () {
    if (isRoot) skipBecause(this, "root may");
    const uid = process.getuid?.();
    const service = join(cgroupMount(this), `user.slice/user-${uid}.slice/user@${uid}.service`);
    if (!existsSync(service)) skipBecause(this, "systemd runs no service manager for this user");
    const path = join(service, `sandbox-test-${process.pid}`);
    const own = await sh("cat /proc/self/cgroup");
    if (own.stdout.includes(`user@${uid}.service`)) skipBecause(this, "we are inside of what is delegated");
    mkdirSync(path);
    const fd = openSync(path, "r");
    try {
      const error = await rejection(api.spawn("true", [], { sys: { cgroupFD: fd } }));
      assert.deepEqual([error.step, error.code], ["clone3", "EACCES"]);
    } finally {
      closeSync(fd);
      rmdirSync(path);
    }
  });
});
