// Commands that join namespaces: held ones, or those of a sandbox that runs.

import assert from "node:assert/strict";
import { closeSync, openSync, readlinkSync } from "node:fs";
import { text } from "node:stream/consumers";
import { waitUntil } from "../support/processes";
import { skipBecause } from "../support/skip";
import { childOf, type Flag, joining, killedHost } from "./join-world";
import { isGone, procStat } from "./proc-stat";
import {
  api,
  children,
  execEntersTime,
  inNamespaces,
  isRoot,
  type Options,
  openFds,
  rejection,
  run,
  type Sys,
  sh,
  WHOLE_ROOT,
} from "./spawner-world";

type Holder = Awaited<ReturnType<typeof api.holdNamespaces>>;

const TYPES: Readonly<Record<string, Flag>> = {
  user: "CLONE_NEWUSER",
  mnt: "CLONE_NEWNS",
  net: "CLONE_NEWNET",
  ipc: "CLONE_NEWIPC",
  uts: "CLONE_NEWUTS",
  cgroup: "CLONE_NEWCGROUP",
  time: "CLONE_NEWTIME",
};

describe("joining", () => {
  describe("by pidfd", () => {
    // Where execve(2) does not enter it, a holder has no time namespace of its own to give.
    const types = Object.entries(TYPES).filter(([name]) => name !== "time" || execEntersTime());
    let holder: Holder;
    before(async () => {
      const flags = types.map(([, flag]) => flag).filter((flag) => flag !== "CLONE_NEWUSER");
      const { cloneflags, ...rest } = inNamespaces(flags, { hostname: "held" }).sys;
      holder = await api.holdNamespaces({ sys: { ...rest, cloneflags: cloneflags ?? [] } });
    });
    after(() => holder.release());

    it("enters several namespaces at once, the user namespace among them", async () => {
      const links = types.map(([name]) => `ns/${name}`);
      const { stdout } = await run(
        "readlink",
        links.map((link) => `/proc/self/${link}`),
        {
          sys: joining(holder.pidfd, ...types.map(([, flag]) => flag)),
        },
      );
      assert.deepEqual(
        stdout.trim().split("\n"),
        links.map((link) => readlinkSync(`/proc/${holder.pid}/${link}`)),
      );
    });

    it("enters those that were named and stays in the rest", async () => {
      const sys = joining(holder.pidfd, "CLONE_NEWUSER", "CLONE_NEWUTS");
      const { stdout } = await sh("hostname; readlink /proc/self/ns/net", { sys });
      assert.equal(stdout, `held\n${readlinkSync("/proc/self/ns/net")}\n`);
    });

    it("gives the capabilities of the user namespace, which the command keeps as its root alone", async () => {
      const sys: Sys = { ...joining(holder.pidfd, "CLONE_NEWUSER", "CLONE_NEWUTS"), ambientCaps: ["CAP_SYS_ADMIN"] };
      assert.equal((await sh("hostname changed && hostname", { sys })).stdout, "changed\n");
      assert.equal((await sh("hostname held && hostname", { sys })).stdout, "held\n");
    });

    it("comes before unshareflags", async () => {
      const sys: Sys = {
        ...joining(holder.pidfd, "CLONE_NEWUSER", "CLONE_NEWNET"),
        unshareflags: ["CLONE_NEWUTS"],
        hostname: "own",
      };
      const { stdout } = await sh("hostname; readlink /proc/self/ns/net", { sys });
      assert.equal(stdout, `own\n${readlinkSync(`/proc/${holder.pid}/ns/net`)}\n`);
      assert.equal(
        (await sh("hostname", { sys: joining(holder.pidfd, "CLONE_NEWUSER", "CLONE_NEWUTS") })).stdout,
        "held\n",
      );
    });

    it("leaves the command its fds, its limits and its exit status, and no fd of the helper", async () => {
      const zero = openSync("/dev/zero", "r");
      const stdio = ["ignore", "pipe", "inherit", null, zero, ...Array.from({ length: 40 }, () => null), zero] as const;
      const sys: Sys = {
        ...joining(holder.pidfd, "CLONE_NEWUSER"),
        rlimits: [{ type: "RLIMIT_NOFILE", soft: 50, hard: 60 }],
      };
      const { stdout, status } = await sh("ulimit -n; ls -l /proc/$$/fd; exit 42", { sys, stdio: [...stdio] });
      closeSync(zero);
      const fds = Array.from(stdout.matchAll(/ (\d+) -> /g), ([, fd]) => Number(fd));
      assert.deepEqual(
        fds.sort((a, b) => a - b),
        [0, 1, 2, 4, 45],
      );
      assert.match(stdout, /^50\n/);
      assert.equal(status.code, 42);
    });

    it("names the type that the process does not have anew, and what can't be joined", async () => {
      // setns(2): EINVAL for the user namespace that one is in.
      await using same = await api.spawn("sleep", ["1000"]);
      const own = await rejection(api.spawn("true", [], { sys: joining(same.pidfd, "CLONE_NEWUSER") }));
      assert.deepEqual([own.step, own.code, own.syscall], ["setns", "EINVAL", "setns"]);
      assert.match(own.message, /^setns user of fd \d+: EINVAL, .* \(step \d+ of \d+\)$/);
      const closed = await rejection(api.spawn("true", [], { sys: joining(9999, "CLONE_NEWNET") }));
      assert.match(closed.message, /^(sys\.setns\[0\]\.fd: |setns net of fd 9999: EBADF)/);
    });

    it("is refused to an ordinary user without the user namespace, by name", async function () {
      if (isRoot) skipBecause(this, "root may join any");
      const error = await rejection(api.spawn("true", [], { sys: joining(holder.pidfd, "CLONE_NEWNET") }));
      assert.match(error.message, /^(sys\.setns|setns net of fd \d+: EPERM)/);
      // Somebody else's, which only the kernel knows.
      const pidfd = api.pidfdOpen(1);
      const theirs = await rejection(api.spawn("true", [], { sys: joining(pidfd, "CLONE_NEWUSER") }));
      closeSync(pidfd);
      assert.deepEqual([theirs.step, theirs.code], ["setns", "EPERM"]);
    });

    it("reports a command that does not exist, and leaves nothing behind", async () => {
      const before = openFds().length;
      const error = await rejection(api.spawn("no-such-command", [], { sys: joining(holder.pidfd, "CLONE_NEWUSER") }));
      assert.deepEqual([error.step, error.code, error.index], ["exec", "ENOENT", error.steps]);
      await waitUntil("every fd is closed", () => openFds().length <= before);
      assert.deepEqual(children(), [String(holder.pid)]);
    });
  });

  it("enters one namespace by its own fd, and only one of its type", async () => {
    await using holder = await api.holdNamespaces(inNamespaces(["CLONE_NEWUTS"], { hostname: "named" }));
    const fds = ["user", "uts"].map((name) => openSync(`/proc/${holder.pid}/ns/${name}`, "r")) as [number, number];
    const [user, uts] = fds;
    try {
      const sys: Sys = {
        setns: [
          { fd: user, nstype: ["CLONE_NEWUSER"] },
          { fd: uts, nstype: ["CLONE_NEWUTS"] },
        ],
      };
      assert.equal((await run("hostname", [], { sys })).stdout, "named\n");
      const wrong: Sys = {
        setns: [
          { fd: user, nstype: ["CLONE_NEWUSER"] },
          { fd: uts, nstype: ["CLONE_NEWNET"] },
        ],
      };
      const error = await rejection(api.spawn("true", [], { sys: wrong }));
      assert.match(error.message, new RegExp(`^(sys\\.setns\\[1\\]|setns net of fd ${uts}: EINVAL)`));
    } finally {
      for (const fd of fds) closeSync(fd);
    }
  });

  it("keeps namespaces alive after their holder is released", async () => {
    const holder = await api.holdNamespaces(inNamespaces(["CLONE_NEWUTS"], { hostname: "outlives" }));
    const child = await api.spawn("sh", ["-c", "read go; hostname"], {
      sys: joining(holder.pidfd, "CLONE_NEWUSER", "CLONE_NEWUTS"),
    });
    await holder.release();
    child.stdin?.end("go\n");
    assert.ok(child.stdout);
    assert.equal(await text(child.stdout), "outlives\n");
  });

  describe("a running sandbox", () => {
    const INSIDE: Flag[] = ["CLONE_NEWUSER", "CLONE_NEWNS", "CLONE_NEWPID", "CLONE_NEWIPC"];
    const world: Options = inNamespaces(INSIDE.slice(1), WHOLE_ROOT);
    let sandbox: Awaited<ReturnType<typeof api.spawn>>;
    let inside: Sys;

    beforeEach(async () => {
      sandbox = await api.spawn("sh", ["-c", "sleep 1000; exit 0"], world);
      inside = joining(sandbox.pidfd, ...INSIDE);
    });
    afterEach(async () => {
      sandbox.kill("SIGKILL");
      await sandbox.exited;
      assert.deepEqual(children(), []);
    });

    it("sees its processes and its files, and is one of them", async () => {
      const { stdout } = await sh("echo $$; ps -eo pid=,comm=; findmnt -no FSTYPE /tmp || stat -fc %T /tmp", {
        sys: inside,
      });
      const [pid, ...lines] = stdout.trim().split("\n");
      const processes = lines.slice(0, -1).map((line) => line.trim().split(/\s+/));
      assert.ok(
        processes.some(([id, name]) => id === "1" && name?.includes("sandbox-i")),
        stdout,
      );
      assert.ok(
        processes.some(([id, name]) => id === pid && name === "sh"),
        stdout,
      );
      assert.ok(Number(pid) > 2 && Number(pid) < 100);
      assert.equal(lines.at(-1), "tmpfs");
    });

    it("passes on exit codes and signals that end the command", async () => {
      assert.equal((await sh("exit 42", { sys: inside })).status.code, 42);
      const { signal, code } = (await sh("kill -SEGV $$", { sys: inside })).status;
      assert.deepEqual([signal, code], ["SIGSEGV", null]);
    });

    it("passes signals to the command, which may catch them", async () => {
      const line = "trap 'echo caught; exit 9' USR1; echo ready; while :; do sleep 0.01; done";
      const child = await api.spawn("sh", ["-c", line], { sys: inside });
      assert.ok(child.stdout);
      const output = child.stdout[Symbol.asyncIterator]();
      assert.equal(String((await output.next()).value), "ready\n");
      child.kill("SIGUSR1");
      assert.equal(String((await output.next()).value), "caught\n");
      assert.equal((await child.exited).code, 9);
    });

    it("is left by SIGKILL at once, with the command", async () => {
      const child = await api.spawn("sleep", ["1000"], { sys: inside });
      const command = childOf(child.pid);
      child.kill("SIGKILL");
      assert.equal((await child.exited).signal, "SIGKILL");
      await waitUntil("the command is gone", () => isGone(command));
      assert.equal(procStat(sandbox.pid).state, "S");
    });

    it("keeps its own processes out of a signal for everybody", async () => {
      const other = await api.spawn("sleep", ["1000"], { sys: inside });
      const child = await api.spawn("sleep", ["1000"], { sys: inside });
      api.signalNamespace(child, "SIGTERM");
      assert.equal((await child.exited).signal, "SIGTERM");
      assert.equal(isGone(childOf(other.pid)), false);
      assert.equal((await api.inspect.processes(sandbox.pid)).filter(({ name }) => name === "sleep").length, 2);
      other.kill("SIGKILL");
      await other.exited;
    });

    it("takes the command with it when it ends", async () => {
      const child = await api.spawn("sleep", ["1000"], { sys: inside });
      sandbox.kill("SIGKILL");
      assert.equal((await child.exited).signal, "SIGKILL");
    });

    it("counts the time and memory of the command, and of its children", async () => {
      const burn = "1 while (times)[0] < 0.2; $x = 'x' x 50_000_000";
      const { status } = await sh(`perl -e "${burn.replaceAll("$", "\\$")}"; true`, { sys: inside });
      assert.ok(status.userTime >= 0.18 && status.userTime < 2, `${status.userTime} s`);
      assert.ok(status.maxRss > 50e6 && status.maxRss < 250e6, `${status.maxRss}`);
    });

    it("has a terminal for the command, with a name inside, keys and a size", async () => {
      const child = await api.spawn("sh", ["-c", "tty; stty size; read line; echo got $line"], {
        sys: inside,
        terminal: { columns: 101, rows: 37 },
      });
      assert.ok(child.terminal);
      let output = "";
      for await (const chunk of child.terminal.output) {
        output += String(chunk);
        if (output.endsWith("37 101\r\n")) child.terminal.write("words\n");
      }
      assert.match(output, /^\/dev\/pts\/\d+\r\n37 101\r\nwords\r\ngot words\r\n$/);
      assert.equal((await child.exited).code, 0);
    });

    it("is left when the one who joined dies", async () => {
      const script = `
        const sandbox = await api.spawn("sleep", ["1000"], ${JSON.stringify(world)});
        const sys = { setns: [{ fd: sandbox.pidfd, nstype: ${JSON.stringify(INSIDE)} }], pdeathsig: "SIGKILL" };
        return [sandbox.pid, (await api.spawn("sleep", ["1000"], { sys })).pid];`;
      const pids = (await killedHost(script)) as number[];
      await waitUntil("both are gone", () => pids.every(isGone));
    });

    it("can't read, trace or follow the helper that stays outside, though it is in its user namespace", async () => {
      const child = await api.spawn("sleep", ["1000"], { sys: inside });
      const helper = child.pid;
      const command = childOf(helper);
      // Somebody who has entered the user namespace alone, sees the host's /proc, and may do everything in there.
      const ptrace = process.arch === "arm64" ? 117 : 101;
      const thief = `
        for my $pid (@ARGV) {
          for my $file (qw(environ auxv maps mem exe cwd root ns/mnt)) {
            my $path = "/proc/$pid/$file";
            my $got = $file =~ /exe|cwd|root|ns/ ? defined(readlink($path)) : open(my $f, "<", $path);
            print "$file " if $got;
          }
          print "fds " if grep { defined(readlink("/proc/$pid/fd/$_")) } 0..99;
          print "trace" if syscall(${ptrace}, 0x4206, 0 + $pid, 0, 0) == 0; # PTRACE_SEIZE
          print "\\n";
        }`;
      const all = ["CAP_SYS_PTRACE", "CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH"] as const;
      const sys: Sys = { ...joining(sandbox.pidfd, "CLONE_NEWUSER"), ambientCaps: [...all] };
      const { stdout, stderr } = await run("perl", ["-e", thief, String(helper), String(command)], { sys });
      assert.equal(stderr, "");
      const [ofHelper, ofCommand] = stdout.split("\n");
      assert.equal(ofHelper, "");
      assert.equal(ofCommand, "environ auxv maps mem exe cwd root ns/mnt fds trace");
      child.kill("SIGKILL");
      await child.exited;
    });
  });

  it("needs no user namespace as root", async function () {
    if (!isRoot) skipBecause(this, "an ordinary user has no namespaces without one");
    await using holder = await api.holdNamespaces({
      sys: { cloneflags: ["CLONE_NEWUTS", "CLONE_NEWPID"], hostname: "rooted" },
    });
    const { stdout } = await run("perl", ["-e", 'print "$$ ", `hostname`'], {
      sys: joining(holder.pidfd, "CLONE_NEWUTS", "CLONE_NEWPID"),
    });
    assert.match(stdout, /^[2-9] rooted\n$/);
  });
});
