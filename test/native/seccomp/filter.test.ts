// sys.seccomp: an OCI filter is what the kernel does, and what it refuses is told.

import assert from "node:assert/strict";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isSanitized } from "../../support/library";
import { skipBecause } from "../../support/skip";
import { api, inNamespaces, type Options, rejection, run, type Sys } from "../spawner-world";
import { CALLS, call, results } from "./numbers";

type Filter = NonNullable<Sys["seccomp"]>;
type Rules = NonNullable<Filter["syscalls"]>;
type Denied = Parameters<NonNullable<Options["onDenied"]>>[0][number];

const allowing = (...syscalls: Rules): Filter => ({ defaultAction: "SCMP_ACT_ALLOW", syscalls });
const refusing = (names: string[], more: Partial<Rules[number]> = {}): Rules[number] => ({
  names,
  action: "SCMP_ACT_ERRNO",
  ...more,
});

async function under(seccomp: Filter, calls: string[], options: Options = {}): ReturnType<typeof run> {
  return run(CALLS(), calls, { ...options, sys: { ...options.sys, noNewPrivileges: true, seccomp } });
}

const returned = async (seccomp: Filter, ...calls: string[]): Promise<(number | string)[]> =>
  results((await under(seccomp, calls)).stdout);

/** What a static program asks for on its way up and out, and PID 1 never. */
const LIFE = [
  ...["execve", "exit_group", "write", "brk", "arch_prctl", "set_tid_address", "set_robust_list", "rseq", "prlimit64"],
  ...["readlink", "readlinkat", "getrandom", "mprotect", "newfstatat", "fstat", "mmap", "munmap", "futex", "uname"],
];

describe("a system call filter", () => {
  let canTell = false;

  before(async () => {
    canTell = (await api.probe()).some(({ feature, available }) => feature === "seccomp notification" && available);
  });

  it("refuses with the errno of its rule, and nothing else", async () => {
    const filter = allowing(refusing(["keyctl"]), refusing(["add_key"], { errnoRet: 13 }));
    assert.deepEqual(await returned(filter, call("keyctl"), call("add_key"), call("umask", 0o22)), [
      "EPERM",
      "EACCES",
      0o22,
    ]);
  });

  it("allows only what is named, where the default refuses; what is newer than all that is missing", async () => {
    const filter: Filter = {
      defaultAction: "SCMP_ACT_ERRNO",
      defaultErrnoRet: 13,
      syscalls: [{ names: [...LIFE, "getppid", "close_range"], action: "SCMP_ACT_ALLOW" }],
    };
    const [parent, umask, newer, last] = await returned(
      filter,
      call("getppid"),
      call("umask"),
      call(460),
      call(0x3fff_ffff),
    );
    assert.ok(Number(parent) >= 0);
    assert.deepEqual([umask, newer, last], ["EACCES", "ENOSYS", "ENOSYS"]);
  });

  it("asks a rule about arguments first, then what allows, then what refuses, whatever their order", async () => {
    const high = { index: 0, op: "SCMP_CMP_GE" as const, value: 0o700 };
    const filter: Filter = allowing(
      refusing(["umask"], { errnoRet: 13 }),
      { names: ["umask"], action: "SCMP_ACT_ALLOW", args: [{ index: 0, op: "SCMP_CMP_LT", value: 0o100 }] },
      refusing(["umask", "getpid"], { args: [high], errnoRet: 22 }),
    );
    assert.deepEqual(await returned(filter, call("umask", 0o700), call("umask", 0o400), call("umask", 0o22)), [
      "EINVAL",
      "EACCES",
      0o22,
    ]);
  });

  it("compares as each operator says, all 64 bits", async () => {
    const of = (op: Rules[number]["args"], ...values: string[]): Promise<(number | string)[]> =>
      returned(allowing(refusing(["getppid"], { args: op ?? [] })), ...values.map((value) => call("getppid", value)));
    const refused = async (op: NonNullable<Rules[number]["args"]>[number], ...values: string[]): Promise<boolean[]> =>
      (await of([op], ...values)).map((result) => result === "EPERM");
    const five = ["4", "5", "6", "0x100000005"];
    assert.deepEqual(await refused({ index: 0, op: "SCMP_CMP_NE", value: 5 }, ...five), [true, false, true, true]);
    assert.deepEqual(await refused({ index: 0, op: "SCMP_CMP_LT", value: 5 }, ...five), [true, false, false, false]);
    assert.deepEqual(await refused({ index: 0, op: "SCMP_CMP_LE", value: 5 }, ...five), [true, true, false, false]);
    assert.deepEqual(await refused({ index: 0, op: "SCMP_CMP_EQ", value: 5 }, ...five), [false, true, false, false]);
    assert.deepEqual(await refused({ index: 0, op: "SCMP_CMP_GE", value: 5 }, ...five), [false, true, true, true]);
    assert.deepEqual(await refused({ index: 0, op: "SCMP_CMP_GT", value: 5 }, ...five), [false, false, true, true]);
    const masked = { index: 0, op: "SCMP_CMP_MASKED_EQ", value: 0xffff_ffff, valueTwo: 5 } as const;
    assert.deepEqual(await refused(masked, ...five), [false, true, false, true]);
    const all = 0xffff_ffff_ffff_ffffn;
    assert.deepEqual(await refused({ index: 0, op: "SCMP_CMP_EQ", value: all }, "0xffffffffffffffff", "-1", "1"), [
      true,
      true,
      false,
    ]);
  });

  it("takes several conditions on one argument for alternatives, as runc does", async () => {
    const args = [4, 6].map((value) => ({ index: 0, op: "SCMP_CMP_EQ" as const, value }));
    const seen = await returned(
      allowing(refusing(["getppid"], { args })),
      ...[4, 5, 6].map((value) => call("getppid", value)),
    );
    assert.deepEqual(
      seen.map((result) => result === "EPERM"),
      [true, false, true],
    );
  });

  it("ends a process that enters by another architecture's door, unless that is listed", async function () {
    if (process.arch !== "x64") skipBecause(this, "only x86-64 has such doors");
    const filter = allowing(refusing(["keyctl"]));
    // Without CONFIG_IA32_EMULATION there is no such door, and who tries it dies of that.
    const { status } = await run(CALLS(), ["i386:20"]);
    const doors = [...(status.signal === null ? ["i386:20"] : []), `x32:${call("getpid")}`];
    for (const door of doors) {
      assert.equal((await under(filter, [door])).status.signal, "SIGSYS", door);
    }
    const listed = { ...filter, architectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X32"] as const };
    const [i386, keyctl] = results((await under(listed, ["i386:20", "i386:288"])).stdout);
    if (typeof i386 === "number" && i386 > 0) assert.equal(keyctl, "EPERM");
    const x32 = await under(listed, [`x32:${call("getpid")}`]);
    assert.notEqual(x32.status.signal, "SIGSYS");
  });

  it("can end a process, a rule at a time", async () => {
    const kill = (action: Rules[number]["action"]): Filter => allowing({ names: ["keyctl"], action });
    for (const action of ["SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRAP"] as const) {
      assert.equal((await under(kill(action), [call("keyctl")])).status.signal, "SIGSYS", action);
    }
  });

  it("holds below PID 1, and for all that the command starts", async () => {
    const { sys } = inNamespaces(["CLONE_NEWPID"]);
    const { stdout } = await run("sh", ["-c", `${CALLS()} ${call("keyctl")}; exec ${CALLS()} ${call("keyctl")}`], {
      sys: { ...sys, noNewPrivileges: true, seccomp: allowing(refusing(["keyctl"])) },
    });
    assert.deepEqual(results(stdout), ["EPERM", "EPERM"]);
  });

  it("that is too long for the kernel is refused, not cut", async () => {
    const args = (value: number): Rules[number]["args"] => [{ index: 1, op: "SCMP_CMP_EQ", value }];
    const rules = Array.from({ length: 4200 }, (_, i) => refusing(["ioctl"], { args: args(i * 7) ?? [] }));
    const error = await rejection(run("true", [], { sys: { noNewPrivileges: true, seccomp: allowing(...rules) } }));
    assert.match(error.message, /^sys\.seccomp: .*longer than the kernel takes/);
  });

  describe("tells of what it refuses", () => {
    beforeEach(function () {
      if (!canTell) skipBecause(this, "the kernel does not tell: probe(), seccomp notification");
    });

    const told = async (
      seccomp: Filter,
      calls: string[],
      options: Options = {},
    ): Promise<[Denied[], (number | string)[]]> => {
      const denied: Denied[] = [];
      const { stdout } = await under(seccomp, calls, { ...options, onDenied: (some) => denied.push(...some) });
      return [denied, results(stdout)];
    };

    it("by name, count and command, with the errno that it has without telling", async () => {
      const filter = allowing(refusing(["keyctl"]), refusing(["add_key"], { errnoRet: 13 }));
      const [denied, seen] = await told(filter, [call("keyctl"), call("keyctl"), call("add_key"), call("bpf")]);
      assert.deepEqual(seen.slice(0, 3), ["EPERM", "EPERM", "EACCES"]);
      assert.deepEqual(
        denied.toSorted((a, b) => a.syscall.localeCompare(b.syscall)),
        [
          { syscall: "add_key", argument: 0, command: "calls", count: 1 },
          { syscall: "keyctl", argument: 0, command: "calls", count: 2 },
        ],
      );
    });

    it("with what was wanted of a call of many faces", async () => {
      const [denied] = await told(allowing(refusing(["socket", "ioctl", "unshare"])), [
        call("socket", 40, 1),
        call("socket", "0x100000028", 1),
        call("ioctl", 0, 0x5412),
        call("unshare", 0x1000_0000),
      ]);
      assert.deepEqual(
        denied.map(({ syscall, argument, count }) => [syscall, argument, count]).toSorted(),
        [
          ["ioctl", 0x5412, 1],
          ["socket", 40, 2],
          ["unshare", 0x1000_0000, 1],
        ].toSorted(),
      );
    });

    it("but not of what is only not there, nor of what its numbers can't tell apart", async () => {
      const filter = allowing(
        refusing(["keyctl"], { errnoRet: 38 }),
        refusing(["getppid"], { errnoRet: 13, args: [{ index: 0, op: "SCMP_CMP_EQ", value: 1 }] }),
        refusing(["getppid"], { errnoRet: 22, args: [{ index: 0, op: "SCMP_CMP_EQ", value: 2 }] }),
      );
      const [denied, seen] = await told(filter, [call("keyctl"), call("getppid", 1), call("getppid", 2)]);
      assert.deepEqual(seen, ["ENOSYS", "EACCES", "EINVAL"]);
      assert.deepEqual(denied, []);
    });

    it("at the default action too", async () => {
      const filter: Filter = {
        defaultAction: "SCMP_ACT_ERRNO",
        syscalls: [
          { names: [...LIFE, "sendmsg", "close", "faccessat", "nanosleep", "getppid"], action: "SCMP_ACT_ALLOW" },
        ],
      };
      const [denied, seen] = await told(filter, [call("umask"), call("umask")]);
      assert.deepEqual(seen, ["EPERM", "EPERM"]);
      assert.ok(denied.some(({ syscall, count }) => syscall === "umask" && count === 2));
    });

    it("below PID 1", async () => {
      const { sys } = inNamespaces(["CLONE_NEWPID"]);
      const [denied] = await told(allowing(refusing(["keyctl"])), [call("keyctl")], { sys });
      assert.deepEqual(
        denied.map(({ syscall, count }) => [syscall, count]),
        [["keyctl", 1]],
      );
    });

    it("a hundred thousand times, while the event loop goes on and memory stays", async function () {
      this.timeout(120_000);
      const filter = allowing(refusing(["keyctl"]));
      await told(filter, [`${call("keyctl")}`.replace(",", "*10,")]);
      const memory = process.memoryUsage.rss();
      let turns = 0;
      let longest = 0;
      let last = performance.now();
      let over = false;
      const watching = (async () => {
        while (!over) {
          await delay(1);
          const now = performance.now();
          longest = Math.max(longest, now - last);
          last = now;
          turns++;
        }
      })();
      const storms = 100_000;
      const [denied, seen] = await told(filter, [`${call("keyctl")}*${storms}`]);
      over = true;
      await watching;
      assert.deepEqual(seen, ["EPERM"]);
      assert.equal(
        denied.reduce((sum, { count }) => sum + count, 0),
        storms,
      );
      assert.ok(turns > 50, `${turns} turns of the event loop`);
      if (!isSanitized) {
        assert.ok(longest < 250, `the event loop stood still for ${longest} ms`);
        assert.ok(process.memoryUsage.rss() - memory < 30e6, "memory grew");
      }
      assert.ok(denied.length < 5000, `${denied.length} reports`);
    });

    it("and answers while JavaScript is busy, from the first call on", async () => {
      const folder = mkdtempSync(join(tmpdir(), "sbx-busy-"));
      const done = join(folder, "done");
      const output = openSync(`${done}.part`, "w");
      try {
        const denied: Denied[] = [];
        const starting = api.spawn("sh", ["-c", `${CALLS()} ${call("keyctl")}*1000 >&3; mv ${done}.part ${done}`], {
          stdio: ["ignore", "ignore", "ignore", output],
          sys: { noNewPrivileges: true, seccomp: allowing(refusing(["keyctl"])) },
          onDenied: (some) => denied.push(...some),
        });
        // Not a turn of the event loop from before the child is cloned until it is over.
        const sleeper = new Int32Array(new SharedArrayBuffer(4));
        const end = performance.now() + 20_000;
        while (!existsSync(done) && performance.now() < end) Atomics.wait(sleeper, 0, 0, 5);
        assert.ok(existsSync(done), "the calls return");
        assert.deepEqual(results(readFileSync(done, "utf8")), ["EPERM"]);
        assert.deepEqual(denied, []);
        const child = await starting;
        await child.exited;
        assert.deepEqual(
          denied.map(({ syscall, count }) => [syscall, count]),
          [["keyctl", 1000]],
        );
      } finally {
        closeSync(output);
        rmSync(folder, { recursive: true });
      }
    });

    it("for as long as the command runs; whoever outlives it hears that there is no such call", async () => {
      const filter = allowing(refusing(["keyctl"]));
      const { stdout } = await under(filter, [call("keyctl")], { onDenied: () => {} });
      assert.deepEqual(results(stdout), ["EPERM"]);
      const line = `(read x; exec ${CALLS()} ${call("keyctl")}) <&3 >&4 3<&- & exec true`;
      const child = await api.spawn("sh", ["-c", line], {
        stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
        sys: { noNewPrivileges: true, seccomp: filter },
        onDenied: () => {},
      });
      await child.exited;
      await delay(0);
      child.stdio[3] && "write" in child.stdio[3] && child.stdio[3].write("go\n");
      let out = "";
      const stream = child.stdio[4];
      if (stream === null || stream === undefined || !("setEncoding" in stream)) throw new Error("no stream");
      for await (const chunk of stream.setEncoding("utf8")) out += chunk;
      assert.deepEqual(results(out), ["ENOSYS"]);
      await child[Symbol.asyncDispose]();
    });
  });
});
