// The readers of /proc against processes that are really there.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  capabilities,
  cgroup,
  idMappings,
  isDenied,
  limits,
  namespaces,
  type ProcessInfo,
  processDetails,
  processes,
  security,
} from "../../src/inspect";

const NOBODY = 4_194_304; // above the highest pid_max there is: no process ever has it

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (let waited = 0; waited < 10_000; waited += 20) {
    const found = await look();
    if (found !== undefined) {
      return found;
    }
    await delay(20);
  }
  throw new Error(`in vain: ${what}`);
}

/** Starts programs of util-linux and ends what it started. */
class Started {
  readonly #children: ChildProcess[] = [];

  start(file: string, args: string[], argv0?: string): ChildProcess {
    // A process group of its own, so that what a shell has started ends with it.
    const child = spawn(file, args, { stdio: "ignore", detached: true, ...(argv0 === undefined ? {} : { argv0 }) });
    this.#children.push(child);
    return child;
  }

  async end(): Promise<void> {
    const over = this.#children.map((child) =>
      child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined,
    );
    for (const [index, { pid }] of this.#children.entries()) {
      if (over[index] !== undefined && pid !== undefined) process.kill(-pid, "SIGKILL");
    }
    await Promise.all(over);
  }
}

/** unshare(1) forks a PID 1 that dies with it: its child is the init that a sandbox has. */
async function startNamespace(started: Started, script: string): Promise<number> {
  const outer = started.start("unshare", [
    "-U",
    "-r",
    "-p",
    "-m",
    "-f",
    "--kill-child=KILL",
    "--mount-proc",
    "sh",
    "-c",
    script,
  ]);
  const inner = await until("the PID 1 has started", async () => {
    const all = await processes(outer.pid ?? 0);
    return all.find(({ name, parentPid }) => parentPid === outer.pid && name !== "unshare");
  });
  return inner.pid;
}

describe("inspect: the processes of a sandbox", () => {
  const started = new Started();
  afterEach(() => started.end());

  const named = async (pid: number, ...names: string[]): Promise<ProcessInfo[]> =>
    until(`processes ${names.join(", ")}`, async () => {
      const all = await processes(pid);
      return names.every((name) => all.some((one) => one.name === name)) ? all : undefined;
    });

  it("lists the whole tree with inside and outside pids, PID 1 first", async () => {
    const init = await startNamespace(started, "sleep 1000 & (sleep 1001; true) & wait");
    const all = await until("two that sleep", async () => {
      const now = await processes(init);
      return now.filter(({ name, state }) => name === "sleep" && state === "S").length === 2 ? now : undefined;
    });
    assert.equal(all[0]?.pid, init);
    assert.equal(all[0]?.insidePid, 1);
    assert.equal(all.length, 4);
    const commands = all.map(({ command }) => command);
    assert.ok(commands.includes("sleep 1000") && commands.includes("sleep 1001"), commands.join("\n"));
    for (const { insidePid, pid } of all) {
      assert.notEqual(insidePid, pid);
    }
    const sleeper = all.find(({ command }) => command === "sleep 1000");
    assert.equal(sleeper?.parentPid, init);
    assert.equal(sleeper?.state, "S");
    assert.equal(sleeper?.uid, process.getuid?.());
    assert.equal(sleeper?.threads, 1);
    assert.ok((sleeper?.rss ?? 0) > 0 && (sleeper?.rss ?? 0) < 100e6);
    assert.match(sleeper?.startTime ?? "", /^\d+$/);
  });

  it("keeps those whose parent has died, in a session of their own", async () => {
    const init = await startNamespace(started, "(setsid sleep 1002 &) ; sleep 1003");
    const all = await until("both sleeps", async () => {
      const now = await processes(init);
      return now.filter(({ name }) => name === "sleep").length === 2 ? now : undefined;
    });
    assert.equal(all.find(({ command }) => command === "sleep 1002")?.parentPid, init);
  });

  it("includes what joined the namespace from outside, and its children", async () => {
    const init = await startNamespace(started, "sleep 1004; true");
    const joiner = started.start("nsenter", [
      "-t",
      String(init),
      "-U",
      "-p",
      "--preserve-credentials",
      "sh",
      "-c",
      "sleep 1005; true",
    ]);
    const all = await until("the joined sleep", async () => {
      const now = await processes(init);
      return now.some(({ command }) => command === "sleep 1005") ? now : undefined;
    });
    const shell = all.find(({ command }) => command.startsWith("sh -c 'sleep 1005"));
    assert.equal(shell?.parentPid, joiner.pid);
    assert.ok(!all.some(({ pid }) => pid === joiner.pid), "nsenter itself has stayed outside");
  });

  it("includes a PID namespace nested in it, with the pid of this level", async () => {
    const init = await startNamespace(started, "unshare -p -f --kill-child=KILL sh -c 'sleep 1006; true'; true");
    const all = await until("the nested sleep", async () => {
      const now = await processes(init);
      return now.some(({ command }) => command === "sleep 1006") ? now : undefined;
    });
    const nested = all.find(({ command }) => command.startsWith("sh -c 'sleep 1006"));
    assert.ok((nested?.insidePid ?? 0) > 1, "in the nested namespace it is 1, in the sandbox it is not");
  });

  it("shows names and command lines that try to fool the reader", async () => {
    const child = started.start("sleep", ["1008"], "\u001b]0;owned\u0007\nsleep");
    await until("it has run execve", async () =>
      (await processes(child.pid ?? 0))[0]?.command.includes("1008") ? true : undefined,
    );
    assert.equal((await processes(child.pid ?? 0))[0]?.command, "'\\e]0;owned\\x07\\nsleep' 1008");
    // The kernel takes the name from the file that is executed.
    const folder = await mkdtemp(join(tmpdir(), "inspect-"));
    try {
      await copyFile("/bin/sleep", join(folder, "a) R 1 (b"));
      const odd = started.start(join(folder, "a) R 1 (b"), ["1007"]);
      const shown = await until("the odd name", async () =>
        (await processes(odd.pid ?? 0)).find(({ name }) => name.startsWith("a)")),
      );
      assert.equal(shown.name, "a) R 1 (b");
      assert.match(shown.state, /^[SR]$/);
      assert.equal(shown.parentPid, process.pid);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("counts the CPU time that was used", async () => {
    const init = await startNamespace(started, "while :; do :; done");
    const busy = await until("a tenth of a second of CPU", async () =>
      (await processes(init)).find(({ cpuTime }) => cpuTime >= 0.1),
    );
    assert.ok(busy.cpuTime < 60);
  });

  it("is empty for one that has ended", async () => {
    assert.deepEqual(await processes(NOBODY), []);
    const init = await startNamespace(started, "sleep 1009; true");
    await started.end();
    await until("it is gone", async () => ((await processes(init)).length === 0 ? true : undefined));
  });

  it("is the tree alone for a process without a PID namespace of its own", async () => {
    const child = started.start("sh", ["-c", "sleep 1010; true"]);
    const all = await named(child.pid ?? 0, "sleep");
    assert.deepEqual(
      all.map(({ name }) => name),
      ["sh", "sleep"],
    );
  });

  it("does not block the event loop while it looks", async () => {
    const init = await startNamespace(started, "sleep 1011; true");
    let longest = 0;
    let last = performance.now();
    const tick = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    for (let i = 0; i < 20; i++) {
      await processes(init);
    }
    clearInterval(tick);
    assert.ok(longest < 200, `${longest} ms`);
  });
});

describe("inspect: one process", () => {
  const started = new Started();
  afterEach(() => started.end());

  it("tells new namespaces from those shared with the editor", async () => {
    const init = await startNamespace(started, "sleep 1020; true");
    const list = await namespaces(init);
    const shared = Object.fromEntries(list.map((info) => [info.type, info.shared]));
    assert.equal(shared.user, false);
    assert.equal(shared.pid, false);
    assert.equal(shared.mnt, false);
    assert.equal(shared.net, true);
    assert.equal(shared.uts, true);
    const own = await namespaces(process.pid);
    assert.ok(own.every((info) => info.shared));
    assert.equal(own.find(({ type }) => type === "net")?.inode, list.find(({ type }) => type === "net")?.inode);
  });

  it("reads id maps as the editor sees them", async () => {
    const init = await startNamespace(started, "sleep 1021; true");
    assert.deepEqual(await idMappings(init), {
      uid: [{ containerID: 0, hostID: process.getuid?.() ?? -1, size: 1 }],
      gid: [{ containerID: 0, hostID: process.getgid?.() ?? -1, size: 1 }],
      setgroups: "deny",
    });
  });

  it("reads capability sets by name", async () => {
    const init = await startNamespace(started, "exec setpriv --bounding-set=-all,+chown --inh-caps=-all sleep 1022");
    const caps = await until("setpriv has run", async () => {
      const now = await capabilities(init);
      return now?.bounding.length === 1 ? now : undefined;
    });
    assert.deepEqual(caps.bounding, ["CAP_CHOWN"]);
    assert.deepEqual(caps.ambient, []);
    assert.deepEqual(caps.inheritable, []);
  });

  it("reads limits, in bytes and seconds", async () => {
    const child = started.start("sh", ["-c", "ulimit -n 321; ulimit -t 654; exec sleep 1023"]);
    const list = await until("the limits are set", async () => {
      const now = await limits(child.pid ?? 0);
      return now?.some(({ name, soft }) => name === "Max cpu time" && soft === 654) ? now : undefined;
    });
    assert.deepEqual(
      list.find(({ name }) => name === "Max open files"),
      { name: "Max open files", soft: 321, hard: 321, unit: "files" },
    );
  });

  it("reads no_new_privs and the absence of a filter", async () => {
    const child = started.start("setpriv", ["--no-new-privs", "sleep", "1024"]);
    const found = await until("it is set", async () => {
      const now = await security(child.pid ?? 0);
      return now?.noNewPrivileges ? now : undefined;
    });
    assert.equal(found.noNewPrivileges, true);
    assert.equal((await security(process.pid))?.seccomp !== undefined, true);
  });

  it("reads the cgroup with the figures that are there", async () => {
    const group = await cgroup(process.pid);
    assert.equal(typeof group?.path, "string");
    for (const figure of [group?.memoryCurrent, group?.pidsCurrent, group?.descendants, group?.cpuTime]) {
      assert.ok(figure === undefined || (Number.isFinite(figure) && figure >= 0));
    }
  });

  it("has nothing to say about a process that has ended", async () => {
    assert.deepEqual(await namespaces(NOBODY), []);
    assert.deepEqual(await processDetails(NOBODY), {
      namespaces: undefined,
      capabilities: undefined,
      idMappings: undefined,
      limits: undefined,
      cgroup: undefined,
      security: undefined,
    });
  });

  it("reads everything at once", async () => {
    const details = await processDetails(process.pid);
    for (const [key, reading] of Object.entries(details)) {
      assert.ok(reading !== undefined && !isDenied(reading), key);
    }
  });

  it("says when the kernel refuses, instead of showing nothing", async function () {
    if (process.getuid?.() !== 0 && statSync("/proc/1").uid === process.getuid?.()) {
      this.skip(); // a container whose every process is ours
    }
    if (process.getuid?.() === 0) {
      // Root is refused nothing: give up its rights in a child and look from there.
      const { stdout } = await runAsNobody();
      assert.match(stdout, /^denied: \/proc\/1\/ns\/\w+ can't be read: EACCES/);
      return;
    }
    await assert.rejects(namespaces(1), { name: "AccessError", code: "EACCES" });
    assert.ok(isDenied((await processDetails(1)).namespaces));
  });
});

/** Looks at PID 1 as uid 65534. */
async function runAsNobody(): Promise<{ stdout: string }> {
  const code = `
    const { processDetails } = require(${JSON.stringify(require.resolve("../../src/inspect"))});
    process.setgroups([]); process.setgid(65534); process.setuid(65534);
    processDetails(1).then(({ namespaces }) => console.log(namespaces.denied ? "denied: " + namespaces.message : "seen"));
  `;
  const child = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  await once(child, "close");
  return { stdout };
}
