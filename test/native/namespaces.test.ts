// New namespaces, id maps, PID 1 and the file system inside, as far as the spawner goes: no profile, bare options.

import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { waitUntil } from "../support/processes";
import { skipBecause } from "../support/skip";
import {
  api,
  children,
  inNamespaces,
  isRoot,
  openFds,
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
    it(`${flag} gives a new ${link} namespace and leaves the others`, async () => {
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
    assert.equal(error.step, "id-map");
    assert.equal(error.code, "EPERM");
    assert.match(error.message, /uid 0 0 10; gid 0 0 10/);
    assert.match(error.remedy ?? "", /Only root/);
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
      const api = require(${JSON.stringify(join(process.cwd(), "dist/api.js"))});
      api.spawn("true", [], { sys: { cloneflags: ["CLONE_NEWUSER", "CLONE_NEWNS"] } }).catch((error) =>
        console.log([error.step, error.code, error.syscall, error.message, error.remedy].join("\\n")));`;
    const root = (hostID: number): [{ containerID: number; hostID: number; size: number }] => [
      { containerID: 0, hostID, size: 1 },
    ];
    const { stdout } = await sh('echo 0 > /proc/sys/user/max_user_namespaces && exec "$NODE" -e "$SCRIPT"', {
      env: { ...process.env, NODE: process.execPath, SCRIPT: script },
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

describe("PID 1", () => {
  const options = inNamespaces(["CLONE_NEWPID", "CLONE_NEWNS"], WHOLE_ROOT);

  it("passes on output, exit code and signals of the command", async () => {
    const { status, stdout } = await sh("echo $$; exit 42", options);
    assert.equal(stdout, "2\n");
    assert.equal(status.code, 42);
    assert.equal((await sh("kill -SEGV $$", options)).status.signal, "SIGSEGV");
  });

  it("passes signals on to the command, and ends with it", async () => {
    const child = await api.spawn(
      "sh",
      ["-c", "trap 'echo caught; exit 9' USR1; echo ready; while :; do sleep 0.01; done"],
      options,
    );
    assert.ok(child.stdout);
    const iterator = child.stdout[Symbol.asyncIterator]();
    assert.equal(String((await iterator.next()).value), "ready\n");
    child.kill("SIGUSR1");
    assert.equal(String((await iterator.next()).value), "caught\n");
    assert.equal((await child.exited).code, 9);
  });

  it("reaps orphans, and takes every process with it when the command ends", async () => {
    const { stdout, status } = await sh(
      "(sh -c 'true & exec sleep 0.05' &) ; sleep 0.2; ps -eo stat= | grep -c Z; setsid sleep 1000 & exit 0",
      options,
    );
    assert.equal(stdout, "0\n");
    assert.equal(status.code, 0);
  });

  it("is told to signal everybody inside at once", async () => {
    const child = await api.spawn(
      "sh",
      ["-c", "setsid sleep 1000 & setsid sleep 1000 & echo started; wait; wait"],
      options,
    );
    assert.ok(child.stdout);
    await child.stdout[Symbol.asyncIterator]().next();
    await waitUntil(
      "both sleep",
      async () => (await api.inspect.processes(child.pid)).filter((p) => p.name === "sleep").length === 2,
    );
    assert.equal(api.signalNamespace(child, "SIGTERM"), true);
    const { signal, reason } = await child.exited;
    assert.equal(signal, "SIGTERM");
    assert.equal(reason, "killed");
  });

  it("can't be traced, read or killed from inside", async () => {
    const { stdout } = await sh(
      "cat /proc/1/environ 2>&1 | head -c 0; ls -l /proc/1/exe 2>&1 | grep -c -i denied; kill -KILL 1; kill -STOP 1; kill -TERM 999 2>/dev/null; echo alive",
      { sys: { ...options.sys, capabilities: {}, noNewPrivileges: true } },
    );
    assert.match(stdout, /alive\n$/);
  });

  it("counts the memory and the time of what ran inside, and not ours", async () => {
    const { status } = await run("perl", ["-e", '$x = "x" x 50_000_000; for (1..2_000_000) { $y++ }'], options);
    assert.ok(status.maxRss > 45e6 && status.maxRss < 200e6, `${status.maxRss}`);
    assert.ok(status.userTime > 0.02, `${status.userTime}`);
    const small = await run("true", [], options);
    assert.ok(small.status.maxRss < 20e6, `${small.status.maxRss} for a small program`);
  });

  it("reports a failed exec as if there were no PID 1 between", async () => {
    const error = await rejection(api.spawn("no-such-command", [], options));
    assert.equal(error.step, "exec");
    assert.equal(error.code, "ENOENT");
    assert.equal(error.index, error.steps);
    assert.deepEqual(children(), []);
  });

  it("is left out on demand", async () => {
    const { stdout } = await sh("echo $$", { sys: { ...options.sys, init: false } });
    assert.equal(stdout, "1\n");
  });

  it("lets the reader see the end of the output when the command closes it", async () => {
    const child = await api.spawn("sh", ["-c", "echo last; exec >&- 2>&-; sleep 1000"], options);
    assert.ok(child.stdout);
    assert.equal(await text(child.stdout), "last\n");
    child.kill("SIGKILL");
    await child.exited;
  });

  it("goes when the thread that spawned it goes, with everything inside", async () => {
    // A process of its own that spawns and is then killed without a chance to clean up.
    const script = `
      const api = require(${JSON.stringify(require.resolve(join(process.cwd(), "dist/api.js")))});
      api.spawn("sh", ["-c", "setsid sleep 1000 & sleep 1000"], ${JSON.stringify(options)}).then((p) => console.log(p.pid));`;
    const host = await api.spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    assert.ok(host.stdout);
    const pid = Number((await host.stdout[Symbol.asyncIterator]().next()).value);
    await waitUntil("all three run", async () => (await api.inspect.processes(pid)).length === 4);
    const inside = (await api.inspect.processes(pid)).map((process) => process.pid);
    host.kill("SIGKILL");
    await host.exited;
    await waitUntil("nothing is left", () => inside.every((process) => !existsSync(`/proc/${process}`)));
  });
});

describe("file system", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "mounts-"));
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, "data/sub"), { recursive: true });
    writeFileSync(join(folder, "data/file"), "content\n");
    writeFileSync(join(folder, "data/sub/deep"), "deep\n");
  });
  after(() => rmSync(folder, { recursive: true }));

  const inside = (sys: Sys): { sys: Sys } => inNamespaces(["CLONE_NEWNS", "CLONE_NEWPID", "CLONE_NEWIPC"], sys);
  const onTmpfs = (mounts: NonNullable<Sys["mounts"]>, more: Sys = {}): { sys: Sys } =>
    inside({
      rootfs: {},
      mounts: [
        ...["/usr", "/etc"].map((path) => ({ destination: path, source: path, options: ["rbind", "ro"] })),
        ...["bin", "lib", "lib64", "sbin"].map((name) => ({
          destination: `/${name}`,
          type: "symlink" as const,
          source: `usr/${name}`,
        })),
        { destination: "/proc", type: "proc" as const },
        { destination: "/dev", type: "dev" as const },
        ...mounts,
      ],
      ...more,
    });

  it("is a fresh tmpfs with what was mounted into it, and nothing of the host", async () => {
    const { stdout, stderr } = await sh(
      "ls /; ls /data; cat /data/sub/deep",
      onTmpfs([{ destination: "/data", source: join(folder, "data") }]),
    );
    assert.equal(stderr, "");
    assert.equal(stdout, "bin\ndata\ndev\netc\nlib\nlib64\nproc\nsbin\nusr\nfile\nsub\ndeep\n");
  });

  it("is read-only where it was asked, recursively", async () => {
    const options = inside({
      ...WHOLE_ROOT,
      mounts: [...(WHOLE_ROOT.mounts ?? []), { destination: folder, source: folder, options: ["rbind", "ro"] }],
    });
    const { stdout } = await sh(
      `for p in /x ${folder}/x ${folder}/data/sub/x /etc/x; do touch $p 2>/dev/null && echo wrote $p; done; touch /tmp/x && echo tmp`,
      options,
    );
    assert.equal(stdout, "tmp\n");
  });

  it("has a /dev with the default devices only", async () => {
    const { stdout } = await sh(
      "ls /dev; echo x > /dev/null; head -c3 /dev/zero | wc -c; echo /dev/pts/*",
      onTmpfs([]),
    );
    assert.equal(
      stdout,
      "fd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n3\n/dev/pts/ptmx\n",
    );
  });

  it("holds folders, files and links that were asked for", async () => {
    const { stdout } = await sh(
      "stat -c '%a %F' /a/b /a/file; cat /a/link; stat -f -c %T /t; stat -c %a /t",
      onTmpfs([
        { destination: "/a/b", type: "dir", mode: 0o1777 },
        { destination: "/a/file", type: "file", data: "text\n", mode: 0o640 },
        { destination: "/a/link", type: "symlink", source: "file" },
        { destination: "/t", type: "tmpfs", options: ["size=1m", "mode=0700"] },
      ]),
    );
    assert.equal(stdout, "1777 directory\n640 regular file\ntext\ntmpfs\n700\n");
  });

  it("covers masked paths and makes others read-only, and passes over those that do not exist", async () => {
    const options = inside({
      ...WHOLE_ROOT,
      mounts: [...(WHOLE_ROOT.mounts ?? []), { destination: folder, source: folder, options: ["rbind"] }],
      maskedPaths: [join(folder, "data/sub"), join(folder, "data/file"), join(folder, "none"), "/none"],
      readonlyPaths: [join(folder, "data"), join(folder, "none")],
    });
    const { stdout } = await sh(
      `ls ${folder}/data/sub; cat ${folder}/data/file; touch ${folder}/data/x 2>/dev/null && echo wrote; touch ${folder}/y && echo y; ls ${folder}`,
      options,
    );
    assert.equal(stdout, "y\ndata\ny\n");
    assert.ok(!existsSync(join(folder, "none")));
    rmSync(join(folder, "y"));
  });

  it("never makes a mount point on the host", async () => {
    const options = inside({
      ...WHOLE_ROOT,
      mounts: [
        { destination: folder, source: folder, options: ["rbind"] },
        { destination: join(folder, "new/deep"), type: "tmpfs" },
      ],
    });
    const error = await rejection(api.spawn("true", [], options));
    assert.equal(error.step, "mount");
    assert.equal(error.code, "EROFS");
    assert.match(error.message, /^mount tmpfs on .*new\/deep/);
    assert.match(error.remedy ?? "", /nothing is ever created on the host/);
    assert.ok(!existsSync(join(folder, "new")));
  });

  it("never follows a link in a destination out of the root", async () => {
    const trap = join(folder, "trap");
    symlinkSync("/etc", trap);
    try {
      // Inside the root, /etc is the tmpfs root's own: the mount lands there, and the host's /etc is untouched.
      const { stdout } = await sh(
        "cat /etc/marker",
        onTmpfs([
          { destination: "/w", source: folder, options: ["rbind"] },
          { destination: "/etc", type: "tmpfs" },
          { destination: "/w/trap/sub", type: "tmpfs" },
          { destination: "/w/trap/marker", type: "file", data: "inside\n" },
        ]),
      );
      assert.equal(stdout, "inside\n");
      assert.ok(!existsSync("/etc/marker"));
    } finally {
      rmSync(trap);
    }
  });

  it("refuses a source with a link in it where none was expected", async () => {
    const link = join(folder, "link");
    symlinkSync("data", link);
    try {
      const mount = { destination: "/m", source: join(link, "sub") };
      assert.equal((await sh("cat /m/deep", onTmpfs([mount]))).stdout, "deep\n");
      const error = await rejection(api.spawn("true", [], onTmpfs([{ ...mount, options: ["nofollow"] }])));
      assert.equal(error.code, "ELOOP");
      assert.match(error.remedy ?? "", /redirect the mount/);
    } finally {
      rmSync(link);
    }
  });

  it("passes over an optional source that does not exist, and names one that must", async () => {
    const missing = { destination: "/m", source: join(folder, "missing") };
    assert.equal(
      (await sh("ls -d /m 2>/dev/null || echo none", onTmpfs([{ ...missing, options: ["optional"] }]))).stdout,
      "none\n",
    );
    const error = await rejection(api.spawn("true", [], onTmpfs([missing])));
    assert.match(error.message, /^mount bind .*missing on \/m: ENOENT/);
    assert.equal(error.path, "/m");
  });

  it("can be a chroot", async function () {
    if (!isRoot) skipBecause(this, "only root may chroot without a user namespace");
    assert.equal((await sh("pwd", { sys: { chroot: "/" } })).stdout, "/\n");
    const error = await rejection(api.spawn("true", [], { sys: { chroot: folder } }));
    assert.equal(error.step, "exec");
  });

  it("leaves no mount and no fd behind", async () => {
    await sh("true", inside(WHOLE_ROOT));
    const [mounts, fds] = [readFileSync("/proc/self/mountinfo", "utf8"), openFds().length];
    for (let i = 0; i < 5; i++) await sh("true", inside(WHOLE_ROOT));
    assert.equal(readFileSync("/proc/self/mountinfo", "utf8"), mounts);
    await waitUntil("every stream is closed", () => openFds().length <= fds);
  });
});
