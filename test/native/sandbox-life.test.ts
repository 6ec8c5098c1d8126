// The life of a sandbox: how it is ended, held, limited, watched; and what is refused before it begins.

import assert from "node:assert/strict";
import { existsSync, symlinkSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { api, until, World } from "./sandbox-world";

describe("sandbox, from its start to its end", () => {
  let world: World;
  let registry = new api.sandbox.SandboxRegistry();
  beforeEach(() => {
    world = new World();
  });
  afterEach(async () => {
    await registry.terminateAll(0);
    await world.remove();
  });

  /** Outside pids of what runs in a sandbox, once there are as many as said. */
  const inside = (sandbox: Awaited<ReturnType<World["start"]>>, count: number): Promise<number[]> =>
    until(`${count} processes inside`, async () => {
      const pids = (await api.inspect.processes(sandbox.process.pid)).map(({ pid }) => pid);
      return pids.length >= count ? pids : undefined;
    });

  const isGone = (pid: number): boolean => !existsSync(`/proc/${pid}`);

  it("ends every process with a kill, those in sessions of their own too", async () => {
    const sandbox = await world.start("setsid sleep 1000 & (setsid sleep 1001 &) ; nohup sleep 1002 & wait");
    const pids = await inside(sandbox, 5);
    assert.equal(sandbox.kill("SIGKILL"), true);
    const status = await sandbox.exited;
    assert.equal(status.reason, "killed");
    assert.deepEqual(
      pids.filter((pid) => !isGone(pid)),
      [],
    );
    assert.equal(sandbox.kill(), false, "there is nobody left to signal");
  });

  it("lets a task end in its own way within the grace time", async () => {
    const sandbox = await world.start(
      "trap 'echo bye > ended; exit 7' TERM; echo > ready; while :; do sleep 0.05; done",
    );
    await until("the trap is set", () => existsSync(join(world.workspace, "ready")) || undefined);
    const status = await sandbox.terminate(10_000);
    assert.equal(status.code, 7);
    assert.ok(existsSync(join(world.workspace, "ended")));
  });

  it("kills after the grace time what does not heed", async () => {
    const sandbox = await world.start(
      "trap '' TERM INT HUP; echo > ready; (setsid bash -c 'trap \"\" TERM; while :; do sleep 1; done') & while :; do sleep 1; done",
    );
    await until("the trap is set", () => existsSync(join(world.workspace, "ready")) || undefined);
    const pids = await inside(sandbox, 4);
    const before = performance.now();
    const status = await sandbox.terminate(300);
    assert.ok(performance.now() - before >= 290);
    assert.equal(status.code, null);
    assert.equal(status.signal, "SIGKILL");
    assert.deepEqual(
      pids.filter((pid) => !isGone(pid)),
      [],
    );
  });

  it("ends one that was stopped", async () => {
    const sandbox = await world.start("sleep 1000; true");
    await inside(sandbox, 3);
    sandbox.kill("SIGSTOP");
    await until("it has stopped", async () =>
      (await api.inspect.processes(sandbox.process.pid)).some(({ state }) => state === "T") ? true : undefined,
    );
    const status = await sandbox.terminate(10_000);
    assert.ok(status.signal === "SIGTERM" || status.code === 128 + 15, JSON.stringify(status));
  });

  it("holds all of it still, and lets it go on", async () => {
    const sandbox = await world.start("sleep 1000 & while :; do :; done");
    await inside(sandbox, 3);
    const states = async (): Promise<string> =>
      (await api.inspect.processes(sandbox.process.pid))
        .slice(1)
        .map(({ state }) => state)
        .join("");
    // By its cgroup where it has one, which is no state of the processes; else by signals.
    const held = async (): Promise<boolean> => (await sandbox.stats()).cgroup?.frozen ?? (await states()) === "TT";
    await sandbox.freeze();
    await until("both have stopped", async () => (await held()) || undefined);
    await sandbox.thaw();
    await until("both go on", async () => !((await held()) || (await states()).includes("T")) || undefined);
    await sandbox.terminate(0);
  });

  it("ends with its command, whatever was left in the background", async () => {
    const { code } = await world.run("sleep 1000 & setsid sleep 1001 & exit 3");
    assert.equal(code, 3);
  });

  it("is ended when its time is over", async () => {
    const sandbox = await world.start("sleep 1000", { extends: "build", limits: { wallTime: "2s" } });
    const status = await sandbox.exited;
    assert.equal(status.reason, "timeout");
  });

  it("enforces the limits on each process", async () => {
    const { output } = await world.run("ulimit -n; ulimit -t; head -c 5000 /dev/zero > big; echo $?; wc -c < big", {
      extends: "build",
      limits: { openFiles: 99, cpuTime: "1m", fileSize: "4K" },
    });
    assert.match(output, /^99\n60\n[1-9]\d*\n4096\n/);
  });

  it("is in those namespaces alone that the profile names", async () => {
    const sandbox = await world.start("sleep 1000", {
      extends: "install",
      namespaces: ["user", "mount", "pid", "time"],
    });
    const all = await api.inspect.namespaces((await inside(sandbox, 2))[1] ?? 0);
    assert.deepEqual(
      all.filter(({ shared }) => !shared).map(({ type }) => type),
      ["user", "mnt", "pid", "time"],
    );
  });

  it("counts what is in it, whatever it calls itself", async () => {
    const sandbox = await world.start("printf sandbox-init > /proc/self/comm; sleep 1000 & sleep 1000 & wait");
    await inside(sandbox, 4);
    const names = (await api.inspect.processes(sandbox.process.pid)).map(({ name }) => name);
    assert.ok(names.includes("sandbox-init"), names.join(" "));
    const stats = await sandbox.stats();
    assert.equal(stats.processes, 3);
    assert.ok(stats.rss > 0);
    await sandbox.terminate(1000);
    assert.deepEqual(await sandbox.stats(), { processes: 0, cpuTime: 0, rss: 0 });
  });

  it("signals one process that was seen, and never another with its pid", async () => {
    const sandbox = await world.start("sleep 1000 & sleep 1001; echo next; sleep 1002");
    const named = (command: string) => async () =>
      (await api.inspect.processes(sandbox.process.pid)).find((process) => process.command === command);
    const seen = await until("the one to signal runs", named("sleep 1001")); // between its fork and its execve it is a shell
    assert.equal(api.sandbox.signalProcess({ ...seen, startTime: "1" }, "SIGKILL"), false);
    assert.ok(!isGone(seen.pid));
    assert.equal(api.sandbox.signalProcess(seen, "SIGTERM"), true);
    await until("the one after it runs", named("sleep 1002"));
    assert.equal(api.sandbox.signalProcess(seen, "SIGTERM"), false);
    await sandbox.terminate(0);
  });

  it("has a terminal of its own that programs believe in", async () => {
    const sandbox = await world.start(
      "tty; stty size; test -t 0 && test -t 1 && echo both; read line; echo got $line",
      "shell",
      {
        terminal: { columns: 91, rows: 27 },
      },
    );
    const terminal = sandbox.process.terminal;
    assert.ok(terminal);
    let output = "";
    terminal.output.on("data", (data: Buffer) => {
      output += data.toString();
    });
    await until("the prompt", () => output.includes("both\r\n") || undefined);
    terminal.write("hello\r");
    const status = await sandbox.exited;
    assert.equal(status.code, 0);
    await until("the last line", () => output.includes("got hello") || undefined);
    assert.match(output, /^\/dev\/pts\/0\r\n27 91\r\nboth\r\n/);
  });

  it("keeps a list of those that run and those that ended, and tells of changes", async () => {
    registry = new api.sandbox.SandboxRegistry({ keepEnded: 2 });
    let changes = 0;
    const listener = registry.onDidChange(() => changes++);
    const start = (script: string): ReturnType<typeof registry.run> =>
      registry.run({ file: "sh", args: ["-c", script], name: script }, "build", world.context);
    const first = await start("sleep 1000");
    assert.equal(registry.get(first.id), first);
    assert.equal(changes, 1);
    const ids = new Set([first.id]);
    for (const script of ["exit 1", "exit 2", "exit 3"]) {
      const sandbox = await start(script);
      ids.add(sandbox.id);
      await sandbox.ended;
    }
    assert.equal(ids.size, 4);
    await until("three have ended", () => (registry.running.length === 1 ? true : undefined));
    assert.deepEqual(
      registry.ended.map(({ name, status }) => [name, status.code]),
      [
        ["exit 3", 3],
        ["exit 2", 2],
      ],
    );
    registry.clearEnded();
    assert.deepEqual(registry.ended, []);
    void start("sleep 1001");
    await registry.terminateAll(1000);
    await until("all have ended", () => (registry.running.length === 0 ? true : undefined));
    assert.equal(registry.ended.length, 2, "the one that was being started, too");
    const last = changes;
    listener.dispose();
    registry.clearEnded();
    assert.equal(changes, last);
  });

  const refused = async (run: Promise<unknown>, expected: object): Promise<void> => {
    await assert.rejects(run, expected);
    assert.ok(!existsSync(join(world.workspace, "ran")), "nothing has run");
  };

  it("is not run with a profile or a key that nobody knows", async () => {
    await refused(world.run("touch ran", "biuld"), {
      name: "ProfileError",
      message: 'profile: unknown profile "biuld"; did you mean "build"?',
    });
    const misspelt = JSON.parse('{"extends": "build", "limits": {"memroy": "2G"}}');
    await refused(world.run("touch ran", misspelt), {
      name: "ProfileError",
      message: 'limits.memroy: unknown key; did you mean "memory"?',
    });
  });

  it("is not run in a folder that can't be a workspace", async () => {
    for (const workspace of [
      "/",
      "/usr",
      "/etc",
      "/proc",
      "/sys/kernel",
      "/dev",
      "/run",
      "/tmp",
      "/root/../home",
      homedir(),
      join(homedir(), ".."),
    ]) {
      const run = api.sandbox.run({ file: "true" }, "build", { workspace });
      await assert.rejects(
        run,
        (error: Error) => error.name === "SandboxError" && /Open the folder of one project/.test(error.message),
        workspace,
      );
    }
    await assert.rejects(
      api.sandbox.run({ file: "true" }, "build", { workspace: "/nowhere" }),
      /\/nowhere does not exist/,
    );
    symlinkSync(world.home, join(world.root, "link"));
    await assert.rejects(
      api.sandbox.run({ file: "true" }, "build", { workspace: join(world.root, "link"), home: world.home }),
      /home folder/,
    );
  });

  it("is not run in a working directory that can't be seen inside", async () => {
    const outside = world.write("home/other/file");
    await refused(world.run("touch ran", "build", { cwd: join(outside, "..") }), {
      name: "SandboxError",
      part: "cwd",
      message: /other can't be seen inside the sandbox/,
    });
    await refused(world.run("touch ran", "build", { cwd: "missing" }), {
      name: "SandboxError",
      message: /missing does not exist/,
    });
    await refused(world.run("touch ran", "build", { cwd: outside }), {
      name: "SandboxError",
      message: /is not a folder/,
    });
    world.write("home/project/sub/file");
    assert.equal((await world.run("pwd", "build", { cwd: "sub" })).output, `${world.workspace}/sub\n`);
    assert.equal((await world.run("pwd", "build", { cwd: "/usr" })).output, "/usr\n");
  });

  it("says that a command does not exist, and on which step it failed", async () => {
    await refused(world.run("", "build", { file: "no-such-command" }), {
      name: "SpawnError",
      code: "ENOENT",
      step: "exec",
    });
  });
});
