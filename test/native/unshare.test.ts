// Namespaces that are made after the clone, and that what is done in a mount namespace stays there.

import assert from "node:assert/strict";
import { readdirSync, readFileSync, readlinkSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LIBRARY, LIBRARY_NODE } from "../support/library";
import { skipBecause } from "../support/skip";
import { makeTemp, removeTemp } from "../support/temp";
import { api, execEntersTime, isRoot, ownIds, rejection, run, type Sys, sh } from "./spawner-world";

const LINKS = {
  CLONE_NEWNS: "mnt",
  CLONE_NEWNET: "net",
  CLONE_NEWIPC: "ipc",
  CLONE_NEWUTS: "uts",
  CLONE_NEWCGROUP: "cgroup",
  CLONE_NEWTIME: "time_for_children",
} as const;

/** With a user namespace where one is needed for it. */
function unshared(...flags: (keyof typeof LINKS | "CLONE_NEWPID")[]): Sys {
  return isRoot ? { unshareflags: flags } : { unshareflags: ["CLONE_NEWUSER", ...flags], ...ownIds() };
}

/** Ourselves as root of a user namespace. */
const asRoot: Sys = {
  uidMappings: [{ containerID: 0, hostID: process.getuid?.() ?? 0, size: 1 }],
  gidMappings: [{ containerID: 0, hostID: process.getgid?.() ?? 0, size: 1 }],
};

describe("unshareflags", () => {
  for (const [flag, link] of Object.entries(LINKS) as [keyof typeof LINKS, string][]) {
    it(`${flag} gives the child a namespace of its own (${link})`, async function () {
      if (flag === "CLONE_NEWTIME" && !execEntersTime())
        skipBecause(this, "this kernel takes a new time namespace at the next fork, not at execve");
      const { stdout } = await run("readlink", [`/proc/self/ns/${link}`], { sys: unshared(flag) });
      assert.match(stdout, /^\w+:\[\d+\]\n$/);
      assert.notEqual(stdout.trim(), readlinkSync(`/proc/self/ns/${link}`));
    });
  }

  it("CLONE_NEWPID makes the command's first child PID 1, and leaves the command outside", async () => {
    const { stdout } = await sh("sh -c 'echo $$'; readlink /proc/self/ns/pid; true", { sys: unshared("CLONE_NEWPID") });
    assert.match(stdout, /^1\n/);
    const outside = await sh("echo $$", { sys: unshared("CLONE_NEWPID") });
    assert.notEqual(outside.stdout, "1\n");
  });

  it("CLONE_NEWNET leaves only the loopback", async () => {
    const { stdout } = await run("cat", ["/proc/self/net/dev"], { sys: unshared("CLONE_NEWNET") });
    assert.deepEqual(
      Array.from(stdout.matchAll(/^ *(\S+):/gm), ([, name]) => name),
      ["lo"],
    );
  });

  it("can be several at once, and beside cloneflags", async () => {
    const user: Sys = isRoot ? {} : { ...ownIds() };
    const cloneflags: Sys["cloneflags"] = [...(isRoot ? [] : (["CLONE_NEWUSER"] as const)), "CLONE_NEWUTS"];
    const sys: Sys = { ...user, cloneflags, unshareflags: ["CLONE_NEWNET", "CLONE_NEWIPC"], hostname: "both" };
    const { stdout } = await sh("hostname; readlink /proc/self/ns/net /proc/self/ns/ipc", { sys });
    const [name, net, ipc] = stdout.split("\n");
    assert.equal(name, "both");
    assert.notEqual(net, readlinkSync("/proc/self/ns/net"));
    assert.notEqual(ipc, readlinkSync("/proc/self/ns/ipc"));
  });

  it("is refused to an ordinary user without a user namespace, by name", async function () {
    if (isRoot) skipBecause(this, "root may unshare");
    const error = await rejection(api.spawn("true", [], { sys: { unshareflags: ["CLONE_NEWNET"] } }));
    assert.deepEqual([error.step, error.path], ["validate", "sys.unshareflags"]);
    assert.match(error.message, /CAP_SYS_ADMIN.*add CLONE_NEWUSER/);
  });
});

describe("a mount namespace", () => {
  let folder: string;
  before(() => {
    folder = makeTemp("unshare");
    writeFileSync(join(folder, "outside"), "");
  });
  after(() => removeTemp(folder));

  /** Root maps itself to itself, in a host where everybody is root. */
  const root = [{ containerID: 0, hostID: 0, size: 1 }];
  const user: Sys = { uidMappings: root, gidMappings: root };
  for (const [how, sys] of [
    ["made by clone", { ...user, cloneflags: ["CLONE_NEWUSER", "CLONE_NEWNS"] }],
    ["unshared", { ...user, unshareflags: ["CLONE_NEWUSER", "CLONE_NEWNS"] }],
    ["made by clone, by root alone", { cloneflags: ["CLONE_NEWNS"] }],
    ["unshared by root alone", { unshareflags: ["CLONE_NEWNS"] }],
  ] as const satisfies readonly (readonly [string, object])[]) {
    it(`keeps its mounts to itself, even below a shared one (${how})`, async function () {
      const alone = how.includes("root");
      if (alone && !isRoot) skipBecause(this, "only root needs no user namespace");
      // As systemd leaves /: what is mounted below a shared mount appears in every copy of it (mount_namespaces(7)).
      const script = `
        const api = require(${JSON.stringify(LIBRARY)});
        const { text } = require("node:stream/consumers");
        (async () => {
          const line = 'mount -t tmpfs none "$1" && ls -A "$1" && echo mounted && cat /proc/self/mountinfo';
          const child = await api.spawn("sh", ["-c", line, "sh", process.env.FOLDER], { sys: JSON.parse(process.env.SYS) });
          const inside = await text(child.stdout);
          await child.exited;
          const own = require("node:fs").readFileSync("/proc/self/mountinfo", "utf8");
          console.log(JSON.stringify({ inside, own, seen: require("node:fs").readdirSync(process.env.FOLDER) }));
        })();`;
      // A host of our own whose / is shared; in a user namespace, so that an ordinary user can have one too.
      const env = { ...process.env, FOLDER: folder, SYS: JSON.stringify(sys), SCRIPT: script, NODE: LIBRARY_NODE };
      const world: Sys = alone
        ? { cloneflags: ["CLONE_NEWNS"] }
        : { ...asRoot, cloneflags: ["CLONE_NEWUSER", "CLONE_NEWNS"] };
      const line = 'mount --make-rshared / && exec "$NODE" -e "$SCRIPT"';
      const { stdout, stderr } = await sh(line, { sys: world, env });
      assert.notEqual(stdout, "", stderr);
      const { inside, own, seen } = JSON.parse(stdout) as { inside: string; own: string; seen: string[] };
      assert.match(own, / shared:\d+ /, "the host's mounts are shared");
      assert.match(inside, /^mounted\n/);
      assert.doesNotMatch(inside, / (shared|master):\d+ /);
      assert.deepEqual(seen, ["outside"]);
      assert.ok(!own.includes(folder));
      assert.deepEqual(readdirSync(folder), ["outside"]);
    });
  }

  it("keeps them to itself with a chroot, too", async function () {
    if (!isRoot) skipBecause(this, "only root may mount without a user namespace");
    const sys: Sys = { unshareflags: ["CLONE_NEWNS"], chroot: "/" };
    const inner = makeTemp("unshare-chroot");
    assert.equal((await run("mount", ["-t", "tmpfs", "none", inner], { sys })).status.code, 0);
    rmdirSync(inner); // EBUSY, were it mounted
    assert.ok(!readFileSync("/proc/self/mountinfo", "utf8").includes(inner));
  });
});
