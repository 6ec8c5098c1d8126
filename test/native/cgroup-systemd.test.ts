// A scope of systemd's for the sandboxes' cgroups, asked for over D-Bus: of a real user manager in namespaces of its own,
// where no systemd runs the machine. Where one does, cgroup-limits.test.ts asks that.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { LIBRARY_NODE } from "../support/library";
import { skipBecause } from "../support/skip";
import { isRoot } from "./spawner-world";

const HIERARCHIES = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"];
const NAME = `sandbox-tasks-test-manager-${process.pid}`;
const MANAGER = resolve("test/native/cgroup-systemd/manager.sh");
const WORKER = resolve("out/test/native/cgroup-systemd/worker.js");

function remove(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) remove(join(folder, entry.name));
  }
  rmdirSync(folder);
}

describe("a scope of systemd", () => {
  const folders = HIERARCHIES.map((hierarchy) => join(hierarchy, NAME));

  before(function () {
    if (!isRoot) skipBecause(this, "only root can make a manager with cgroups of its own");
    if (existsSync("/run/systemd/system")) skipBecause(this, "a systemd runs this machine already");
    if (spawnSync("systemd", ["--version"]).status !== 0) skipBecause(this, "there is no systemd");
    if (!HIERARCHIES.every((folder) => existsSync(folder)))
      skipBecause(this, "no hierarchies for cgroup2 and for systemd");
    for (const folder of folders) mkdirSync(folder);
  });
  after(() => {
    for (const folder of folders.filter((one) => existsSync(one))) remove(folder);
  });

  it("is made when a limit asks, holds sandboxes from then on, and ends with its editor", () => {
    const enter = folders.map((folder) => `echo $$ > ${folder}/cgroup.procs`).join("; ");
    const unshare = "unshare --cgroup --mount --ipc --uts --pid --fork --kill-child --mount-proc";
    const line = `${enter}; exec ${unshare} sh ${MANAGER} ${LIBRARY_NODE} ${WORKER}`;
    const run = spawnSync("sh", ["-c", line], { encoding: "utf8", timeout: 50_000 });
    assert.equal(run.status, 0, run.stderr);
    const [said, gone] = run.stdout.trim().split("\n").slice(-2);
    const { refusal, scope, before, after, self, frozen, isGone, members } = JSON.parse(said ?? "");
    assert.match(refusal, /^limits\.memory can't be kept/);
    assert.match(
      refusal,
      /a scope of systemd \(\S*\/app\.slice\/sandbox-tasks-\S+\.scope\): the memory controller has not reached it/,
    );
    assert.match(scope, /^\/app\.slice\/sandbox-tasks-\d+-\d+-\d+\.scope$/);
    assert.match(after, /\.scope\/sandbox-tasks-\d+-\d+-\d+-\d+$/);
    assert.doesNotMatch(before, /\.scope/);
    assert.doesNotMatch(self, /\.scope/, "the editor stays where it was");
    assert.equal(frozen, true);
    assert.equal(isGone, true);
    assert.equal(members, "", "its processes are in leaves");
    assert.equal(gone, "gone");
  });
});
