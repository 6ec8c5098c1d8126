// Runs under test/native/programs/refuse.cc, with some system calls refused to it and to all its descendants: does what
// its argument says and prints what came of it as JSON.

import { closeSync, openSync } from "node:fs";
import { program } from "../../support/programs";
import {
  api,
  children,
  inNamespaces,
  isRoot,
  type Options,
  openFds,
  type Result,
  run,
  type Sys,
  sh,
} from "../spawner-world";

const NESTED: Sys["mounts"] = [
  { destination: "/proc", type: "proc" },
  { destination: "/tmp", type: "tmpfs", mode: 0o1777 },
  { destination: "/tmp/nested", type: "tmpfs" },
];

interface Failure {
  code: string;
  syscall: string;
  step: string;
  message: string;
  remedy: string | undefined;
}

/** What a promise was rejected with; undefined when it was not. */
async function failure(promise: Promise<unknown>): Promise<Failure | undefined> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    if (!(error instanceof api.SpawnError)) throw error;
    const { code, syscall, step, message, remedy } = error;
    return { code, syscall, step, message, remedy };
  }
}

const lines = (result: Result): string[] => (result.stdout + result.stderr).split("\n").filter(Boolean);

const full = (more: Sys): Options => inNamespaces(["CLONE_NEWNS", "CLONE_NEWPID"], more);

/** Where nothing can be written, touch(1) says so. */
const TRY =
  'for f in "$@"; do if touch "$f/probe" 2>/dev/null; then echo "$f written"; rm "$f/probe"; fi; done; echo end';
const written = (options: Options, ...folders: string[]): Promise<string[]> =>
  run("sh", ["-c", TRY, "sh", ...folders], options).then(lines);

const CASES = {
  /** A child is seen, signalled and waited for; handlers are reset. */
  plain: async () => {
    const child = await api.spawn("sleep", ["100"], { stdio: "ignore" });
    const pidfd = child.pidfd;
    const killed = child.kill("SIGTERM");
    const { signal } = await child.exited;
    const ended = await sh("exit 7");
    const signals = lines(await run("cat", ["/proc/self/status"])).filter((line) => /^Sig(Blk|Ign|Cgt)/.test(line));
    const late = await api.spawn("sleep", ["100"], { stdio: "ignore", timeout: 1000 });
    const { reason } = await late.exited;
    const absent = await failure(api.spawn("/no/such/command"));
    return { hasPidfd: pidfd >= 0, killed, signal, code: ended.status.code, signals, reason, absent, left: children() };
  },
  /** Namespaces with a PID 1. */
  namespaces: async () => {
    const flags = ["CLONE_NEWPID", "CLONE_NEWNS", "CLONE_NEWUTS", "CLONE_NEWIPC", "CLONE_NEWNET"] as const;
    const options = inNamespaces([...flags], { hostname: "inside", mounts: [{ destination: "/proc", type: "proc" }] });
    const inside = lines(
      await sh("echo $$ $(hostname); tr '\\0' ' ' < /proc/1/cmdline; echo; readlink /proc/1/exe", options),
    );
    const ended = await sh("exit 7", options);
    const absent = await failure(api.spawn("/no/such/command", [], options));
    const holder = await api.holdNamespaces(inNamespaces(["CLONE_NEWUTS"]));
    const joined = await sh("readlink /proc/self/ns/uts", {
      sys: { setns: [{ fd: holder.pidfd, nstype: ["CLONE_NEWUSER", "CLONE_NEWUTS"] }] },
    });
    await holder.release();
    return { inside, code: ended.status.code, absent, joined: joined.status.code, left: children() };
  },
  /** Ids that are written from outside, for root. */
  maps: async () => {
    const mappings = [{ containerID: 0, hostID: 0, size: 1000 }];
    return lines(
      await sh("cat /proc/self/uid_map; ulimit -n > /dev/null; id -u", {
        sys: {
          cloneflags: ["CLONE_NEWUSER"],
          uidMappings: mappings,
          gidMappings: mappings,
          credential: { uid: 5, gid: 5, noSetGroups: true },
        },
      }),
    );
  },
  cgroup: async () => {
    const fd = openSync("/", "r");
    const failed = await failure(api.spawn("true", [], { sys: { cgroupFD: fd } }));
    closeSync(fd);
    return failed;
  },
  /** The fds that a command has, alone and under a PID 1. What we were given is open for inheritance. */
  fds: async () => {
    const options = { stdio: ["ignore", "pipe", "ignore"] } satisfies Options;
    const list = ["-c", "ls /proc/self/fd"];
    return {
      ours: openFds().length,
      alone: lines(await run("sh", list, options)),
      inside: lines(
        await run("sh", list, { ...options, ...full({ mounts: [{ destination: "/proc", type: "proc" }] }) }),
      ),
    };
  },
  /** Read-only means everything below, with flags that were there kept. */
  readonly: async () => {
    const rootfs = { path: "/" };
    const folders = ["/tmp", "/tmp/nested", "/dev/shm"];
    const mountinfo = {
      destination: "/tmp/usr",
      source: "/usr",
      options: ["rbind", "ro", "nosuid", "nodev", "noexec"],
    };
    return {
      open: await written(full({ rootfs, mounts: NESTED }), ...folders),
      paths: await written(full({ rootfs, mounts: NESTED, readonlyPaths: ["/tmp", "/dev"] }), ...folders),
      root: await written(full({ rootfs: { path: "/", readonly: true }, mounts: NESTED }), ...folders),
      bound: await written(
        full({
          rootfs,
          mounts: [...(NESTED ?? []), { destination: "/tmp/dev", source: "/dev", options: ["rbind", "ro"] }],
        }),
        "/tmp/dev/shm",
      ),
      flags: lines(
        await sh(
          "awk '$5 == \"/tmp/usr\" { print $6 }' /proc/self/mountinfo; /tmp/usr/bin/true && echo executed",
          full({ rootfs, mounts: [...(NESTED ?? []), mountinfo] }),
        ),
      ),
      shm: lines(
        await sh(
          "awk '$5 == \"/dev/shm\" { print $6 }' /proc/self/mountinfo",
          full({ rootfs: { path: "/", readonly: true, options: ["nosuid"] }, mounts: NESTED }),
        ),
      ),
      plain: lines(await sh("awk '$5 == \"/dev/shm\" { print $6 }' /proc/self/mountinfo")),
    };
  },
  /** Symbolic links in destinations lead inside the new root, and nowhere else. */
  links: async () => {
    const command = program("nothing");
    const inside = (mounts: NonNullable<Sys["mounts"]>, more: Sys = {}): Options =>
      full({
        rootfs: {},
        mounts: [
          { destination: "/usr", source: "/usr", options: ["rbind", "ro"] },
          { destination: "/bin", type: "symlink", source: "usr/bin" },
          { destination: "/lib", type: "symlink", source: "usr/lib" },
          { destination: "/lib64", type: "symlink", source: "usr/lib64" },
          { destination: "/proc", type: "proc" },
          { destination: "/etc/mine", type: "dir" },
          { destination: "/etc/secret", type: "file", data: "secret" },
          { destination: "/absolute", type: "symlink", source: "/etc" },
          { destination: "/deep/up", type: "symlink", source: "../../../../../etc" },
          { destination: "/loop", type: "symlink", source: "/loop" },
          { destination: "/magic", type: "symlink", source: "/proc/self/cwd" },
          ...mounts,
        ],
        ...more,
      });
    const shown = "grep ' - tmpfs ' /proc/self/mountinfo | cut -d' ' -f5 | sort; cat /etc/secret";
    return {
      mounted: lines(
        await sh(
          shown,
          inside(
            [
              { destination: "/absolute/one", type: "tmpfs" },
              { destination: "/deep/up/two", type: "tmpfs" },
              { destination: "/deep/../../absolute/mine", type: "tmpfs" },
              { destination: "/absolute/command", source: command },
            ],
            { maskedPaths: ["/deep/up/secret"] },
          ),
        ),
      ),
      loop: await failure(api.spawn("true", [], inside([{ destination: "/loop/x", type: "tmpfs" }]))),
      magic: await failure(api.spawn("true", [], inside([{ destination: "/magic/x", type: "tmpfs" }]))),
      source: await failure(
        api.spawn(
          "true",
          [],
          inside([{ destination: "/exe", source: "/proc/self/exe", options: ["bind", "nofollow"] }]),
        ),
      ),
    };
  },
  bare: async () => failure(api.spawn("true", [], { stdio: "ignore" })),
  /** What a parent-death signal needs. */
  parent: async () => failure(api.spawn("true", [], { stdio: "ignore", sys: { pdeathsig: "SIGKILL" } })),
  init: async () => failure(api.spawn("true", [], { stdio: "ignore", ...full({}) })),
} as const satisfies Record<string, () => Promise<unknown>>;

export type Cases = { readonly [name in keyof typeof CASES]: Awaited<ReturnType<(typeof CASES)[name]>> };

async function main(name: string): Promise<void> {
  if (!(name in CASES)) throw new Error(`No case ${name}, as ${isRoot ? "root" : "a user"}.`);
  const result = await CASES[name as keyof Cases]();
  console.log(JSON.stringify(result ?? null));
}

if (require.main === module) void main(process.argv[2] ?? "");
