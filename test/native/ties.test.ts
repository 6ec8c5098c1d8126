// What ties a child to us: the parent-death signal and the look at whether we are still there, the cgroup that it is
// born in, and the pidfd that is it and nobody else.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { LIBRARY, LIBRARY_NODE } from "../support/library";
import { waitUntil } from "../support/processes";
import { skipBecause } from "../support/skip";
import { makeTemp, removeTemp } from "../support/temp";
import { isGone, procStat } from "./proc-stat";
import { api, children, inNamespaces, isRoot, rejection, run, type Sys, sh, WHOLE_ROOT } from "./spawner-world";

/** A Node of its own that runs a script and then waits for its end. */
async function startHost(
  script: string,
  env: NodeJS.ProcessEnv = {},
): Promise<{ said: unknown; kill: () => Promise<void> }> {
  const program = `
    const api = require(${JSON.stringify(LIBRARY)});
    (async () => { ${script} })().then((result) => console.log(JSON.stringify(result)));
    setInterval(() => undefined, 1000);`;
  const host = await api.spawn(LIBRARY_NODE, ["-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  assert.ok(host.stdout);
  const line = await host.stdout[Symbol.asyncIterator]().next();
  const kill = async (): Promise<void> => {
    host.kill("SIGKILL");
    await host.exited;
  };
  return { said: JSON.parse(String(line.value)), kill };
}

/** A cgroup of this test, or the reason why there is none. */
function makeCgroup(context: Mocha.Context, name: string): { path: string; fd: number; remove: () => void } {
  if (!isRoot) skipBecause(context, "no cgroup is delegated to this user");
  const base = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].find((path) => existsSync(`${path}/cgroup.procs`));
  if (base === undefined) skipBecause(context, "there is no cgroup2 here");
  const path = `${base}/ties-${name}-${process.pid}`;
  mkdirSync(path);
  const fd = openSync(path, "r");
  const remove = (): void => {
    closeSync(fd);
    if (existsSync(path)) rmdirSync(path);
  };
  return { path, fd, remove };
}

const members = (cgroup: string): number[] =>
  readFileSync(`${cgroup}/cgroup.procs`, "utf8").split("\n").filter(Boolean).map(Number);

describe("the parent-death signal", () => {
  let folder: string;
  before(() => {
    folder = makeTemp("ties");
  });
  after(() => removeTemp(folder));

  it("is what a child without it does not get", async () => {
    const host = await startHost('return (await api.spawn("sleep", ["1000"])).pid');
    const pid = Number(host.said);
    await host.kill();
    assert.equal(isGone(pid), false);
    process.kill(pid, "SIGKILL");
    await waitUntil("it is gone", () => isGone(pid));
  });

  it("is the one that was asked for, and may be caught", async () => {
    const told = join(folder, "told");
    const line = "trap 'echo told > $TOLD; exit' USR1; echo ready; while :; do sleep 0.01; done";
    const script = `
      const child = await api.spawn("sh", ["-c", process.env.LINE], { sys: { pdeathsig: "SIGUSR1" } });
      await child.stdout[Symbol.asyncIterator]().next();
      return child.pid;`;
    const host = await startHost(script, { LINE: line, TOLD: told });
    await host.kill();
    await waitUntil("the child was told", () => existsSync(told) && readFileSync(told, "utf8") === "told\n");
    await waitUntil("it is gone", () => isGone(Number(host.said)));
  });

  for (const [what, sys] of [
    ["a change of user", { credential: { uid: 4711, gid: 4711 } }],
    ["dropped capabilities", { capabilities: {}, noNewPrivileges: true }],
    ["ambient capabilities", { credential: { uid: 4711, gid: 4711 }, ambientCaps: ["CAP_NET_RAW"] }],
    ["a new user namespace", inNamespaces([]).sys],
    ["a PID 1 of ours", inNamespaces(["CLONE_NEWPID", "CLONE_NEWNS"], WHOLE_ROOT).sys],
  ] as const) {
    it(`lasts through ${what}`, async function () {
      if (!isRoot && !("cloneflags" in sys)) skipBecause(this, "only root may change who it is");
      const options = JSON.stringify({ sys: { ...sys, pdeathsig: "SIGKILL" } });
      const host = await startHost(`return (await api.spawn("sleep", ["1000"], ${options})).pid`);
      assert.equal(isGone(Number(host.said)), false);
      await host.kill();
      await waitUntil("it is gone", () => isGone(Number(host.said)));
    });
  }

  for (const [where, sys] of [
    ["alone", {}],
    ["under a PID 1 of ours", inNamespaces(["CLONE_NEWPID"]).sys],
  ] as const) {
    for (const tied of [true, false]) {
      const what = tied ? "never runs when we died before it was set" : "would run without it, though we are dead";
      it(`a child ${what}, ${where}`, async function () {
        // Born frozen, the child has not made one system call when its parent is killed.
        const cgroup = makeCgroup(this, `frozen-${tied}`);
        try {
          writeFileSync(join(cgroup.path, "cgroup.freeze"), "1");
          const ran = join(folder, `ran-${where}-${tied}`);
          const script = `
            const fd = require("node:fs").openSync(process.env.CGROUP, "r");
            const sys = { ...JSON.parse(process.env.SYS), cgroupFD: fd };
            void api.spawn("sh", ["-c", 'echo ran > "$RAN"'], { sys, stdio: "ignore" });
            return "asked";`;
          const asked = { ...sys, ...(tied ? { pdeathsig: "SIGKILL" } : { pdeathsig: undefined }) };
          const env = { CGROUP: cgroup.path, RAN: ran, SYS: JSON.stringify(asked) };
          const host = await startHost(script, env);
          const [child = 0] = await waitUntil("the child is born", () => {
            const pids = members(cgroup.path);
            return pids.length > 0 && pids;
          });
          await host.kill();
          assert.equal(isGone(child), false);
          assert.notEqual(procStat(child).parent, process.pid);
          writeFileSync(join(cgroup.path, "cgroup.freeze"), "0");
          await waitUntil("the child has ended", () => members(cgroup.path).length === 0);
          assert.equal(existsSync(ran), !tied);
        } finally {
          writeFileSync(join(cgroup.path, "cgroup.kill"), "1");
          await waitUntil("the cgroup is empty", () => members(cgroup.path).length === 0);
          cgroup.remove();
        }
      });
    }
  }
});

describe("cgroupFD", () => {
  it("is where the child and all its descendants are from the first moment on", async function () {
    const cgroup = makeCgroup(this, "born");
    try {
      const line = "cat /proc/self/cgroup; (cat /proc/self/cgroup); cat /proc/$$/cgroup";
      for (const sys of [{}, inNamespaces(["CLONE_NEWPID", "CLONE_NEWNS"], WHOLE_ROOT).sys]) {
        const { stdout } = await sh(line, { sys: { ...sys, cgroupFD: cgroup.fd } });
        const paths = Array.from(stdout.matchAll(/^0::(.*)$/gm), ([, path]) => path);
        assert.deepEqual(
          paths,
          Array.from({ length: 3 }, () => `/${cgroup.path.split("/").at(-1)}`),
        );
      }
    } finally {
      cgroup.remove();
    }
  });

  it("is the root that a new cgroup namespace shows", async function () {
    const cgroup = makeCgroup(this, "namespace");
    try {
      const sys: Sys = { ...inNamespaces(["CLONE_NEWCGROUP"]).sys, cgroupFD: cgroup.fd };
      assert.match((await run("cat", ["/proc/self/cgroup"], { sys })).stdout, /^0::\/$/m);
    } finally {
      cgroup.remove();
    }
  });

  it("ends the child when the cgroup is killed", async function () {
    const cgroup = makeCgroup(this, "killed");
    try {
      const child = await api.spawn("sleep", ["1000"], { sys: { cgroupFD: cgroup.fd } });
      assert.deepEqual(members(cgroup.path), [child.pid]);
      writeFileSync(join(cgroup.path, "cgroup.kill"), "1");
      assert.equal((await child.exited).signal, "SIGKILL");
    } finally {
      cgroup.remove();
    }
  });

  it("lets a child that is born frozen be ended by the timeout, while we go on", async function () {
    const cgroup = makeCgroup(this, "frozen");
    try {
      writeFileSync(join(cgroup.path, "cgroup.freeze"), "1");
      const start = Date.now();
      await assert.rejects(api.spawn("true", [], { sys: { cgroupFD: cgroup.fd }, timeout: 200 }));
      assert.ok(Date.now() - start < 15_000);
      await waitUntil("it is gone", () => members(cgroup.path).length === 0);
      assert.deepEqual(children(), []);
    } finally {
      cgroup.remove();
    }
  });

  it("is refused by name: what is no cgroup, one that is gone", async function () {
    const none = openSync("/tmp", "r");
    const error = await rejection(api.spawn("true", [], { sys: { cgroupFD: none } }));
    closeSync(none);
    assert.deepEqual([error.step, error.code], ["clone3", "EBADF"]);
    const cgroup = makeCgroup(this, "gone");
    rmdirSync(cgroup.path);
    const gone = await rejection(api.spawn("true", [], { sys: { cgroupFD: cgroup.fd } }));
    cgroup.remove();
    assert.equal(gone.step, "clone3");
    assert.match(gone.code, /^(ENOENT|ENODEV)$/); // before and since the kernel tells the two apart
    assert.deepEqual(children(), []);
  });

  it("is refused by name to an ordinary user who may not write there", async function () {
    if (isRoot) skipBecause(this, "root may");
    const base = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].find((path) => existsSync(`${path}/cgroup.procs`));
    if (base === undefined) skipBecause(this, "there is no cgroup2 here");
    const fd = openSync(base, "r");
    const error = await rejection(api.spawn("true", [], { sys: { cgroupFD: fd } }));
    closeSync(fd);
    assert.deepEqual([error.step, error.code], ["clone3", "EACCES"]);
  });
});

describe("the pidfd of a child", () => {
  for (const [where, sys] of [
    ["alone", {}],
    ["in a new user namespace", inNamespaces([]).sys],
    ["in new user and PID namespaces", inNamespaces(["CLONE_NEWPID"]).sys],
  ] as const) {
    it(`is of that process, and close-on-exec, ${where}`, async () => {
      await using child = await api.spawn("sleep", ["1000"], { sys });
      const info = readFileSync(`/proc/self/fdinfo/${child.pidfd}`, "utf8");
      assert.match(info, new RegExp(`^Pid:\\t${child.pid}$`, "m"));
      const openFlags = Number.parseInt(/^flags:\t(\d+)$/m.exec(info)?.[1] ?? "0", 8);
      assert.equal(openFlags & 0o2000000, 0o2000000); // O_CLOEXEC
      const theirs = spawn("ls", ["-l", "/proc/self/fd"], { stdio: ["ignore", "pipe", "inherit"] });
      assert.doesNotMatch(await text(theirs.stdout), /pidfd/);
    });

    it(`signals it and is waited for, ${where}`, async () => {
      const child = await api.spawn("sleep", ["1000"], { sys });
      api.pidfdSendSignal(child.pidfd, 0);
      const ended = api.pidfdWait(child.pidfd);
      api.pidfdSendSignal(child.pidfd, "SIGKILL");
      assert.equal((await ended).signal, "SIGKILL");
      assert.equal((await child.exited).signal, "SIGKILL");
      assert.equal(child.pidfd, -1);
    });
  }
});
