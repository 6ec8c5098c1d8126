// Users, capabilities, privileges, limits and sessions of a child.

import assert from "node:assert/strict";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmdirSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { isSanitized } from "../support/library";
import { waitUntil } from "../support/processes";
import { skipBecause } from "../support/skip";
import { api, inNamespaces, isRoot, rejection, run, type Sys, sh, WHOLE_ROOT } from "./spawner-world";

const CAPABILITIES = ["-E", "^Cap", "/proc/self/status"];

function sets(status: string): Record<string, string> {
  return Object.fromEntries(
    status
      .trim()
      .split("\n")
      .map((line) => line.split(":\t") as [string, string]),
  );
}

describe("identity", () => {
  it("drops every capability, the bounding set too, and can't get them back", async () => {
    const options = inNamespaces([], { capabilities: {}, noNewPrivileges: true });
    const { stdout } = await run("grep", CAPABILITIES, options);
    for (const [set, value] of Object.entries(sets(stdout))) assert.equal(value, "0000000000000000", set);
    assert.equal((await run("grep", ["NoNewPrivs", "/proc/self/status"], options)).stdout, "NoNewPrivs:\t1\n");
  });

  it("keeps the capabilities that were named", async () => {
    const kept = ["CAP_NET_ADMIN", "CAP_SYS_ADMIN"] as const;
    const options = inNamespaces([], {
      capabilities: { bounding: [...kept], permitted: [...kept], inheritable: [...kept], effective: [...kept] },
      ambientCaps: [...kept],
    });
    const status = sets((await run("grep", CAPABILITIES, options)).stdout);
    const mask = ((1n << 12n) | (1n << 21n)).toString(16).padStart(16, "0");
    for (const set of ["CapBnd", "CapPrm", "CapEff", "CapInh", "CapAmb"]) assert.equal(status[set], mask, set);
  });

  it("changes user and groups, and keeps ambient capabilities across it", async function () {
    if (!isRoot) skipBecause(this, "only root may change to another user");
    const before = readFileSync("/proc/self/status", "utf8");
    const { stdout } = await sh("id -u; id -g; id -G; grep CapAmb /proc/self/status", {
      sys: { credential: { uid: 65534, gid: 65533, groups: [1, 2] }, ambientCaps: ["CAP_NET_RAW"] },
    });
    assert.equal(stdout, "65534\n65533\n65533 1 2\nCapAmb:\t0000000000002000\n");
    assert.equal(/Uid:.*/.exec(readFileSync("/proc/self/status", "utf8"))?.[0], /Uid:.*/.exec(before)?.[0]);
  });

  it("refuses another user to an ordinary one, by name", async function () {
    if (isRoot) skipBecause(this, "root may become anybody");
    const error = await rejection(
      api.spawn("true", [], { sys: { credential: { uid: 0, gid: 0, noSetGroups: true } } }),
    );
    assert.equal(error.step, "validate");
    assert.match(error.message, /^sys\.credential\.uid: needs CAP_SETUID.*\nsys\.credential\.gid: needs CAP_SETGID/);
  });

  it("sets limits, soft and hard", async () => {
    const { stdout } = await sh("ulimit -Sn; ulimit -Hn; ulimit -c", {
      sys: {
        rlimits: [
          { type: "RLIMIT_NOFILE", soft: 100, hard: 200 },
          { type: "RLIMIT_CORE", soft: 0, hard: 0 },
        ],
      },
    });
    assert.equal(stdout, "100\n200\n0\n");
  });

  it("ends what uses too much processor time", async () => {
    const { status } = await sh("while :; do :; done", {
      sys: { rlimits: [{ type: "RLIMIT_CPU", soft: 1, hard: 2 }] },
    });
    assert.equal(status.signal, "SIGXCPU");
  });

  it("rings the alarm in real time", async () => {
    const { status } = await run("sleep", ["1000"], { sys: { realTimeLimit: 50 } });
    assert.equal(status.signal, "SIGALRM");
  });

  it("sets umask, oom score and a session keyring", async () => {
    const { stdout } = await sh("umask; cat /proc/self/oom_score_adj", {
      sys: { umask: 0o27, oomScoreAdj: 500, newSessionKeyring: true },
    });
    assert.match(stdout, /^0027\n500\n$/);
  });

  it("sets the oom score where the root has no /proc to write it to", async () => {
    const sys: Sys = { rootfs: { path: "/", readonly: true }, oomScoreAdj: 501 };
    const { stdout } = await run("cat", ["/proc/self/oom_score_adj"], inNamespaces(["CLONE_NEWNS"], sys));
    assert.equal(stdout, "501\n");
  });

  it("starts a session or a process group of its own", async () => {
    const line = "ps -o pid=,pgid=,sid= -p $$";
    const [pid, group, session] = (await sh(line, { sys: { setsid: true } })).stdout.trim().split(/\s+/);
    assert.equal(group, pid);
    assert.equal(session, pid);
    const [pid2, group2, session2] = (await sh(line, { sys: { setpgid: true } })).stdout.trim().split(/\s+/);
    assert.equal(group2, pid2);
    assert.notEqual(session2, pid2);
  });

  it("has a host name of its own", async () => {
    const { stdout } = await sh(
      "hostname",
      inNamespaces(["CLONE_NEWUTS"], { hostname: "inside", domainname: "example" }),
    );
    assert.equal(stdout, "inside\n");
  });

  it("is born in the cgroup that was given", async function () {
    if (!isRoot) skipBecause(this, "no cgroup is delegated to this user");
    const base = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].find((path) => existsSync(`${path}/cgroup.procs`));
    if (base === undefined) skipBecause(this, "there is no cgroup2 here");
    const folder = `${base}/spawner-test-${process.pid}`;
    mkdirSync(folder);
    const fd = openSync(folder, "r");
    try {
      const { stdout } = await run("grep", ["^0::", "/proc/self/cgroup"], { sys: { cgroupFD: fd } });
      assert.equal(stdout, `0::/spawner-test-${process.pid}\n`);
    } finally {
      closeSync(fd);
      rmdirSync(folder);
    }
  });
});

describe("terminal", () => {
  const options = {
    ...inNamespaces(["CLONE_NEWPID", "CLONE_NEWNS", "CLONE_NEWIPC"], WHOLE_ROOT),
    terminal: { columns: 101, rows: 37 },
  };

  async function inTerminal(line: string): Promise<{ output: string; code: number | null }> {
    const child = await api.spawn("sh", ["-c", line], options);
    assert.ok(child.terminal);
    let output = "";
    for await (const chunk of child.terminal.output) output += String(chunk);
    return { output, code: (await child.exited).code };
  }

  it("is the sandbox's own, has a name inside, and the size that was asked", async () => {
    const { output } = await inTerminal(
      "tty; stty size; test -t 0 -a -t 1 -a -t 2 && echo all; stty -a | grep -o iutf8",
    );
    assert.equal(output, "/dev/pts/0\r\n37 101\r\nall\r\niutf8\r\n");
  });

  it("is the controlling terminal of a session of its own", async () => {
    const { output } = await inTerminal("exec 3>/dev/tty && echo opened >&3; ps -o pid=,sid=,tpgid= -p $$");
    assert.match(output, /^opened\r\n\s+2\s+2\s+2\r\n$/);
  });

  it("takes input, and Ctrl-C as an interrupt", async () => {
    const reader = await api.spawn("sh", ["-c", "stty -echo; echo ready; read x; echo got $x"], options);
    assert.ok(reader.terminal);
    let heard = "";
    for await (const chunk of reader.terminal.output) {
      heard += String(chunk);
      if (heard === "ready\r\n") reader.terminal.write("words\n");
    }
    assert.equal(heard, "ready\r\ngot words\r\n");
    const child = await api.spawn(
      "sh",
      ["-c", "trap 'echo interrupted; exit 5' INT; echo ready; while :; do sleep 0.01; done"],
      options,
    );
    assert.ok(child.terminal);
    let output = "";
    for await (const chunk of child.terminal.output) {
      output += String(chunk);
      // Once: another one would flush what was written in answer to the first (NOFLSH in termios(3)).
      if (output === "ready\r\n") child.terminal.write("\x03");
    }
    assert.match(output, /interrupted/);
    assert.equal((await child.exited).code, 5);
  });

  it("tells of a new size", async () => {
    const child = await api.spawn(
      "sh",
      ["-c", "trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.01; done"],
      options,
    );
    assert.ok(child.terminal);
    let output = "";
    for await (const chunk of child.terminal.output) {
      output += String(chunk);
      if (output === "ready\r\n") child.terminal.resize(55, 22);
    }
    assert.equal(output, "ready\r\n22 55\r\n");
  });

  it("loses no byte before the end, however much there is", async () => {
    const { output } = await inTerminal(
      "i=0; while [ $i -lt 2000 ]; do echo line $i of the output; i=$((i+1)); done; printf last",
    );
    assert.equal(output.split("\r\n").length, 2001);
    assert.ok(output.endsWith("line 1999 of the output\r\nlast"));
  });

  it("does not hang up on a command that closes it before it exits", async () => {
    const line = "exec 0<&- 1>&- 2>&-; i=0; while [ $i -lt 300 ]; do i=$((i+1)); done; exit 0";
    for (const where of [options, { terminal: options.terminal }]) {
      const children = await Promise.all(Array.from({ length: 20 }, () => api.spawn("sh", ["-c", line], where)));
      for (const child of children) {
        child.terminal?.output.resume();
        assert.deepEqual([(await child.exited).code, (await child.exited).signal], [0, null]);
      }
    }
  });

  it("is given back, memory and all", async function () {
    if (isSanitized) skipBecause(this, "a sanitizer keeps freed memory");
    const thousand = async (): Promise<void> => {
      for (let i = 0; i < 50; i++) {
        const line = Array.from({ length: 20 }, () => api.spawn("true", [], { terminal: options.terminal }));
        for (const child of await Promise.all(line)) {
          child.terminal?.output.resume();
          await child.exited;
        }
      }
    };
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    // Heaps grow with what is in use at a time, and stay so.
    await thousand();
    collect();
    const before = process.memoryUsage.rss();
    await thousand();
    // Each has a buffer of 64 KiB: a thousand that were kept would be 64 MiB.
    await waitUntil("the memory is back", () => {
      collect();
      return process.memoryUsage.rss() - before < 40e6;
    });
  });

  it("works without any namespace too, on the host's devpts", async () => {
    const child = await api.spawn("tty", [], { terminal: { columns: 80, rows: 24 } });
    assert.ok(child.terminal);
    let output = "";
    for await (const chunk of child.terminal.output) output += String(chunk);
    assert.match(output, /^\/dev\/pts\/\d+\r\n$/);
  });

  it("is refused by name where the root has none", async () => {
    const { sys } = inNamespaces(["CLONE_NEWNS"], {
      rootfs: { path: "/", readonly: true },
      mounts: [{ destination: "/dev", type: "tmpfs" }],
    });
    const error = await rejection(api.spawn("true", [], { sys, terminal: { columns: 80, rows: 24 } }));
    assert.equal(error.step, "terminal");
    assert.match(error.remedy ?? "", /type dev on \/dev/);
  });
});
