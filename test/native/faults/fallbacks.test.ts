// System calls that old kernels lack and containers' filters refuse: what is done instead must be as good, seen from
// inside, and where it can't be it is an error that says so.

import * as assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";
import { LIBRARY_NODE } from "../../support/library";
import { program } from "../../support/programs";
import { skipBecause } from "../../support/skip";
import { isRoot } from "../spawner-world";
import type { Cases } from "./fallback-worker";

const WORKER = resolve("out/test/native/faults/fallback-worker.js");
/** Fds that the worker inherits, open for its children too. */
const EXTRA_FDS = 20;

/** What the worker finds with `rules` refused; without rules, as everybody does. */
async function finds<Name extends keyof Cases>(name: Name, rules: string): Promise<Cases[Name]> {
  const [file, args] = rules === "" ? [LIBRARY_NODE, []] : [program("refuse"), [rules, "--", LIBRARY_NODE]];
  const extra = Array.from({ length: EXTRA_FDS }, () => "pipe" as const);
  const child = spawn(file, [...args, WORKER, name], {
    stdio: ["ignore", "pipe", "inherit", ...extra],
    timeout: 30_000,
  });
  if (child.stdout === null) throw new Error("There is no stdout.");
  const ended = new Promise<number | null>((done, reject) => child.on("error", reject).on("close", done));
  const output = await text(child.stdout);
  assert.equal(await ended, 0, `the worker for ${name} without ${rules}`);
  return JSON.parse(output);
}

const NO_SIGNALS = ["SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000", "SigCgt:\t0000000000000000"];

function isSound(found: Cases["plain"]): void {
  const { absent, ...rest } = found;
  assert.deepEqual(rest, {
    hasPidfd: true,
    killed: true,
    signal: "SIGTERM",
    code: 7,
    signals: NO_SIGNALS,
    reason: "timeout",
    left: [],
  });
  assert.deepEqual([absent?.code, absent?.step], ["ENOENT", "exec"]);
}

function hasNamespaces(found: Cases["namespaces"]): void {
  const [self, init] = found.inside;
  assert.equal(self, "2 inside");
  assert.match(init ?? "", /^sandbox-init /);
  assert.deepEqual([found.code, found.joined, found.left], [7, 0, []]);
  assert.deepEqual([found.absent?.code, found.absent?.step], ["ENOENT", "exec"]);
}

describe("where system calls are missing or refused", function () {
  this.timeout(40_000);

  for (const [rules, what] of [
    ["", "nothing is"],
    ["clone3=ENOSYS", "clone3(2) is missing"],
    ["waitid:0=3=EINVAL", "waitid(2) does not know pidfds"],
    ["memfd_create=ENOSYS", "memfd_create(2) is missing"],
    ["memfd_create=EACCES", "programs in memory are forbidden"],
    ["close_range=ENOSYS", "close_range(2) is missing"],
    [
      "clone3=ENOSYS,close_range=ENOSYS,memfd_create=ENOSYS,openat2=ENOSYS,mount_setattr=ENOSYS",
      "everything newer than Linux 5.5 is missing",
    ],
  ] as const) {
    it(`children are started, seen, signalled and reaped: ${what}`, async () => isSound(await finds("plain", rules)));
    it(`namespaces have a PID 1, and can be held and joined: ${what}`, async () =>
      hasNamespaces(await finds("namespaces", rules)));
  }

  it("id maps are written from outside without clone3(2)", async function () {
    if (!isRoot) skipBecause(this, "writing others' ids into a map takes root");
    const [map = "", uid] = await finds("maps", "clone3=ENOSYS");
    assert.deepEqual([map.trim().split(/ +/), uid], [["0", "0", "1000"], "5"]);
  });

  it("a cgroup is no longer to be born in without clone3(2), and nothing runs outside of it", async () => {
    const failed = await finds("cgroup", "clone3=ENOSYS");
    assert.deepEqual([failed?.code, failed?.syscall, failed?.step], ["ENOSYS", "clone3", "clone3"]);
    assert.match(failed?.remedy ?? "", /clone3/);
  });

  it("neither clone3(2) nor clone(2) is an error that names the last one tried", async () => {
    // The flags of a plain spawn: CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD.
    const failed = await finds("bare", "clone3=ENOSYS,clone:0=0x5111=EPERM");
    assert.deepEqual([failed?.code, failed?.syscall, failed?.step], ["EPERM", "clone", "clone3"]);
    assert.ok(failed?.remedy);
  });

  for (const rules of ["", "close_range=ENOSYS"]) {
    it(`no fd of ours reaches a command${rules === "" ? "" : " without close_range(2)"}`, async () => {
      const { ours, alone, inside } = await finds("fds", rules);
      assert.ok(ours > EXTRA_FDS);
      // Its own three, and the folder that ls reads.
      assert.deepEqual(
        [alone, inside],
        [
          ["0", "1", "2", "3"],
          ["0", "1", "2", "3"],
        ],
      );
    });
  }

  it("fds that can be closed in no way are an error, and the command does not get them", async () => {
    const failed = await finds("bare", "close_range=ENOSYS,getdents64=EPERM");
    assert.deepEqual([failed?.code, failed?.syscall, failed?.step], ["EPERM", "getdents64", "fds"]);
    assert.ok(failed?.remedy);
  });

  for (const rules of ["", "mount_setattr=ENOSYS"]) {
    it(`read-only holds in nested mounts too, and flags stay${rules === "" ? "" : " without mount_setattr(2)"}`, async () => {
      const found = await finds("readonly", rules);
      assert.deepEqual(found.open, ["/tmp written", "/tmp/nested written", "/dev/shm written", "end"]);
      assert.deepEqual(found.paths, ["end"]);
      assert.deepEqual(found.root, ["/tmp written", "/tmp/nested written", "end"]);
      assert.deepEqual(found.bound, ["end"]);
      const [flags = "", ...executed] = found.flags;
      for (const flag of ["ro", "nosuid", "nodev", "noexec"]) assert.ok(flags.split(",").includes(flag), flags);
      assert.ok(!executed.includes("executed"));
      // Of several mounts on one another the last one counts.
      const shm = found.shm.at(-1)?.split(",") ?? [];
      const before = (found.plain.at(-1) ?? "").split(",").filter((flag) => flag.startsWith("no"));
      for (const flag of ["ro", "nosuid", ...before]) assert.ok(shm.includes(flag), shm.join());
    });
  }

  for (const rules of ["", "openat2=ENOSYS", "openat2=ENOSYS,mount_setattr=ENOSYS"]) {
    it(`symbolic links in destinations stay inside the root${rules === "" ? "" : `: ${rules}`}`, async () => {
      const found = await finds("links", rules);
      assert.deepEqual(
        found.mounted.filter((path) => path.startsWith("/etc")),
        ["/etc/mine", "/etc/one", "/etc/two"],
      );
      assert.ok(!found.mounted.includes("secret"));
      assert.deepEqual([found.loop?.code, found.loop?.step], ["ELOOP", "mount"]);
      assert.deepEqual([found.magic?.code, found.magic?.step], ["ELOOP", "mount"]);
      assert.deepEqual([found.source?.code, found.source?.step], ["ELOOP", "mount"]);
      for (const path of ["/etc/mine", "/etc/one", "/etc/two", "/etc/command"]) assert.ok(!existsSync(path), path);
    });
  }

  it("a parent that cannot be watched is no parent to be tied to", async () => {
    const failed = await finds("parent", "pidfd_open=ENOSYS");
    assert.deepEqual([failed?.code, failed?.syscall, failed?.step], ["ENOSYS", "pidfd_open", "parent-death signal"]);
    assert.match(failed?.remedy ?? "", /pidfd_open/);
  });

  it("a helper that can be executed in no way is an error", async () => {
    const failed = await finds("init", "execveat=ENOSYS");
    assert.deepEqual([failed?.code, failed?.syscall, failed?.step], ["ENOSYS", "execveat", "exec"]);
    assert.match(failed?.remedy ?? "", /execveat/);
  });
});
