// The pure parts of limits through a cgroup: what is written where, which limit ended a command, whose a cgroup is, and
// what is said when a controller is missing.

import assert from "node:assert/strict";
import { limitReached, parseKeyed } from "../../src/sandbox/cgroups/events";
import type { Search } from "../../src/sandbox/cgroups/find";
import { bfqWeight } from "../../src/sandbox/cgroups/io-weight";
import { makerOf, nextName } from "../../src/sandbox/cgroups/names";
import { controllerRefusal, type Machine } from "../../src/sandbox/cgroups/refusal";
import { cgroupSettings, neededControllers } from "../../src/sandbox/cgroups/settings";
import type { ExitStatus } from "../../src/spawner/types";
import { compiled, mountsOf } from "./compiled";

describe("limits as files of a cgroup", () => {
  const files = (limits: Parameters<typeof cgroupSettings>[0]): Record<string, string> =>
    Object.fromEntries(cgroupSettings(limits).map(({ file, value }) => [file, value]));

  it("memory is what it says: no swap beyond it unless asked for, and all of the sandbox ends with it", () => {
    const memory = { "memory.oom.group": "1", "memory.swap.max": "0", "memory.max": String(2 ** 31) };
    assert.deepEqual(files({ memory: "2G" }), memory);
    assert.deepEqual(files({ memory: 2 ** 31 }), memory);
    assert.deepEqual(files({ memory: "2G", swap: "1M" }), { ...memory, "memory.swap.max": "1048576" });
  });

  it("processes, CPUs in fractions, weight", () => {
    assert.deepEqual(files({ pids: 512, cpus: 1.5, ioWeight: 50 }), {
      "pids.max": "512",
      "cpu.max": "150000 100000",
      "io.weight": "default 50",
    });
    assert.deepEqual(files({ cpus: 0.01 }), { "cpu.max": "1000 100000" });
  });

  it("no limit of these: no file and no controller", () => {
    assert.deepEqual(cgroupSettings({ wallTime: "1m", cpuTime: "1s", openFiles: 9, fileSize: "1M" }), []);
  });

  it("name the controller that each needs, with the key that the user wrote", () => {
    const needed = neededControllers(cgroupSettings({ memory: "1G", pids: 5, cpus: 1, ioWeight: 7 }));
    assert.deepEqual(
      [...needed],
      [
        ["memory", "memory"],
        ["pids", "pids"],
        ["cpu", "cpus"],
        ["io", "ioWeight"],
      ],
    );
  });

  it("are given BFQ on its own scale, with the same default", () => {
    assert.deepEqual([1, 50, 100, 10_000].map(bfqWeight), [1, 50, 100, 1000]);
  });

  it("swap alone is refused: it is beyond the memory", () => {
    assert.throws(() => compiled({ extends: "build", limits: { swap: "1G" } }), {
      name: "ProfileError",
      path: "limits.swap",
    });
  });
});

describe("which limit ended a command", () => {
  const good: ExitStatus = {
    code: 0,
    signal: null,
    coreDumped: false,
    wallTime: 9,
    userTime: 5,
    systemTime: 1,
    maxRss: 0,
  };
  const failed: ExitStatus = { ...good, code: 1 };
  const killed: ExitStatus = { ...good, code: null, signal: "SIGKILL" };
  const quiet = { oomKills: 0, refusedForks: 0 };

  it("memory, where the kernel killed for it", () => {
    const events = { oomKills: 3, refusedForks: 0 };
    assert.equal(limitReached(killed, { memory: "1G" }, events), "memory");
    assert.equal(limitReached({ ...killed, reason: "killed" }, { memory: "1G" }, events), "memory");
    assert.equal(
      limitReached(good, { memory: "1G" }, events),
      undefined,
      "one that joined was killed, not the command",
    );
    assert.equal(limitReached(killed, { memory: "1G" }, quiet), undefined);
  });

  it("processes, where a fork was refused and the command failed", () => {
    const events = { oomKills: 0, refusedForks: 1 };
    assert.equal(limitReached(failed, { pids: 5 }, events), "pids");
    assert.equal(limitReached(good, { pids: 5 }, events), undefined, "it got over it");
    assert.equal(limitReached({ ...killed, reason: "killed" }, { pids: 5 }, events), "killed");
  });

  it("CPU time, by its signal, by what a shell makes of that, or by SIGKILL once it is used up", () => {
    const limits = { cpuTime: "5s" };
    assert.equal(limitReached({ ...killed, signal: "SIGXCPU" }, limits, undefined), "cpuTime");
    assert.equal(limitReached({ ...failed, code: 152 }, limits, undefined), "cpuTime");
    assert.equal(limitReached(killed, limits, undefined), "cpuTime");
    assert.equal(limitReached({ ...killed, userTime: 1 }, limits, undefined), undefined);
    assert.equal(
      limitReached({ ...killed, signal: "SIGXCPU" }, {}, undefined),
      undefined,
      "a limit of somebody else's",
    );
    assert.equal(limitReached({ ...killed, reason: "killed" }, limits, undefined), "killed");
  });

  it("wall time above all", () => {
    const events = { oomKills: 1, refusedForks: 1 };
    assert.equal(limitReached({ ...killed, reason: "timeout" }, { memory: "1G" }, events), "timeout");
  });

  it("reads the kernel's counters", () => {
    assert.deepEqual(
      [...parseKeyed("low 0\noom_kill 2\n")],
      [
        ["low", 0],
        ["oom_kill", 2],
      ],
    );
    assert.deepEqual([...parseKeyed("")], []);
  });
});

describe("the name of a cgroup", () => {
  it("says who made it, and is never used twice", () => {
    const [one, other] = [nextName(), nextName()];
    assert.notEqual(one, other);
    assert.equal(makerOf(one)?.pid, process.pid);
    assert.deepEqual(makerOf(one), makerOf(other));
  });

  it("is ours only when it is exactly that", () => {
    for (const name of [
      "sandbox-tasks-1-2-3-4x",
      "sandbox-tasks-1-2-3",
      "sandbox-tasks-1-2-3.scope",
      "user.slice",
      "xsandbox-tasks-1-2-3-4",
    ]) {
      assert.equal(makerOf(name), undefined, name);
    }
    assert.deepEqual(makerOf("sandbox-tasks-4026531836-12-345-6"), {
      namespace: "4026531836",
      pid: 12,
      startTime: "345",
    });
  });
});

describe("a limit that can't be kept", () => {
  const own = { mountPoint: "/sys/fs/cgroup", path: "/a", directory: "/sys/fs/cgroup/a", inRoot: false };
  const attempts: Search["attempts"] = [
    { kind: "delegated", directory: "/sys/fs/cgroup/a", why: "it is not delegated to you", errno: "EACCES" },
    { kind: "systemd", why: "connect ENOENT /run/user/1000/bus", errno: "ENOENT" },
  ];
  const machine: Machine = { uid: 1000, atTop: ["cpu", "memory", "pids"], old: [], inContainer: false };
  const said = (controller: "memory" | "pids" | "io", search: Partial<Search>, more: Partial<Machine>): string =>
    controllerRefusal(
      controller === "io" ? "ioWeight" : controller,
      controller,
      { own, attempts, ...search },
      { ...machine, ...more },
    ).message;

  it("names the key, the controller, and what was tried", () => {
    const error = controllerRefusal("memory", "memory", { own, attempts }, machine);
    assert.equal(error.name, "SandboxError");
    assert.equal(error.part, "limit");
    assert.equal(error.path, "limits.memory");
    assert.match(error.message, /^limits\.memory can't be kept: it needs the memory controller of cgroup v2/);
    assert.match(error.message, /the editor's own cgroup \(\/sys\/fs\/cgroup\/a\): it is not delegated to you;/);
    assert.match(error.message, /a scope of systemd: connect ENOENT/);
    assert.match(error.remedy, /Or leave limits\.memory out\.$/);
  });

  const FIXES: readonly (readonly [string, RegExp, Parameters<typeof said>])[] = [
    [
      "no cgroup v2 at all",
      /no cgroup v2 hierarchy\. Boot with .*unified_cgroup_hierarchy=1/,
      ["pids", { own: undefined, attempts: [] }, {}],
    ],
    [
      "the old hierarchy has it",
      /old hierarchy.*cgroup_no_v1=blkio/,
      ["io", {}, { atTop: [], old: ["blkio", "memory"] }],
    ],
    ["turned off at boot", /cgroup_enable=memory/, ["memory", {}, { atTop: [] }]],
    ["not built in", /built without the pids controller/, ["pids", {}, { atTop: [] }]],
    [
      "a container without it",
      /container was given no pids controller/,
      ["pids", {}, { atTop: [], inContainer: true }],
    ],
    ["a container with it", /--cgroupns=private/, ["pids", {}, { inContainer: true }]],
    ["no manager of the user's", /sudo loginctl enable-linger "\$USER"/, ["memory", {}, {}]],
    [
      "a manager that hands on less",
      /\/etc\/systemd\/system\/user@\.service\.d\/delegate\.conf && sudo systemctl daemon-reload/,
      [
        "memory",
        {
          attempts: [
            {
              kind: "systemd",
              directory: "/sys/fs/cgroup/b",
              why: "the memory controller has not reached it",
              errno: "ENOENT",
            },
          ],
        },
        {},
      ],
    ],
    ["root", /systemd-run --scope -p Delegate=yes/, ["memory", {}, { uid: 0 }]],
  ];
  for (const [situation, fix, question] of FIXES) {
    it(`says what mends it: ${situation}`, () => assert.match(said(...question), fix));
  }
});

describe("compile: the cgroups that a sandbox sees", () => {
  const shown = (facts: Parameters<typeof compiled>[1], ref: Parameters<typeof compiled>[0] = "build"): string[] =>
    mountsOf(compiled(ref, facts))
      .filter(({ destination }) => destination === "/sys/fs/cgroup")
      .map(({ type, options = [] }) => `${type} ${options[0]}`);

  it("are its own, read-only, over an empty folder", () => {
    assert.deepEqual(shown({ cgroup: 9 }), ["tmpfs ro", "cgroup2 ro"]);
    assert.equal(compiled("build", { cgroup: 9 }).sys?.cgroupFD, 9);
  });

  it("are the editor's where it has none, and none where that is the root of all", () => {
    assert.deepEqual(shown({ inRootCgroup: false }), ["tmpfs ro", "cgroup2 ro"]);
    assert.deepEqual(shown({ inRootCgroup: true }), ["tmpfs ro"]);
    assert.equal(compiled("build").sys?.cgroupFD, undefined);
  });

  it("are none where it shares the editor's cgroup namespace", () => {
    const ref = { extends: "install", namespaces: ["user", "mount", "pid"] as ("user" | "mount" | "pid")[] };
    assert.deepEqual(shown({ cgroup: 9 }, ref), ["tmpfs ro"]);
  });
});
