// Who the child is: users, groups, the setgroups rule, ambient capabilities, and a root of its own by chroot.

import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LIBRARY, LIBRARY_NODE } from "../support/library";
import { skipBecause } from "../support/skip";
import { makeTemp, removeTemp } from "../support/temp";
import { api, children, inNamespaces, isRoot, rejection, run, type Sys, sh, WHOLE_ROOT } from "./spawner-world";

const uid = process.getuid?.() ?? 0;
const gid = process.getgid?.() ?? 0;

/** Uid, Gid, Groups and the capability sets of /proc/PID/status. */
function identity(status: string): Record<string, string> {
  const lines = status.matchAll(/^(Uid|Gid|Groups|Cap\w+):\t(.*?) *$/gm);
  return Object.fromEntries(Array.from(lines, ([, name, value]) => [name ?? "", (value ?? "").replaceAll("\t", " ")]));
}

async function identityWith(sys: Sys): Promise<Record<string, string>> {
  return identity((await run("cat", ["/proc/self/status"], { sys })).stdout);
}

/** One id of ours as another inside a new user namespace. */
function mappedTo(id: number, more: Sys = {}): Sys {
  return {
    cloneflags: ["CLONE_NEWUSER"],
    uidMappings: [{ containerID: id, hostID: uid, size: 1 }],
    gidMappings: [{ containerID: id, hostID: gid, size: 1 }],
    ...more,
  };
}

const mask = (...bits: number[]): string =>
  bits
    .reduce((set, bit) => set | (1n << BigInt(bit)), 0n)
    .toString(16)
    .padStart(16, "0");
const CAP_SYS_TIME = 25;
const CAP_SYSLOG = 34; // above 31, so that both words of the sets are tried

describe("id maps", () => {
  for (const when of ["cloneflags", "unshareflags"] as const) {
    const inNew = (more: Sys): Sys => ({ ...more, cloneflags: [], [when]: ["CLONE_NEWUSER"] });

    it(`make us root inside, with setgroups denied (${when})`, async () => {
      const sys = inNew(mappedTo(0));
      const { stdout } = await sh("id -u; id -g; cat /proc/self/setgroups", { sys });
      assert.equal(stdout, "0\n0\ndeny\n");
    });

    it(`leave setgroups allowed to root, and refuse that to an ordinary user (${when})`, async () => {
      const sys = inNew(mappedTo(0, { gidMappingsEnableSetgroups: true }));
      if (isRoot) {
        const { stdout } = await sh("id -u; id -g; cat /proc/self/setgroups", { sys });
        assert.equal(stdout, "0\n0\nallow\n");
        return;
      }
      const error = await rejection(api.spawn("true", [], { sys }));
      assert.deepEqual([error.step, error.path], ["validate", "sys.gidMappingsEnableSetgroups"]);
      assert.deepEqual(children(), []);
    });

    it(`of many lines are written from outside (${when})`, async function () {
      if (!isRoot) skipBecause(this, "only root may map more than its own id");
      const lines = Array.from({ length: 20 }, (_, i) => ({ containerID: i * 100, hostID: i * 1000, size: i + 1 }));
      const sys = inNew({ uidMappings: lines, gidMappings: lines });
      const { stdout } = await sh("cat /proc/self/uid_map; echo; cat /proc/self/gid_map", { sys });
      const expected = lines.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}`).join("\n");
      const [uids, gids] = stdout.split("\n\n").map((map) => map.trim().replaceAll(/^ +| +(?= )/gm, ""));
      assert.equal(uids, expected);
      assert.equal(gids, expected);
    });
  }

  it("let an unshared child change its root, which takes a capability (CLONE_NEWNS and CLONE_NEWUSER)", async () => {
    const sys: Sys = { ...mappedTo(0), cloneflags: [], unshareflags: ["CLONE_NEWNS", "CLONE_NEWUSER"] };
    const { status } = await run("/usr/sbin/chroot", ["/", "true"], { sys });
    assert.equal(status.code, 0);
  });
});

describe("credential", () => {
  it("changes user and group, real, effective and saved, and drops every supplementary group", async function () {
    if (!isRoot) skipBecause(this, "only root may change to another user");
    const { Uid, Gid, Groups } = await identityWith({ credential: { uid: 1234, gid: 5678 } });
    assert.deepEqual([Uid, Gid, Groups], ["1234 1234 1234 1234", "5678 5678 5678 5678", ""]);
  });

  it("drops the groups of the caller also where the user stays, and keeps them with noSetGroups", async function () {
    if (!isRoot) skipBecause(this, "only root may change to another user");
    // A caller that has groups of its own.
    const script = `
      const api = require(${JSON.stringify(LIBRARY)});
      const { text } = require("node:stream/consumers");
      (async () => {
        const groups = async (credential) =>
          (await text((await api.spawn("id", ["-G"], { sys: { credential } })).stdout)).trim();
        console.log(JSON.stringify([
          await groups(undefined),
          await groups({ uid: 0, gid: 0 }),
          await groups({ uid: 0, gid: 0, noSetGroups: true }),
          await groups({ uid: 0, gid: 0, groups: [7, 8, 9] }),
        ]));
      })();`;
    const caller: Sys = { credential: { uid: 0, gid: 0, groups: [11, 12] } };
    const { stdout } = await run(LIBRARY_NODE, ["-e", script], { sys: caller });
    assert.deepEqual(JSON.parse(stdout), ["0 11 12", "0", "0 11 12", "0 7 8 9"]);
  });

  it("leaves the groups alone where a user namespace denies setgroups, and none were asked for", async () => {
    const { Uid, Gid } = await identityWith(mappedTo(0, { credential: { uid: 0, gid: 0 } }));
    assert.deepEqual([Uid, Gid], ["0 0 0 0", "0 0 0 0"]);
    const empty = await identityWith(mappedTo(0, { credential: { uid: 0, gid: 0, groups: [] } }));
    assert.equal(empty.Uid, "0 0 0 0");
  });

  it("names the groups that were asked for where setgroups is denied", async () => {
    const problem = await rejection(
      api.spawn("true", [], { sys: mappedTo(0, { credential: { uid: 0, gid: 0, groups: [0] } }) }),
    );
    // Either before anything is run, or by the kernel.
    assert.match(problem.message, /^(sys\.credential\.groups|groups 0: EPERM)/);
    assert.deepEqual(children(), []);
  });

  it("sets the groups where a user namespace allows it", async function () {
    if (!isRoot) skipBecause(this, "setgroups stays allowed to root alone");
    const sys = inNamespaces([], {
      uidMappings: [{ containerID: 0, hostID: 0, size: 100 }],
      gidMappings: [{ containerID: 0, hostID: 0, size: 100 }],
      gidMappingsEnableSetgroups: true,
      credential: { uid: 3, gid: 4, groups: [5, 6] },
    }).sys;
    const { Uid, Gid, Groups } = await identityWith(sys);
    assert.deepEqual([Uid, Gid, Groups], ["3 3 3 3", "4 4 4 4", "5 6"]);
  });

  it("refuses an id that is not mapped, by name", async () => {
    const error = await rejection(
      api.spawn("true", [], { sys: mappedTo(0, { credential: { uid: 5, gid: 0, noSetGroups: true } }) }),
    );
    assert.match(error.message, /^(uid 5: EINVAL|sys\.credential\.uid)/);
  });

  it("takes root's capabilities away", async function () {
    if (!isRoot) skipBecause(this, "only root may change to another user");
    const { CapEff, CapPrm, CapAmb } = await identityWith({ credential: { uid: 1234, gid: 1234 } });
    assert.deepEqual([CapEff, CapPrm, CapAmb], [mask(), mask(), mask()]);
  });

  it("leaves us who we are, and readable to ourselves", async function () {
    if (!isRoot) skipBecause(this, "only root may change to another user");
    const before = identity(readFileSync("/proc/self/status", "utf8"));
    await Promise.all(Array.from({ length: 10 }, () => identityWith({ credential: { uid: 1234, gid: 5678 } })));
    assert.deepEqual(identity(readFileSync("/proc/self/status", "utf8")), before);
    assert.ok(readFileSync("/proc/self/environ").length > 0);
  });
});

describe("ambient capabilities", () => {
  const ambientCaps = ["CAP_SYS_TIME", "CAP_SYSLOG"] as const;
  const wanted = mask(CAP_SYS_TIME, CAP_SYSLOG);

  function check(sets: Record<string, string>): void {
    for (const set of ["CapPrm", "CapInh", "CapAmb", "CapEff"]) assert.equal(sets[set], wanted, set);
  }

  it("are permitted, inheritable and effective after the change of user and the execve", async function () {
    if (!isRoot) skipBecause(this, "only root may change to another user");
    check(await identityWith({ credential: { uid: 1234, gid: 1234 }, ambientCaps: [...ambientCaps] }));
  });

  it("are so in a user namespace, as another than its root", async () => {
    check(
      await identityWith(mappedTo(65_534, { credential: { uid: 65_534, gid: 65_534 }, ambientCaps: [...ambientCaps] })),
    );
  });

  it("go on to what the command executes, under a PID 1 of ours as well", async () => {
    const sys = mappedTo(65_534, { ambientCaps: [...ambientCaps] });
    const { stdout } = await sh("sh -c 'cat /proc/self/status'", {
      sys: { ...sys, cloneflags: ["CLONE_NEWUSER", "CLONE_NEWPID", "CLONE_NEWNS"], ...WHOLE_ROOT },
    });
    check(identity(stdout));
  });

  it("are of use: what they allow is allowed", async () => {
    const sys = mappedTo(65_534, { ambientCaps: ["CAP_SYS_ADMIN"] });
    const unshared = { ...sys, cloneflags: ["CLONE_NEWUSER", "CLONE_NEWUTS"] } satisfies Sys;
    assert.equal((await sh("hostname within && hostname", { sys: unshared })).stdout, "within\n");
    assert.notEqual((await sh("hostname within", { sys: { ...unshared, ambientCaps: [] } })).status.code, 0);
  });

  it("that we lack are refused by name", async function () {
    if (isRoot) skipBecause(this, "root has them");
    const error = await rejection(api.spawn("true", [], { sys: { ambientCaps: ["CAP_NET_ADMIN"] } }));
    assert.deepEqual([error.step, error.path], ["validate", "sys.ambientCaps[0]"]);
  });
});

describe("chroot", () => {
  let root: string;
  before(() => {
    root = makeTemp("chroot");
    mkdirSync(join(root, "folder"));
    // Static, so that it needs nothing else in there: the same file that every sandbox begins with. It fails at once
    // when it is not started by the spawner, which is enough to see that it ran.
    copyFileSync("dist/native/sandbox-init", join(root, "static"));
    writeFileSync(join(root, "marker"), "inside");
  });
  after(() => removeTemp(root));

  for (const [who, sys] of [
    ["as root", {}],
    ["in a user namespace", mappedTo(0)],
    [
      "in an unshared user and mount namespace",
      { ...mappedTo(0), cloneflags: [], unshareflags: ["CLONE_NEWUSER", "CLONE_NEWNS"] },
    ],
    ["under a PID 1 of ours", { ...mappedTo(0), cloneflags: ["CLONE_NEWUSER", "CLONE_NEWPID"] }],
  ] as const satisfies readonly (readonly [string, object])[]) {
    it(`is where the command is looked up, and where it runs, ${who}`, async function () {
      if (who === "as root" && !isRoot) skipBecause(this, "only root may change its root without a user namespace");
      const inside: Sys = { ...(sys as Sys), chroot: root };
      const { status } = await run("/static", [], { cwd: "/folder", sys: inside });
      assert.equal(status.code, 127);
      const error = await rejection(api.spawn("sh", [], { sys: inside }));
      assert.deepEqual([error.step, error.code], ["exec", "ENOENT"]);
      const folder = await rejection(api.spawn("/static", [], { cwd: root, sys: inside }));
      assert.deepEqual([folder.step, folder.code], ["cwd", "ENOENT"]);
    });
  }

  it("is refused to an ordinary user by name", async function () {
    if (isRoot) skipBecause(this, "root may change its root");
    const error = await rejection(api.spawn("/static", [], { sys: { chroot: root } }));
    assert.deepEqual([error.step, error.path], ["validate", "sys.chroot"]);
    assert.match(error.message, /CAP_SYS_CHROOT/);
  });

  it("that does not exist is refused by name", async () => {
    const error = await rejection(api.spawn("true", [], { sys: mappedTo(0, { chroot: join(root, "none") }) }));
    assert.deepEqual([error.step, error.code, error.path], ["chroot", "ENOENT", join(root, "none")]);
  });

  it("has the working directory inside also when none was asked for", async () => {
    // A directory outside is a way out (chroot(2)).
    await using holder = await api.holdNamespaces({ sys: mappedTo(0, { chroot: root }) });
    assert.equal(readlinkSync(`/proc/${holder.pid}/root`), root);
    assert.equal(readlinkSync(`/proc/${holder.pid}/cwd`), root);
  });
});
