// Real plans for the fuzzer to start from: options of many kinds, compiled and encoded as spawn() does it, one file for
// the child's part and one for PID 1's.

import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import type { Addon } from "../../src/spawner/addon";
import { encode } from "../../src/spawner/encode";
import { openFilesLimit } from "../../src/spawner/open-files-limit";
import { compile, type Ending } from "../../src/spawner/plan";
import type { SpawnOptions } from "../../src/spawner/types";

const ONE = [{ containerID: 0, hostID: 1000, size: 1 }];
const MANY = [...ONE, { containerID: 1, hostID: 100_000, size: 65_536 }];

/** Between them these have every letter of ops.def, and nearly every operation. */
const OPTIONS: readonly SpawnOptions[] = [
  { env: {} },
  { env: { A: "1", EMPTY: "", LONG: "x".repeat(300) }, cwd: "/tmp", argv0: "other", stdio: ["ignore", null, "pipe"] },
  { env: {}, terminal: { columns: 80, rows: 24 } },
  {
    env: { PATH: "/usr/bin:/bin" },
    sys: {
      cloneflags: ["CLONE_NEWUSER", "CLONE_NEWPID", "CLONE_NEWNS", "CLONE_NEWUTS", "CLONE_NEWNET", "CLONE_NEWTIME"],
      uidMappings: ONE,
      gidMappings: ONE,
      hostname: "host",
      domainname: "domain",
      loopback: true,
      timeOffsets: { monotonic: { secs: 7, nanosecs: 0 } },
      rootfs: {},
      mounts: [
        { destination: "/usr", source: "/usr", options: ["ro", "nosuid"] },
        { destination: "/proc", type: "proc" },
        { destination: "/dev", type: "dev" },
        { destination: "/tmp", type: "tmpfs", options: ["size=1m"], mode: 0o1777 },
        { destination: "/bin", type: "symlink", source: "usr/bin" },
        { destination: "/etc/passwd", type: "file", data: "root:x:0:0::/:/bin/sh\n" },
      ],
      maskedPaths: ["/proc/kcore"],
      readonlyPaths: ["/proc/sys"],
      capabilities: { bounding: [], effective: [], permitted: [], inheritable: [] },
      noNewPrivileges: true,
      pdeathsig: "SIGKILL",
    },
  },
  {
    env: {},
    sys: {
      cloneflags: ["CLONE_NEWUSER"],
      uidMappings: MANY,
      gidMappings: MANY,
      gidMappingsEnableSetgroups: true,
      credential: { uid: 1, gid: 1, groups: [1, 2, 3] },
      ambientCaps: ["CAP_NET_BIND_SERVICE"],
      rlimits: [{ type: "RLIMIT_NOFILE", soft: 10, hard: 20 }],
      oomScoreAdj: 5,
      umask: 0o22,
      newSessionKeyring: true,
      setsid: true,
      realTimeLimit: 1500,
    },
  },
  {
    env: {},
    sys: {
      noNewPrivileges: true,
      landlock: {
        handledAccessFs: ["read_file", "ioctl_dev"],
        handledAccessNet: ["bind_tcp"],
        scoped: ["signal"],
        rules: [{ path: "/usr", access: ["read_file"], options: ["optional", "nofollow"] }],
        ports: [{ port: 80, access: ["bind_tcp"] }],
        flags: ["log_new_exec_on"],
      },
    },
  },
  { env: {}, sys: { unshareflags: ["CLONE_NEWNS"], chroot: "/", setpgid: true, setctty: true, ctty: 0 } },
];

const ENDINGS: readonly Ending[] = [{ file: "sh", args: ["-c", "exit 0"] }, { file: "/bin/true", args: [] }, "park"];

/** @returns how many were written */
function writeSeeds(folder: string): number {
  const native = createRequire(__filename)(resolve("dist/native/spawner.node")) as Addon;
  mkdirSync(folder, { recursive: true });
  let count = 0;
  for (const options of OPTIONS) {
    for (const ending of ENDINGS) {
      const plan = compile(ending, options, { uid: 1000, gid: 1000, openFiles: openFilesLimit(), landlockAbi: 10 });
      for (const steps of [plan.child, plan.helper?.steps ?? []]) {
        writeFileSync(join(folder, `seed-${count++}`), encode(native, steps, plan.parent.length));
      }
    }
  }
  return count;
}

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("Say which folder the seeds shall go into.");
console.log(`${writeSeeds(folder)} seeds`);
