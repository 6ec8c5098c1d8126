// The default filter of a sandbox: every kind of call that it refuses is tried inside, and what it refuses is listed.

import assert from "node:assert/strict";
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_FILTER } from "../../../src/sandbox/seccomp/default";
import { skipBecause } from "../../support/skip";
import { api, until, World } from "../sandbox-world";
import { CALLS, call, results } from "./numbers";

type Sandbox = Awaited<ReturnType<typeof api.sandbox.run>>;
type Ref = Parameters<typeof api.sandbox.run>[1];

const AF = { VSOCK: 40, PACKET: 17, ALG: 38, BLUETOOTH: 31, CAN: 29, KEY: 15, RDS: 21, TIPC: 30, XDP: 44, UNKNOWN: 99 };
const AF_OF_ALL = { UNIX: 1, INET: 2, INET6: 10, NETLINK: 16 };
const NEWUSER = 0x1000_0000;
const HIGH = "0x1";

/** By what it is about: the calls, and what each must answer. */
const REFUSED: Readonly<Record<string, readonly (readonly [call: string, errno: string])[]>> = {
  keyrings: [
    [call("keyctl", 0), "EPERM"],
    [call("add_key"), "EPERM"],
    [call("request_key"), "EPERM"],
  ],
  "nested user namespaces": [
    [call("unshare", NEWUSER), "EPERM"],
    [call("clone", NEWUSER | 17), "EPERM"],
    [call("clone", 0x0002_0011), "EPERM"],
    [call("clone3", 0, 88), "ENOSYS"],
    [call("setns", 0, 0), "EPERM"],
  ],
  "typing into a terminal": [
    [call("ioctl", 0, 0x5412), "EPERM"],
    [call("ioctl", 0, 0x541c), "EPERM"],
    // The kernel takes the low half alone for the request (CVE-2023-28100).
    [call("ioctl", 0, `${HIGH}00005412`), "EPERM"],
    [call("ioctl", 0, "0xffffffff00005412"), "EPERM"],
    [call("ioctl", 0, `${HIGH}0000541c`), "EPERM"],
  ],
  mounts: [
    [call("mount"), "EPERM"],
    [call("pivot_root"), "EPERM"],
    [call("fsopen"), "ENOSYS"],
    [call(428), "ENOSYS"],
    [call(429), "ENOSYS"],
    [call(442), "ENOSYS"],
  ],
  "io_uring, which no filter sees into": [
    [call("io_uring_setup", 1), "ENOSYS"],
    [call(426), "ENOSYS"],
    [call(427), "ENOSYS"],
  ],
  "the kernel's workshops": [
    [call("bpf"), "EPERM"],
    [call("perf_event_open"), "EPERM"],
    [call("userfaultfd"), "ENOSYS"],
    [call("kexec_load"), "EPERM"],
    [call("finit_module"), "EPERM"],
    [call("syslog", 3), "EPERM"],
    [call("swapon"), "EPERM"],
    [call("reboot"), "EPERM"],
    [call("open_by_handle_at"), "EPERM"],
  ],
  "families of sockets": [
    ...Object.values(AF).map((family): [string, string] => [call("socket", family, 1), "EAFNOSUPPORT"]),
    [call("socket", `${HIGH}00000028`, 1), "EAFNOSUPPORT"],
    [call("socketpair", 30, 1), "EAFNOSUPPORT"],
  ],
  personalities: [[call("personality", 0x0040_0000), "EPERM"]],
  "what no kernel has yet": [
    [call(480), "ENOSYS"],
    [call(1000), "ENOSYS"],
  ],
};

describe("the default filter", () => {
  let world: World;
  let canTell = false;

  before(async () => {
    canTell = (await api.probe()).some(({ feature, available }) => feature === "seccomp notification" && available);
  });
  beforeEach(() => {
    world = new World();
    copyFileSync(CALLS(), join(world.workspace, "calls"));
  });
  afterEach(() => world.remove());

  async function tried(calls: readonly string[], profile: Ref = "build"): Promise<[(number | string)[], Sandbox]> {
    let out = "";
    const sandbox = await world.start(`./calls ${calls.join(" ")}`, profile);
    sandbox.process.stdout?.on("data", (chunk) => (out += chunk));
    await sandbox.ended;
    return [results(out), sandbox];
  }

  it("is sound by the rules that it is not put to", () => {
    const copy = structuredClone(DEFAULT_FILTER);
    assert.deepEqual(api.validate({ sys: { noNewPrivileges: true, seccomp: copy } }), []);
  });

  for (const profile of ["strict", "build", "install", "shell"]) {
    it(`is in force under ${profile}`, async () => {
      assert.deepEqual((await tried([call("keyctl", 0)], profile))[0], ["EPERM"]);
    });
  }

  for (const [what, attempts] of Object.entries(REFUSED)) {
    it(`refuses ${what}`, async () => {
      const [seen] = await tried(attempts.map(([one]) => one));
      assert.deepEqual(
        seen,
        attempts.map(([, errno]) => errno),
      );
    });
  }

  it("lets ordinary families, personalities and debuggers be", async () => {
    const [seen] = await tried([
      ...Object.values(AF_OF_ALL).map((family) => call("socket", family, family === 16 ? 3 : 1)),
      call("personality", "0xffffffff"),
      call("personality", 0x0004_0000),
      call("ptrace", 0),
      call("ioctl", 0, 0x5401),
    ]);
    const sockets = seen.slice(0, 4);
    assert.ok(
      sockets.every((fd) => typeof fd === "number" && fd > 2),
      sockets.join(),
    );
    // The one that it has from us, which is another where a sanitizer wants addresses that are not random.
    const personality = Number.parseInt(readFileSync("/proc/self/personality", "utf8"), 16);
    assert.deepEqual(seen.slice(4, 7), [personality, personality, 0]);
    assert.notEqual(seen[7], "EPERM");
  });

  it("ends who enters by 32-bit doors", async function () {
    if (process.arch !== "x64") skipBecause(this, "only x86-64 has such doors");
    const sandbox = await world.start(`exec ./calls x32:${call("getpid")}`);
    const { status, denials } = await sandbox.ended;
    assert.equal(status.signal, "SIGSYS");
    assert.deepEqual(
      denials.map(({ what, certainty }) => [what, certainty]),
      [["a system call of another architecture", "hint"]],
    );
  });

  it("holds down a command that joins", async () => {
    const sandbox = await world.start("exec sleep 1000");
    const child = await sandbox.exec({ file: "./calls", args: [call("keyctl", 0), call("socket", AF.VSOCK, 1)] });
    let out = "";
    // To its end, which may be heard of after the command's.
    for await (const chunk of child.stdout ?? []) out += chunk;
    await child.exited;
    assert.deepEqual(results(out), ["EPERM", "EAFNOSUPPORT"]);
    if (!canTell) return;
    const denials = await until("both are listed", () => (sandbox.denials.length === 2 ? sandbox.denials : undefined));
    assert.deepEqual(denials.map(({ what }) => what).toSorted(), ["keyctl", "socket AF_VSOCK"]);
  });

  it("is off when a profile says so, and opened by name", async () => {
    assert.deepEqual((await tried([call("socket", AF.ALG, 9)], { extends: "build", seccomp: "off" }))[0].length, 1);
    const opened = {
      extends: "build",
      seccomp: { extends: "default" as const, syscalls: [{ names: ["keyctl"], action: "SCMP_ACT_ALLOW" as const }] },
    };
    // Let through to the kernel, which knows no such operation.
    const [keyctl, bpf] = (await tried([call("keyctl", 9999), call("bpf")], opened))[0];
    assert.match(String(keyctl), /^(ENOTSUP|EOPNOTSUPP)$/);
    assert.equal(bpf, "EPERM");
  });

  it("names what is wrong in a user's rules where he wrote it", async () => {
    const wrong = {
      extends: "default" as const,
      syscalls: [{ names: ["keyctll"], action: "SCMP_ACT_ALLOW" as const }],
    };
    await assert.rejects(world.start("true", { extends: "build", seccomp: wrong }), {
      name: "ProfileError",
      message: 'seccomp.syscalls[0]: "keyctll" is no system call (did you mean "keyctl"?)',
    });
  });

  describe("tells", () => {
    beforeEach(function () {
      if (!canTell) skipBecause(this, "the kernel does not tell: probe(), seccomp notification");
    });

    it("what was refused, to whom, how often, and what would allow it", async () => {
      const [, sandbox] = await tried([
        call("keyctl", 0),
        call("keyctl", 0),
        call("socket", AF.PACKET, 3),
        call("unshare", NEWUSER),
        call("ioctl", 0, 0x5412),
      ]);
      const { denials } = await sandbox.ended;
      const byWhat = denials.toSorted((a, b) => a.what.localeCompare(b.what));
      assert.deepEqual(
        byWhat.map(({ by, certainty, what, rule, command, count }) => [by, certainty, what, rule, command, count]),
        [
          ["seccomp", "told", "ioctl TIOCSTI", "seccomp", "calls", 1],
          ["seccomp", "told", "keyctl", "seccomp", "calls", 2],
          ["seccomp", "told", "socket AF_PACKET", "seccomp", "calls", 1],
          ["seccomp", "told", "unshare CLONE_NEWUSER", "seccomp", "calls", 1],
        ],
      );
      // Nothing allows to type into somebody's terminal; each of the others, put into a profile, does allow it.
      assert.equal(byWhat[0]?.allow, undefined);
      for (const { allow } of byWhat.slice(1)) {
        assert.ok(allow !== undefined);
        const again = [call("keyctl", 0), call("socket", AF.PACKET, 3), call("unshare", NEWUSER)];
        const [, opened] = await tried(again, { ...allow, extends: "build" });
        assert.equal((await opened.ended).denials.length, 2, JSON.stringify(allow));
      }
    });

    it("while it runs, and the registry's listeners hear of it", async () => {
      const registry = new api.sandbox.SandboxRegistry();
      const sandbox = await registry.run(
        { file: "bash", args: ["-c", `./calls ${call("bpf")}; read wait`] },
        "build",
        world.context,
      );
      try {
        let heard = false;
        registry.onDidChange(() => (heard ||= sandbox.denials.length > 0));
        await until("a listener sees the denial", () => heard || undefined);
        assert.deepEqual(
          sandbox.denials.map(({ what, count }) => [what, count]),
          [["bpf", 1]],
        );
      } finally {
        await registry.terminateAll(0);
      }
      assert.equal((await sandbox.ended).denials.length, 1);
    });

    it("nothing of a program that does nothing unusual", async () => {
      const sandbox = await world.start('node -e \'require("node:fs").writeFileSync("x", "y")\'; git --version; ls -l');
      assert.deepEqual((await sandbox.ended).denials, []);
    });
  });
});
