// New namespaces and id maps, as far as the spawner goes: no profile, bare options.

import assert from "node:assert/strict";
import { readFileSync, readlinkSync } from "node:fs";
import { LIBRARY, LIBRARY_NODE } from "../support/library";
import { skipBecause } from "../support/skip";
import {
  api,
  children,
  execEntersTime,
  inNamespaces,
  isRoot,
  ownIds,
  rejection,
  run,
  type Sys,
  sh,
  WHOLE_ROOT,
} from "./spawner-world";

const ALL = ["CLONE_NEWNS", "CLONE_NEWPID", "CLONE_NEWNET", "CLONE_NEWIPC", "CLONE_NEWUTS", "CLONE_NEWCGROUP"] as const;
const LINKS: Record<string, (typeof ALL)[number] | "CLONE_NEWUSER" | "CLONE_NEWTIME"> = {
  mnt: "CLONE_NEWNS",
  pid: "CLONE_NEWPID",
  net: "CLONE_NEWNET",
  ipc: "CLONE_NEWIPC",
  uts: "CLONE_NEWUTS",
  cgroup: "CLONE_NEWCGROUP",
  user: "CLONE_NEWUSER",
  time: "CLONE_NEWTIME",
};

describe("namespaces", () => {
  for (const [link, flag] of Object.entries(LINKS)) {
    it(`${flag} gives a new ${link} namespace and leaves the others`, async function () {
      if (link === "time" && !execEntersTime()) {
        skipBecause(this, "this kernel takes a new time namespace at the next fork, not at execve");
      }
      const flags = flag === "CLONE_NEWUSER" ? [] : [flag];
      const names = Object.keys(LINKS).map((name) => `/proc/self/ns/${name}`);
      const { stdout } = await run("readlink", names, inNamespaces(flags, { init: false }));
      const inside = stdout.trim().split("\n");
      for (const [i, name] of Object.keys(LINKS).entries()) {
        const isNew = inside[i] !== readlinkSync(`/proc/self/ns/${name}`);
        assert.equal(isNew, name === link || name === "user", name);
      }
    });
  }

  it("can be unshared after the clone as well, with maps written then", async () => {
    const sys: Sys = { unshareflags: ["CLONE_NEWUSER", "CLONE_NEWUTS"], hostname: "later", ...ownIds() };
    const { stdout } = await sh("hostname; id -u", { sys });
    assert.equal(stdout, `later\n${process.getuid?.()}\n`);
  });

  it("maps our own id to another, written by the child", async () => {
    const sys: Sys = {
      cloneflags: ["CLONE_NEWUSER"],
      uidMappings: [{ containerID: 4711, hostID: process.getuid?.() ?? 0, size: 1 }],
      gidMappings: [{ containerID: 4712, hostID: process.getgid?.() ?? 0, size: 1 }],
    };
    const { stdout } = await sh("id -u; id -g; cat /proc/self/setgroups", { sys });
    assert.equal(stdout, "4711\n4712\ndeny\n");
  });

  it("maps many ids, written from outside, and changes to one of them", async function () {
    if (!isRoot) skipBecause(this, "only root may map more than its own id");
    const sys: Sys = {
      cloneflags: ["CLONE_NEWUSER"],
      uidMappings: [
        { containerID: 0, hostID: 100_000, size: 1000 },
        { containerID: 1000, hostID: 0, size: 1 },
      ],
      gidMappings: [{ containerID: 0, hostID: 100_000, size: 2000 }],
      gidMappingsEnableSetgroups: true,
      credential: { uid: 7, gid: 8, groups: [9, 10] },
    };
    const { stdout } = await sh("id -u; id -g; id -G; cat /proc/self/uid_map /proc/self/setgroups", { sys });
    assert.match(stdout, /^7\n8\n8 9 10\n\s+0\s+100000\s+1000\n\s+1000\s+0\s+1\nallow\n$/);
  });

  it("names the map that an ordinary user may not write", async function () {
    if (isRoot) skipBecause(this, "root may write every map");
    const sys: Sys = {
      cloneflags: ["CLONE_NEWUSER"],
      uidMappings: [{ containerID: 0, hostID: 0, size: 10 }],
      gidMappings: [{ containerID: 0, hostID: 0, size: 10 }],
    };
    const error = await rejection(api.spawn("true", [], { sys }));
    assert.equal(error.step, "validate");
    assert.match(
      error.message,
      /^sys\.uidMappings: may have one line only.*CAP_SETUID.*\nsys\.gidMappings: .*CAP_SETGID/,
    );
    assert.deepEqual(children(), []);
  });

  it("gives a time namespace its offsets", async () => {
    const offset = { secs: 100_000, nanosecs: 0 };
    const sys = inNamespaces(["CLONE_NEWTIME", "CLONE_NEWPID", "CLONE_NEWNS"], {
      timeOffsets: { boottime: offset },
    }).sys;
    const outside = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
    const inside = Number(
      (await run("cut", ["-d ", "-f1", "/proc/uptime"], { sys: { ...sys, ...WHOLE_ROOT } })).stdout,
    );
    assert.ok(inside - outside >= 100_000 && inside - outside < 100_600, `${inside} - ${outside}`);
  });

  it("makes a clone with the other flags that a caller may ask for", async () => {
    const flags = ["CLONE_SYSVSEM", "CLONE_IO", "CLONE_UNTRACED", "CLONE_CLEAR_SIGHAND"] as const;
    const options = { sys: { cloneflags: [...flags] } };
    assert.equal((await run("echo", ["x"], options)).stdout, "x\n");
    const clone = api.explain("echo", ["x"], options).find(({ name }) => name === "clone3");
    assert.equal(clone?.detail, `no new namespaces, ${flags.join(", ")}`);
  });

  it("gives a new network namespace its loopback, and nothing else", async () => {
    const { stdout } = await sh(
      "cat /proc/net/dev | tail -n +3 | cut -d: -f1; cat /sys/class/net/lo/flags 2>/dev/null",
      {
        ...inNamespaces(["CLONE_NEWNET"], { loopback: true }),
      },
    );
    assert.match(stdout, /^\s*lo\n/);
    const server =
      'use Socket; socket(S,PF_INET,SOCK_STREAM,0); bind(S,sockaddr_in(0,inet_aton("127.0.0.1"))) or die; listen(S,1); socket(C,PF_INET,SOCK_STREAM,0); print connect(C,getsockname(S)) ? "up" : "down"';
    assert.equal((await run("perl", ["-e", server], inNamespaces(["CLONE_NEWNET"], { loopback: true }))).stdout, "up");
    assert.equal((await run("perl", ["-e", server], inNamespaces(["CLONE_NEWNET"]))).stdout, "down");
  });

  it("says on which step a namespace was refused, and what to do", async () => {
    // The kernel refuses for real: inside a user namespace whose own limit is set to none (namespaces(7)).
    const script = `
      const api = require(${JSON.stringify(LIBRARY)});
      api.spawn("true", [], { sys: { cloneflags: ["CLONE_NEWUSER", "CLONE_NEWNS"] } }).catch((error) =>
        console.log([error.step, error.code, error.syscall, error.message, error.remedy].join("\\n")));`;
    const root = (hostID: number): [{ containerID: number; hostID: number; size: number }] => [
      { containerID: 0, hostID, size: 1 },
    ];
    const { stdout } = await sh('echo 0 > /proc/sys/user/max_user_namespaces && exec "$NODE" -e "$SCRIPT"', {
      env: { ...process.env, NODE: LIBRARY_NODE, SCRIPT: script },
      sys: {
        cloneflags: ["CLONE_NEWUSER"],
        uidMappings: root(process.getuid?.() ?? 0),
        gidMappings: root(process.getgid?.() ?? 0),
      },
    });
    const [step, code, syscall, message, remedy] = stdout.split("\n");
    assert.deepEqual([step, code, syscall], ["clone3", "ENOSPC", "clone3"]);
    assert.match(message ?? "", /^clone3 new user, mount namespaces: ENOSPC, .* \(step 2 of \d+\)$/);
    assert.match(remedy ?? "", /sudo sysctl -w user\.max_user_namespaces=15000/);
  });
});
