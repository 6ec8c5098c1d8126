// A sandbox's cgroup: entered at birth, hidden from it but for itself, killed and frozen as a whole, and gone with it.
// What needs no controller: those are in cgroup-limits.test.ts.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { cgroupFolder } from "../support/cgroups";
import { LIBRARY_NODE } from "../support/library";
import { skipBecause } from "../support/skip";
import { api, until, World } from "./sandbox-world";

type Sandbox = Awaited<ReturnType<World["start"]>>;

const HOST = resolve("out/test/native/hosts/cgroup.js");

describe("the cgroup of a sandbox", () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  afterEach(() => world.remove());

  /** A sandbox with a cgroup of its own; skips where none is to be had without asking. */
  async function start(context: Mocha.Context, ...args: Parameters<World["start"]>): Promise<Sandbox> {
    const sandbox = await world.start(...args);
    if ((await sandbox.stats()).cgroup === undefined) skipBecause(context, "no cgroup v2 is delegated to this user");
    return sandbox;
  }

  const inside = (sandbox: Sandbox, count: number): Promise<number[]> =>
    until(`${count} processes inside`, async () => {
      const pids = (await api.inspect.processes(sandbox.process.pid)).map(({ pid }) => pid);
      return pids.length >= count ? pids : undefined;
    });

  it("is its own, is entered at birth by every process of it, and goes with it", async function () {
    const sandbox = await start(this, "setsid sleep 1000 & sleep 1001 & wait");
    const folder = cgroupFolder(sandbox.process.pid);
    assert.match(folder, /\/sandbox-tasks-\d+-\d+-\d+-\d+$/);
    for (const pid of await inside(sandbox, 4)) assert.equal(cgroupFolder(pid), folder);
    const other = await world.start("sleep 1000");
    assert.notEqual(cgroupFolder(other.process.pid), folder);
    await sandbox.terminate(0);
    assert.ok(!existsSync(folder), "it is removed by the time that the end is told");
    assert.equal((await sandbox.stats()).cgroup, undefined);
  });

  it("is joined by a command that is run inside later", async function () {
    const sandbox = await start(this, "sleep 1000");
    const folder = cgroupFolder(sandbox.process.pid);
    const joined = await sandbox.exec({ file: "sleep", args: ["1001"] });
    assert.equal(cgroupFolder(joined.pid), folder);
    const all = await inside(sandbox, 3);
    for (const pid of all) assert.equal(cgroupFolder(pid), folder);
    await sandbox.terminate(0);
    await joined.exited;
    assert.ok(!existsSync(folder));
  });

  it("is removed when the sandbox could not be started", async function () {
    const sandbox = await start(this, "sleep 1000");
    const folder = cgroupFolder(sandbox.process.pid);
    // Named after their maker; others on this machine come and go. In a scope of systemd's there is one more of ours, for
    // the process that holds it.
    const ours = (): string[] => readdirSync(dirname(folder)).filter((name) => name.includes(`-${process.pid}-`));
    const before = ours();
    assert.ok(before.includes(basename(folder)));
    await assert.rejects(world.run("", "build", { file: "no-such-command" }), { code: "ENOENT" });
    await assert.rejects(world.run("", "build", { cwd: "missing" }), { name: "SandboxError" });
    assert.deepEqual(ours(), before);
  });

  it("is all that it sees of cgroups, and it can change nothing there", async function () {
    const look = `
      cat /proc/self/cgroup | grep ^0::
      cat /sys/fs/cgroup/cgroup.procs | grep -c ^1$
      find /sys/fs/cgroup -mindepth 1 -type d | wc -l
      for file in cgroup.freeze cgroup.kill cgroup.max.depth cgroup.procs cgroup.subtree_control; do
        (echo 1 > /sys/fs/cgroup/$file) 2>/dev/null && echo wrote $file
      done
      mkdir /sys/fs/cgroup/mine 2>/dev/null && echo made one
      umount /sys/fs/cgroup 2>/dev/null && echo uncovered the host
      mount -o remount,rw /sys/fs/cgroup 2>/dev/null && echo made it writable
      echo end`;
    for (const profile of ["build", { extends: "build", network: "host" }] as const) {
      const sandbox = await start(this, look, profile);
      assert.ok(sandbox.process.stdout);
      assert.equal(await text(sandbox.process.stdout), "0::/\n1\n0\nend\n");
    }
  });

  it("hides the host's also where the sandbox has none of its own", async () => {
    const { output } = await world.run(
      "ls /sys/fs/cgroup | grep -c -e sandbox-tasks -e systemd -e slice; mount | grep -c 'cgroup.*rw,'",
    );
    assert.match(output, /^0\n/);
  });

  it("is frozen as a whole, unseen from inside, and goes on where it was", async function () {
    const sandbox = await start(
      this,
      "trap '' TERM; i=0; while :; do i=$((i+1)); echo $i > count; kill -CONT -1; done",
    );
    const count = (): string =>
      existsSync(join(world.workspace, "count")) ? readFileSync(join(world.workspace, "count"), "utf8") : "";
    await until("it counts", () => Number(count()) > 5 || undefined);
    await sandbox.freeze();
    assert.equal(sandbox.frozen, true);
    assert.match(readFileSync(join(cgroupFolder(sandbox.process.pid), "cgroup.events"), "utf8"), /^frozen 1$/m);
    const still = count();
    for (const { state } of await api.inspect.processes(sandbox.process.pid)) assert.notEqual(state, "T");
    for (let i = 0; i < 20; i++) {
      await new Promise(setImmediate);
      assert.equal(count(), still);
    }
    await sandbox.thaw();
    assert.equal(sandbox.frozen, false);
    await until("it goes on", () => (count() !== still && count() !== "") || undefined);
  });

  it("lets a frozen sandbox end in its own way, and kills one that does not", async function () {
    const polite = await start(this, "trap 'exit 7' TERM; echo > ready; while :; do sleep 0.05; done");
    await until("the trap is set", () => existsSync(join(world.workspace, "ready")) || undefined);
    await polite.freeze();
    assert.equal((await polite.terminate(30_000)).code, 7);
    const stubborn = await world.start("trap '' TERM; setsid sleep 1000 & sleep 1001");
    const folder = cgroupFolder(stubborn.process.pid);
    await inside(stubborn, 4);
    await stubborn.freeze();
    assert.equal(stubborn.kill("SIGKILL"), true);
    assert.equal((await stubborn.exited).signal, "SIGKILL");
    assert.ok(!existsSync(folder));
  });

  it("ends those that fork faster than they can be counted, and nothing of them is left", async function () {
    // Each line of them is replaced as it ends, in sessions of their own, deaf to signals.
    const storm =
      "trap '' TERM HUP INT; storm() { while :; do setsid true & wait; done; }; for i in 1 2 3 4 5 6 7 8; do storm & done; wait";
    const sandbox = await start(this, storm);
    const folder = cgroupFolder(sandbox.process.pid);
    await inside(sandbox, 12);
    assert.equal(sandbox.kill("SIGKILL"), true);
    assert.equal((await sandbox.exited).reason, "killed");
    assert.ok(!existsSync(folder));
    assert.deepEqual(await api.inspect.processes(sandbox.process.pid), []);
  });

  it("of an editor that was killed is removed by the next, and one of an editor that lives is not", async function () {
    const mine = await start(this, "sleep 1000");
    const kept = cgroupFolder(mine.process.pid);
    const host = async () => {
      const child = await api.spawn(LIBRARY_NODE, [HOST], {
        env: { ...process.env, WORKSPACE: world.workspace, HOME: world.home },
        stdio: ["pipe", "pipe", "inherit"],
        sys: { pdeathsig: "SIGKILL" },
      });
      assert.ok(child.stdout);
      const first = await child.stdout[Symbol.asyncIterator]().next();
      return { child, folder: String(first.value).trim() };
    };
    const killed = await host();
    assert.ok(existsSync(killed.folder), killed.folder);
    killed.child.kill("SIGKILL");
    await killed.child.exited;
    const isEmpty = (): boolean => /^populated 0$/m.test(readFileSync(join(killed.folder, "cgroup.events"), "utf8"));
    await until("its sandbox has ended with it", () => isEmpty() || undefined);
    const next = await host();
    assert.ok(!existsSync(killed.folder), "the next one has removed it");
    assert.ok(existsSync(kept) && existsSync(next.folder));
    next.child.stdin?.end();
    assert.equal((await next.child.exited).code, 0);
    assert.ok(!existsSync(next.folder));
  });
});

describe("the limit of CPU time", () => {
  it("is told as what ended the command", async () => {
    const world = new World();
    try {
      const sandbox = await world.start("while :; do :; done", { extends: "build", limits: { cpuTime: "1s" } });
      assert.equal((await sandbox.exited).reason, "cpuTime");
    } finally {
      await world.remove();
    }
  });
});
