// A scope of systemd's for the sandboxes' cgroups, asked for over D-Bus: of the one that runs this machine, or where none
// does, of a real user manager in namespaces of its own.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { LIBRARY_NODE } from "../support/library";
import { waitUntil } from "../support/processes";
import { skipBecause } from "../support/skip";
import { api, World } from "./sandbox-world";
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

const HOST = resolve("out/test/native/hosts/scope.js");

describe("a scope of the systemd that runs this machine", () => {
  let world: World;
  before(function () {
    if (!existsSync("/run/systemd/system")) skipBecause(this, "systemd does not run this machine");
  });
  beforeEach(() => {
    world = new World();
  });
  afterEach(() => world.remove());

  /** An editor that has asked for one; skips where it had no need to. */
  async function editor(context: Mocha.Context) {
    const child = await api.spawn(LIBRARY_NODE, [HOST], {
      env: { ...process.env, WORKSPACE: world.workspace, HOME: world.home },
      stdio: ["pipe", "pipe", "inherit"],
      sys: { pdeathsig: "SIGKILL" },
    });
    assert.ok(child.stdout);
    const line = await child.stdout[Symbol.asyncIterator]().next();
    const said: { before: string; after: string; sandbox: string; limit: string } = JSON.parse(String(line.value));
    const scope = dirname(said.sandbox);
    if (!scope.includes(`-${child.pid}-`)) {
      child.kill("SIGKILL");
      await child.exited;
      skipBecause(context, "what we are in is delegated to us already");
    }
    return { child, scope, ...said };
  }

  it("is made when a limit asks, and ends with the editor", async function () {
    const { child, scope, before, after, sandbox, limit } = await editor(this);
    assert.match(scope, /\/sandbox-tasks-\d+-\d+-\d+\.scope$/);
    assert.match(sandbox, /\.scope\/sandbox-tasks-\d+-\d+-\d+-\d+$/);
    assert.equal(limit, String(64 * 2 ** 20));
    assert.equal(readFileSync(join(scope, "cgroup.procs"), "utf8"), "", "its processes are in leaves");
    // Of a login session, whose cgroup is not the user's, nobody is born in the scope who is not in it himself.
    const isOurs = isRoot || before.includes(`/user@${process.getuid?.()}.service/`);
    if (isOurs) assert.equal(after, before, "the editor stays where it was");
    else assert.equal(dirname(after), scope, "the editor is in the scope");
    child.stdin?.end();
    assert.equal((await child.exited).code, 0);
    await waitUntil("the scope is gone", () => !existsSync(scope));
  });

  it("ends with an editor that is killed, and so does the sandbox", async function () {
    const { child, scope } = await editor(this);
    assert.equal(child.kill("SIGKILL"), true);
    await child.exited;
    await waitUntil("the scope is gone", () => !existsSync(scope));
  });
});

describe("a scope of a systemd for one user", () => {
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
