// Limits that the kernel keeps through a controller: each is exceeded, and the end says so. Skipped by the name of the
// controller where this user gets none; then the refusal is looked at instead.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { skipBecause } from "../support/skip";
import { api, until, World } from "./sandbox-world";

type Limits = NonNullable<Exclude<Parameters<World["start"]>[1], string | undefined>["limits"]>;

/** proc_swaps(5): a heading, then a line for each. */
const hasSwap = (): boolean => readFileSync("/proc/swaps", "utf8").trim().split("\n").length > 1;

describe("a limit by a cgroup controller", () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  afterEach(() => world.remove());

  /** Starts a sandbox with limits; skips where their controller is missing, after a look at what is said then. */
  async function start(context: Mocha.Context, script: string, limits: Limits, file = "sh") {
    try {
      return await world.start(script, { extends: "build", limits }, { file });
    } catch (error) {
      const { part, path, feature, message, remedy } = error as InstanceType<typeof api.sandbox.SandboxError>;
      if (part !== "limit") throw error;
      assert.ok(Object.keys(limits).includes(path.replace("limits.", "")), path);
      assert.ok(message.includes(remedy) && remedy.includes(`leave ${path} out`), message);
      skipBecause(context, feature === undefined ? message : `the ${feature} of cgroup v2 is missing`);
    }
  }

  it("memory: the whole sandbox is killed, and the end says why", async function () {
    const script = "sleep 1000 & head -c 300M /dev/zero | tail | wc -c; sleep 1001";
    const sandbox = await start(this, script, { memory: "64M" });
    const status = await sandbox.exited;
    assert.equal(status.signal, "SIGKILL");
    assert.equal(status.reason, "memory");
    assert.deepEqual(await api.inspect.processes(sandbox.process.pid), []);
  });

  it("memory: what lies in /tmp counts", async function () {
    const sandbox = await start(this, "head -c 300M /dev/zero > /tmp/big; echo survived", { memory: "64M" });
    assert.equal((await sandbox.exited).reason, "memory");
  });

  it("memory: has no swap beyond it unless that is asked for, and is told", async function () {
    const without = await start(this, "sleep 1000", { memory: "64M" });
    const figures = await without.figures();
    assert.equal(figures?.memoryMax, 64 * 2 ** 20);
    assert.ok((figures?.memoryCurrent ?? 0) > 0);
    assert.equal(figures?.swapMax ?? 0, 0);
    const some = await start(this, "sleep 1000", { memory: "64M", swap: "32M" });
    // A kernel that does not count swap has no such limit, and is refused where there is some (swapaccount=0).
    assert.ok([hasSwap() ? 32 * 2 ** 20 : undefined, 32 * 2 ** 20].includes((await some.figures())?.swapMax));
  });

  it("memory: with swap, the two together are what there is", async function () {
    const sandbox = await start(this, "head -c 300M /dev/zero | tail | wc -c", { memory: "64M", swap: "32M" });
    assert.equal((await sandbox.exited).reason, "memory");
  });

  it("memory: programs see theirs in /sys/fs/cgroup", async function () {
    const sandbox = await start(this, "cat /sys/fs/cgroup/memory.max", { memory: "64M" });
    assert.ok(sandbox.process.stdout);
    assert.equal(await text(sandbox.process.stdout), `${64 * 2 ** 20}\n`);
  });

  it("processes: a fork beyond them fails, and the end says why", async function () {
    // dash gives up at the first fork that fails.
    const script = "i=0; while [ $i -lt 60 ]; do sleep 1000 & i=$((i+1)); done; echo survived";
    const sandbox = await start(this, script, { pids: 20 }, "dash");
    const status = await sandbox.exited;
    assert.equal(status.reason, "pids", JSON.stringify(status));
    assert.notEqual(status.code, 0);
  });

  it("processes: those of a command that joined count, and a storm of forks stays small", async function () {
    const sandbox = await start(this, "sleep 1000", { pids: 10 });
    const storm = await sandbox.exec({ file: "bash", args: ["-c", "f() { f | f & }; f; wait"], stdio: "ignore" });
    await until("the limit is reached", async () => (await sandbox.figures())?.pidsCurrent === 10 || undefined);
    assert.ok(((await sandbox.figures())?.pidsCurrent ?? 99) <= 10);
    await sandbox.terminate(0);
    await storm.exited;
  });

  it("CPUs: who uses more is slowed down", async function () {
    const script = `
      while :; do
        grep -q '^nr_throttled [1-9]' /sys/fs/cgroup/cpu.stat && break
        i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done
      done; cat /sys/fs/cgroup/cpu.max`;
    const sandbox = await start(this, script, { cpus: 0.1 });
    assert.equal((await sandbox.figures())?.cpuMax, 0.1);
    assert.ok(sandbox.process.stdout);
    assert.equal(await text(sandbox.process.stdout), "10000 100000\n");
  });

  it("share of the disks: is what was asked for", async function () {
    const sandbox = await start(this, "cat /sys/fs/cgroup/io.weight /sys/fs/cgroup/io.bfq.weight 2>/dev/null", {
      ioWeight: 50,
    });
    assert.ok(sandbox.process.stdout);
    assert.match(await text(sandbox.process.stdout), /\b50\b/);
  });
});
