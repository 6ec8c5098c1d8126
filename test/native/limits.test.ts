// Resource limits, the alarm, and what a command used: the judge's half of the contract.

import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { LIBRARY, LIBRARY_NODE } from "../support/library";
import { skipBecause } from "../support/skip";
import { SLOWNESS } from "../support/slowness";
import { makeTemp, removeTemp } from "../support/temp";
import { api, inNamespaces, isRoot, type Options, rejection, run, type Sys, sh, WHOLE_ROOT } from "./spawner-world";

type Rlimit = NonNullable<Sys["rlimits"]>[number];

/** A user that has no process of its own, so that limits which count them are exact. */
const NOBODY_ELSE = { uid: 54_321, gid: 54_321 };

/** Line of /proc/PID/limits by the name of the limit. */
const LINES: Readonly<Record<string, string>> = {
  RLIMIT_CPU: "Max cpu time",
  RLIMIT_FSIZE: "Max file size",
  RLIMIT_DATA: "Max data size",
  RLIMIT_STACK: "Max stack size",
  RLIMIT_CORE: "Max core file size",
  RLIMIT_RSS: "Max resident set",
  RLIMIT_NPROC: "Max processes",
  RLIMIT_NOFILE: "Max open files",
  RLIMIT_MEMLOCK: "Max locked memory",
  RLIMIT_AS: "Max address space",
  RLIMIT_LOCKS: "Max file locks",
  RLIMIT_SIGPENDING: "Max pending signals",
  RLIMIT_MSGQUEUE: "Max msgqueue size",
  RLIMIT_NICE: "Max nice priority",
  RLIMIT_RTPRIO: "Max realtime priority",
  RLIMIT_RTTIME: "Max realtime timeout",
};

function fromTable(table: string, type: string): [soft: string, hard: string] {
  const fields = new RegExp(`^${LINES[type]} +(\\S+) +(\\S+)`, "m").exec(table);
  return [fields?.[1] ?? "?", fields?.[2] ?? "?"];
}

/** Root in a container often may not. */
function mayRaise(): boolean {
  const effective = /^CapEff:\t(\w+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  return ((BigInt(`0x${effective}`) >> 24n) & 1n) === 1n; // CAP_SYS_RESOURCE
}

const only = (type: string, soft: number, hard = soft): Options => ({ sys: { rlimits: [{ type, soft, hard }] } });

describe("resource limits", () => {
  let folder: string;
  before(() => {
    folder = makeTemp("limits");
  });
  after(() => removeTemp(folder));

  it("are set, soft and hard, for each of the sixteen kinds", async () => {
    const own = readFileSync("/proc/self/limits", "utf8");
    const rlimits = Object.keys(LINES).map((type, i): Rlimit => {
      const most = fromTable(own, type)[1];
      const wanted = 1_000_000_000 + i; // memory enough for cat; a number of its own for each
      const hard = most === "unlimited" ? wanted : Math.min(Number(most), wanted);
      return { type, soft: Math.max(0, hard - 100), hard };
    });
    const { stdout } = await run("cat", ["/proc/self/limits"], { sys: { rlimits } });
    for (const { type, soft, hard } of rlimits) assert.deepEqual(fromTable(stdout, type), [`${soft}`, `${hard}`], type);
  });

  it("leave what was not named as it is", async () => {
    const own = readFileSync("/proc/self/limits", "utf8");
    const { stdout } = await run("cat", ["/proc/self/limits"], only("RLIMIT_CORE", 0));
    for (const type of Object.keys(LINES)) {
      if (type !== "RLIMIT_CORE" && type !== "RLIMIT_NOFILE") {
        assert.deepEqual(fromTable(stdout, type), fromTable(own, type), type);
      }
    }
  });

  it("take -1 for unlimited", async function () {
    if (fromTable(readFileSync("/proc/self/limits", "utf8"), "RLIMIT_AS")[1] !== "unlimited") {
      skipBecause(this, "this process has a limit on its address space");
    }
    const { stdout } = await run("cat", ["/proc/self/limits"], only("RLIMIT_AS", 1_000_000_000, -1));
    assert.deepEqual(fromTable(stdout, "RLIMIT_AS"), ["1000000000", "unlimited"]);
  });

  it("hold for the command under a PID 1 of ours as well", async () => {
    const options = inNamespaces(["CLONE_NEWPID", "CLONE_NEWNS"], {
      ...WHOLE_ROOT,
      rlimits: [
        { type: "RLIMIT_NOFILE", soft: 5, hard: 6 },
        { type: "RLIMIT_CORE", soft: 0, hard: 0 },
      ],
    });
    const { stdout } = await run("cat", ["/proc/self/limits"], options);
    assert.deepEqual(fromTable(stdout, "RLIMIT_NOFILE"), ["5", "6"]);
    assert.deepEqual(fromTable(stdout, "RLIMIT_CORE"), ["0", "0"]);
  });

  it("CPU: SIGXCPU at the soft limit, SIGKILL at the hard one", async () => {
    const limit = only("RLIMIT_CPU", 1, 2);
    const [warned, deaf] = await Promise.all([
      sh("while :; do :; done", limit),
      sh("trap '' XCPU; while :; do :; done", limit),
    ]);
    assert.equal(warned.status.signal, "SIGXCPU");
    assert.equal(deaf.status.signal, "SIGKILL");
    const used = deaf.status.userTime + deaf.status.systemTime;
    // It is looked at by a tick of the clock, which comes late to a machine that is emulated.
    assert.ok(used > 1.5 && used < 2 + SLOWNESS, `${used} s`);
  });

  for (const type of ["RLIMIT_AS", "RLIMIT_DATA"]) {
    it(`${type}: an allocation beyond it fails, and one below it does not`, async () => {
      const allocate = (bytes: number) => ["-e", `$x = "x" x ${bytes}; print length $x`];
      assert.equal((await run("perl", allocate(10_000_000), only(type, 100_000_000))).stdout, "10000000");
      const { status, stderr } = await run("perl", allocate(200_000_000), only(type, 100_000_000));
      assert.notEqual(status.code, 0);
      assert.match(stderr, /out of memory/i);
    });
  }

  it("FSIZE: SIGXFSZ, with exactly so many bytes written", async () => {
    const file = join(folder, "too-large");
    const line = `exec dd if=/dev/zero of=${file} bs=1000 count=100`;
    const { status } = await sh(line, only("RLIMIT_FSIZE", 12_345));
    assert.equal(status.signal, "SIGXFSZ");
    assert.equal(statSync(file).size, 12_345);
  });

  it("STACK: a quarter of it is room for the arguments, from the very first execve on", async () => {
    const args = Array.from({ length: 5 }, () => "x".repeat(100_000));
    assert.equal((await run("true", args)).status.code, 0);
    const error = await rejection(api.spawn("true", args, only("RLIMIT_STACK", 1_000_000)));
    assert.equal(error.step, "exec");
    assert.equal(error.code, "E2BIG");
  });

  it("NOFILE: EMFILE beyond it", async () => {
    const count = 'while (open(my $f, "<", "/dev/null")) { push @f, $f } print scalar(@f), " ", $! + 0';
    const { stdout } = await run("perl", ["-e", count], only("RLIMIT_NOFILE", 20));
    assert.equal(stdout, "17 24");
  });

  it("NPROC: EAGAIN for one process more than the user may have", async () => {
    const credential = isRoot ? { credential: NOBODY_ELSE } : {};
    const fork = '$p = fork; if (!defined $p) { print "refused ", $! + 0 } elsif ($p) { wait; print "forked" }';
    const sys = (limit: number): Options => ({
      sys: { ...credential, rlimits: [{ type: "RLIMIT_NPROC", soft: limit, hard: limit }] },
    });
    assert.equal((await run("perl", ["-e", fork], sys(1))).stdout, "refused 11");
    if (isRoot) assert.equal((await run("perl", ["-e", fork], sys(2))).stdout, "forked");
  });

  it("CORE: no core file at 0, one where it is allowed", async function () {
    const crash = (limit: number) => sh("kill -SEGV $$", { ...only("RLIMIT_CORE", limit), cwd: folder });
    assert.equal((await crash(0)).status.coreDumped, false);
    const pattern = readFileSync("/proc/sys/kernel/core_pattern", "utf8").trim();
    if (pattern === "" || /[|/]/.test(pattern)) skipBecause(this, `core files go elsewhere here (${pattern})`);
    if (fromTable(readFileSync("/proc/self/limits", "utf8"), "RLIMIT_CORE")[1] !== "unlimited") {
      skipBecause(this, "this process may not write core files");
    }
    assert.equal((await crash(-1)).status.coreDumped, true);
  });

  it("MEMLOCK: memory beyond it can't be locked", async () => {
    const mlock = process.arch === "arm64" ? 228 : 149;
    const lock = `$x = "x" x 100_000; print syscall(${mlock}, $x, 100_000) == 0 ? "locked" : "refused " . ($! + 0)`;
    // In a user namespace root's CAP_IPC_LOCK counts for nothing: the kernel asks for that of the first one.
    const limited = (bytes: number) =>
      run("perl", ["-e", lock], inNamespaces([], { rlimits: [{ type: "RLIMIT_MEMLOCK", soft: bytes, hard: bytes }] }));
    assert.equal((await limited(1_000_000)).stdout, "locked");
    assert.equal((await limited(50_000)).stdout, "refused 12");
  });

  it("NICE: a priority up to it may be taken without privilege", async function () {
    if (!mayRaise()) skipBecause(this, "raising a hard limit needs CAP_SYS_RESOURCE");
    // nice -10 is 30 in the limit's terms (getrlimit(2)).
    const sys: Sys = { credential: NOBODY_ELSE, rlimits: [{ type: "RLIMIT_NICE", soft: 30, hard: 30 }] };
    assert.equal((await run("nice", ["-n", "-10", "nice"], { sys })).stdout, "-10\n");
    assert.match((await run("nice", ["-n", "-11", "nice"], { sys })).stderr, /Permission denied/);
  });

  it("can be raised by root alone, even for another user, and the refusal is named", async () => {
    const [, most] = fromTable(readFileSync("/proc/self/limits", "utf8"), "RLIMIT_NOFILE");
    const more = Number(most) + 1;
    const limits = [{ type: "RLIMIT_NOFILE", soft: 10, hard: more }];
    if (mayRaise()) {
      const sys: Sys = { credential: NOBODY_ELSE, rlimits: limits };
      assert.equal((await sh("ulimit -Sn; ulimit -Hn", { sys })).stdout, `10\n${more}\n`);
      return;
    }
    const error = await rejection(api.spawn("true", [], { sys: { rlimits: limits } }));
    assert.equal(error.step, "validate");
    assert.match(error.message, new RegExp(`^sys\\.rlimits\\[0\\]\\.hard: must be at most ${most}.*CAP_SYS_RESOURCE`));
  });
});

describe("the limit of open files", () => {
  const LIMITS = "ulimit -Sn; ulimit -Hn";
  const ownHard = Number(fromTable(readFileSync("/proc/self/limits", "utf8"), "RLIMIT_NOFILE")[1]);

  /** What the script prints in a Node that the shell starts, in the shell's own way. */
  async function hostStartedBy(shell: string, script: string): Promise<unknown> {
    const program = `
      const api = require(${JSON.stringify(LIBRARY)});
      const { text } = require("node:stream/consumers");
      const { execFileSync } = require("node:child_process");
      const limits = async (options) => {
        const child = await api.spawn("sh", ["-c", "${LIMITS}"], options);
        const output = await text(child.stdout ?? child.terminal.output);
        await child.exited;
        return output.trim().split(/\\s+/).map(Number);
      };
      (async () => { ${script} })().then((result) => console.log(JSON.stringify(result)));`;
    const { stdout, stderr } = await sh(shell, { env: { ...process.env, NODE: LIBRARY_NODE, PROGRAM: program } });
    assert.notEqual(stdout, "", stderr);
    return JSON.parse(stdout);
  }

  /** `; :` keeps the shell there as Node's parent. */
  const LOW = 'ulimit -Sn 256; "$NODE" -e "$PROGRAM"; :';

  it("is for the child what it was for the user before Node raised it", async () => {
    assert.deepEqual(await hostStartedBy(LOW, "return limits()"), [256, ownHard]);
  });

  it("is so under a PID 1 of ours and in a terminal too", async () => {
    const options = inNamespaces(["CLONE_NEWPID", "CLONE_NEWNS"], WHOLE_ROOT);
    const script = `return Promise.all([
      limits(${JSON.stringify(options)}),
      limits({ terminal: { columns: 80, rows: 24 } }),
    ])`;
    assert.deepEqual(await hostStartedBy(LOW, script), [
      [256, ownHard],
      [256, ownHard],
    ]);
  });

  it("is found past every Node between the user and us", async () => {
    const script = `
      if (process.env.DEEP === "3") return limits();
      const env = { ...process.env, DEEP: String(Number(process.env.DEEP ?? 0) + 1) };
      return JSON.parse(execFileSync(process.env.NODE, ["-e", process.env.PROGRAM], { env }));`;
    assert.deepEqual(await hostStartedBy(LOW, script), [256, ownHard]);
  });

  it("is shown by explain, with the reason", async () => {
    const script = 'return api.explain("true").filter(({ name }) => name === "rlimit")';
    assert.deepEqual(await hostStartedBy(LOW, script), [
      { name: "rlimit", detail: "RLIMIT_NOFILE 256 (soft, as it was before Node raised it)" },
    ]);
  });

  it("is what sys.rlimits says, where it says something", async () => {
    const script = 'return limits({ sys: { rlimits: [{ type: "RLIMIT_NOFILE", soft: 100, hard: 200 }] } })';
    assert.deepEqual(await hostStartedBy(LOW, script), [100, 200]);
  });

  it("stays as it is where the user chose it: both limits set by hand, or not low at all", async () => {
    const script = 'return [await limits(), api.explain("true").some(({ name }) => name === "rlimit")]';
    const chosen = `ulimit -Sn 256; sh -c 'ulimit -n 300; exec "$NODE" -e "$PROGRAM"'; :`;
    assert.deepEqual(await hostStartedBy(chosen, script), [[300, 300], false]);
    const high = 'ulimit -Sn "$(ulimit -Hn)"; "$NODE" -e "$PROGRAM"; :';
    assert.deepEqual(await hostStartedBy(high, script), [[ownHard, ownHard], false]);
  });

  it("follows a hard limit that was lowered meanwhile", async () => {
    const script = `
      const before = await limits();
      execFileSync("prlimit", ["--pid", String(process.pid), "--nofile=100:100"]);
      return [before, await limits()];`;
    assert.deepEqual(await hostStartedBy(LOW, script), [
      [256, ownHard],
      [100, 100],
    ]);
  });

  it("leaves the set-up of a child its fds, however low it is", async () => {
    const rlimits = [{ type: "RLIMIT_NOFILE", soft: 1, hard: 4 }];
    const options = inNamespaces(["CLONE_NEWPID", "CLONE_NEWNS", "CLONE_NEWIPC"], { ...WHOLE_ROOT, rlimits });
    const starved = await run("true", [], options);
    assert.equal(starved.status.code, 127, "the command's loader is the first that lacks an fd");
    const wide = { ...options, sys: { ...options.sys, rlimits: [{ type: "RLIMIT_NOFILE", soft: 4, hard: 4 }] } };
    assert.equal((await sh(LIMITS, wide)).stdout, "4\n4\n");
  });
});

describe("the alarm (ITIMER_REAL)", () => {
  it("rings once, in real time, and can be caught", async () => {
    const { status, stdout } = await sh("trap 'echo rang; exit 7' ALRM; while :; do sleep 0.01; done", {
      sys: { realTimeLimit: 300 },
    });
    assert.equal(stdout, "rang\n");
    assert.equal(status.code, 7);
    assert.ok(status.wallTime >= 0.29, `${status.wallTime} s`);
  });

  it("is the command's and not its PID 1's", async () => {
    const { status } = await run(
      "sleep",
      ["1000"],
      inNamespaces(["CLONE_NEWPID", "CLONE_NEWNS"], { ...WHOLE_ROOT, realTimeLimit: 50 }),
    );
    assert.equal(status.signal, "SIGALRM");
    assert.equal(status.reason, undefined);
  });
});

describe("what a command used", () => {
  const INSIDE = inNamespaces(["CLONE_NEWPID", "CLONE_NEWNS"], WHOLE_ROOT);
  const BURN_USER = "1 while (times)[0] < 0.2;";
  const BURN_SYSTEM = 'stat "/proc/self/status" while (times)[1] < 0.2;';
  /** Seconds in which a fifth of one is burnt by any machine, with the start of perl. */
  const MOST = 1 * SLOWNESS;
  const TOUCH = '$x = "x" x 50_000_000;';

  for (const [where, options] of [
    ["alone", {}],
    ["under a PID 1 of ours", INSIDE],
  ] as const) {
    it(`is told in seconds of user and of system time, ${where}`, async () => {
      const user = (await run("perl", ["-e", BURN_USER], options)).status;
      assert.ok(user.userTime >= 0.18 && user.userTime < MOST, `user ${user.userTime} s`);
      const system = (await run("perl", ["-e", BURN_SYSTEM], options)).status;
      assert.ok(system.systemTime >= 0.15 && system.systemTime < MOST, `system ${system.systemTime} s`);
      assert.ok(system.wallTime >= system.systemTime * 0.9);
      const idle = (await run("sleep", ["0.3"], options)).status;
      assert.ok(idle.userTime + idle.systemTime < MOST / 10, `idle ${idle.userTime} ${idle.systemTime}`);
      assert.ok(idle.wallTime >= 0.3 && idle.wallTime < 20 * MOST, `wall ${idle.wallTime}`);
    });

    it(`is told in bytes at the peak, also when they were given back, ${where}`, async () => {
      const { status } = await run("perl", ["-e", `{ ${TOUCH} undef $x }`], options);
      // What the kernel counts for a direct child begins with our own memory, which it shared until its execve.
      const ours = where === "alone" ? process.resourceUsage().maxRSS * 1024 : 0;
      assert.ok(status.maxRss > 50e6 && status.maxRss <= Math.max(ours, 250e6), `${status.maxRss}`);
    });

    it(`counts the children that it waited for, ${where}`, async () => {
      const { status } = await sh(`perl -e '${TOUCH} ${BURN_USER}'; true`, options);
      assert.ok(status.userTime >= 0.18, `${status.userTime} s`);
      assert.ok(status.maxRss > 50e6, `${status.maxRss}`);
    });
  }

  it("counts under a PID 1 what nobody waited for, too", async () => {
    // The orphan tells through a pipe that it is done, and is killed together with the sandbox.
    const orphan = `(perl -e '$SIG{HUP}="IGNORE"; ${TOUCH} ${BURN_USER} print "x\\n"; close STDOUT; sleep 1000' &) | head -n1`;
    const { status } = await sh(`x=$( ${orphan} ); test "$x" = x`, INSIDE);
    assert.equal(status.code, 0);
    assert.ok(status.userTime >= 0.18, `${status.userTime} s`);
    assert.ok(status.maxRss > 50e6, `${status.maxRss}`);
  });
});
