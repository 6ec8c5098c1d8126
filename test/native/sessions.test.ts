// Sessions, process groups and terminals: who gets the signals of the keyboard and who may read it.

import assert from "node:assert/strict";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { LIBRARY, LIBRARY_NODE } from "../support/library";
import { parseStat, procStat } from "./proc-stat";
import { api, children, inNamespaces, rejection, run, type Sys, sh, WHOLE_ROOT } from "./spawner-world";

const STAT = ["/proc/self/stat"];
const { O_NOCTTY, O_RDWR } = constants;

/** A pseudoterminal that is nobody's controlling terminal, made by hand: (ioctl_tty(2)). */
async function openPty(): Promise<{ master: number; slave: number; name: string; close: () => void }> {
  const master = openSync("/dev/ptmx", O_RDWR | O_NOCTTY);
  const unlock = 'my $zero = pack("i", 0); ioctl(STDIN, 0x40045431, $zero) or die; '; // TIOCSPTLCK
  const number = 'my $n = pack("i", 0); ioctl(STDIN, 0x80045430, $n) or die; print unpack("i", $n)'; // TIOCGPTN
  const { stdout } = await run("perl", ["-e", unlock + number], { stdio: [master, "pipe", "inherit"] });
  const name = `/dev/pts/${stdout}`;
  const slave = openSync(name, O_RDWR | O_NOCTTY);
  const close = (): void => {
    closeSync(slave);
    closeSync(master);
  };
  return { master, slave, name, close };
}

/** Call `use` with an fd that is no terminal, as only the kernel can know. */
async function withoutTerminal<T>(use: (fd: number) => Promise<T>): Promise<T> {
  const fd = openSync("/dev/null", O_RDWR);
  try {
    return await use(fd);
  } finally {
    closeSync(fd);
  }
}

describe("a child that asks for nothing", () => {
  it("is in our session and our process group, with us as its parent", async () => {
    const own = procStat("self");
    const child = parseStat((await run("cat", STAT)).stdout);
    assert.equal(child.parent, process.pid);
    assert.deepEqual([child.group, child.session, child.terminal], [own.group, own.session, own.terminal]);
  });
});

describe("setsid", () => {
  it("makes the child the leader of a session and of a group, without a terminal", async () => {
    await using child = await api.spawn("sleep", ["1000"], { sys: { setsid: true } });
    const { group, session, terminal } = procStat(child.pid);
    assert.deepEqual([group, session, terminal], [child.pid, child.pid, 0]);
  });

  it("is for the command under a PID 1 of ours, and not for PID 1", async () => {
    const options = inNamespaces(["CLONE_NEWPID", "CLONE_NEWNS"], { ...WHOLE_ROOT, setsid: true });
    const { stdout } = await sh("cat /proc/$$/stat /proc/1/stat", options);
    const [command, init] = stdout.trim().split("\n").map(parseStat);
    assert.deepEqual([command?.group, command?.session], [2, 2]);
    assert.deepEqual([init?.group, init?.session], [0, 0]); // of outside
  });
});

describe("setpgid", () => {
  it("puts the child into a group of its own, in our session", async () => {
    await using child = await api.spawn("sleep", ["1000"], { sys: { setpgid: true } });
    const { group, session } = procStat(child.pid);
    assert.deepEqual([group, session], [child.pid, procStat("self").session]);
  });

  it("puts it into the group of another child, so that one signal reaches both", async () => {
    await using first = await api.spawn("sleep", ["1000"], { sys: { setpgid: true } });
    await using second = await api.spawn("sleep", ["1000"], { sys: { setpgid: true, pgid: first.pid } });
    assert.equal(procStat(second.pid).group, first.pid);
    assert.notEqual(procStat("self").group, first.pid);
    process.kill(-first.pid, "SIGUSR1");
    assert.deepEqual([(await first.exited).signal, (await second.exited).signal], ["SIGUSR1", "SIGUSR1"]);
  });

  it("names the group that can't be joined", async () => {
    await using other = await api.spawn("sleep", ["1000"], { sys: { setsid: true } });
    const error = await rejection(api.spawn("true", [], { sys: { setpgid: true, pgid: other.pid } }));
    assert.deepEqual([error.step, error.code], ["setpgid", "EPERM"]); // of another session (setpgid(2))
    assert.match(error.message, new RegExp(`^setpgid group ${other.pid}: EPERM`));
  });
});

describe("setctty", () => {
  for (const [where, ctty, more] of [
    ["fd 0", undefined, {}],
    ["any fd of the child", 3, {}],
    ["an fd of a command under a PID 1 of ours", 3, inNamespaces(["CLONE_NEWPID"]).sys],
  ] as const) {
    it(`makes ${where} the controlling terminal`, async () => {
      const pty = await openPty();
      try {
        const sys: Sys = { ...more, setsid: true, setctty: true, ...(ctty === undefined ? {} : { ctty }) };
        const stdio = [ctty === undefined ? pty.slave : "ignore", "pipe", "inherit", ctty === 3 ? pty.slave : null];
        const line = "cat /proc/self/stat; echo to the terminal > /dev/tty";
        const { stdout, status } = await sh(line, { sys, stdio: stdio as (number | "pipe")[] });
        assert.equal(status.code, 0);
        const { session, terminal, foreground, group } = parseStat(stdout);
        // Device number of a slave: major 136, minor its own number (devices.txt of the kernel).
        assert.equal(terminal, (136 << 8) | Number(pty.name.split("/").at(-1)));
        if (more.cloneflags === undefined) assert.deepEqual([session, foreground], [group, group]);
        const output = Buffer.alloc(100);
        assert.equal(output.toString("utf8", 0, readSync(pty.master, output)), "to the terminal\r\n");
      } finally {
        pty.close();
      }
    });
  }

  it("hangs up on the child when the terminal goes away", async () => {
    const pty = await openPty();
    const sys: Sys = { setsid: true, setctty: true, ctty: 3 };
    const child = await api.spawn("sleep", ["1000"], { sys, stdio: ["ignore", "ignore", "ignore", pty.slave] });
    pty.close();
    assert.equal((await child.exited).signal, "SIGHUP");
  });

  it("refuses what is no terminal, and a terminal that belongs to another session", async () => {
    const sys: Sys = { setsid: true, setctty: true, ctty: 0 };
    const none = await rejection(withoutTerminal((stdin) => api.spawn("true", [], { sys, stdio: [stdin] })));
    assert.deepEqual([none.step, none.code], ["controlling terminal", "ENOTTY"]);
    const pty = await openPty();
    try {
      const stdio = [pty.slave, "ignore", "ignore"] as const;
      await using _first = await api.spawn("sleep", ["1000"], { sys, stdio: [...stdio] });
      const taken = await rejection(api.spawn("true", [], { sys, stdio: [...stdio] }));
      assert.deepEqual([taken.step, taken.code], ["controlling terminal", "EPERM"]);
    } finally {
      pty.close();
    }
    assert.deepEqual(children(), []);
  });

  it("refuses an index at which the child has nothing", async () => {
    const error = await rejection(api.spawn("true", [], { sys: { setsid: true, setctty: true, ctty: 3 } }));
    assert.match(error.message, /ctty|controlling terminal/);
  });
});

/** Waits for a line and then for Ctrl-C. Not a shell, which may lose a signal that comes right before its execve. */
const READER = ["-e", '$| = 1; $line = <STDIN>; print "<interrupt>\\n" if $line eq "words\\n"; sleep 1000'];

/**
 * Runs a script in a Node that leads the session of a terminal.
 * @param keys what is typed once a word comes in angle brackets: `<word>`
 * @returns what the script returned
 */
async function inTerminal(script: string, keys: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const program = `
    const fs = require("node:fs");
    const api = require(${JSON.stringify(LIBRARY)});
    const { procStat } = require(${JSON.stringify(join(__dirname, "proc-stat.js"))});
    const { waitUntil } = require(${JSON.stringify(join(__dirname, "../support/processes.js"))});
    const READER = ${JSON.stringify(READER)};
    const own = procStat("self");
    (async () => { ${script} })().then((result) => console.log("result " + JSON.stringify(result)), console.log);`;
  await using host = await api.spawn(LIBRARY_NODE, ["-e", program], { terminal: { columns: 80, rows: 24 } });
  assert.ok(host.terminal);
  let output = "";
  const typed = new Set<string>();
  for await (const chunk of host.terminal.output) {
    output += String(chunk);
    for (const [, cue = ""] of output.matchAll(/<(\w+)>/g)) {
      if (!typed.has(cue)) host.terminal.write(keys[cue] ?? "");
      typed.add(cue);
    }
  }
  const result = /result (.*?)\r$/m.exec(output)?.[1];
  assert.ok(result !== undefined, `${output}\n${JSON.stringify(await host.exited)}`);
  return JSON.parse(result);
}

describe("foreground", () => {
  it("hands the terminal to the child's group, its keys and its Ctrl-C, and back to ours", async () => {
    const script = `
      console.log("<typed>");
      const child = await api.spawn("perl", READER, { stdio: "inherit", sys: { foreground: true, ctty: 0 } });
      const during = procStat(child.pid);
      const ours = procStat("self").foreground;
      const { signal } = await child.exited;
      const back = await api.spawn("true", [], { stdio: "inherit", sys: { foreground: true, ctty: 0, pgid: own.group } });
      await back.exited;
      return {
        leads: during.group === child.pid, shown: during.foreground === child.pid && ours === child.pid,
        session: during.session === own.session, signal, back: procStat("self").foreground === own.group,
      };`;
    // Ctrl-C ends the child alone: Node would end by it too.
    const result = await inTerminal(script, { typed: "words\n", interrupt: "\x03" });
    assert.deepEqual(result, { leads: true, shown: true, session: true, signal: "SIGINT", back: true });
  });

  it("without it a child of another group is stopped when it reads", async () => {
    const script = `
      const child = await api.spawn("cat", [], { stdio: "inherit", sys: { setpgid: true } });
      await waitUntil("it is stopped", () => procStat(child.pid).state === "T");
      child.kill("SIGKILL");
      await child.exited;
      return procStat("self").foreground === own.group;`;
    assert.equal(await inTerminal(script), true);
  });

  it("takes the terminal from whichever fd of the child it is", async () => {
    const script = `
      const options = { stdio: ["ignore", "ignore", "inherit"], sys: { foreground: true, ctty: 2 } };
      const child = await api.spawn("sleep", ["1000"], options);
      const { group, foreground } = procStat(child.pid);
      child.kill();
      await child.exited;
      return [group === child.pid, foreground === child.pid];`;
    assert.deepEqual(await inTerminal(script), [true, true]);
  });

  it("takes an fd of ours that the child does not have", async () => {
    const script = `
      const ctty = fs.openSync("/dev/tty", "r+");
      const options = { stdio: ["ignore", "ignore", "inherit"], sys: { foreground: true, ctty } };
      const child = await api.spawn("sleep", ["1000"], options);
      const { group, foreground } = procStat(child.pid);
      // The dynamic linker opens libraries for a moment: only what stays open is the child's.
      await waitUntil("it has its three fds alone", () => fs.readdirSync("/proc/" + child.pid + "/fd").join() === "0,1,2");
      child.kill();
      await child.exited;
      return [ctty > 2, group === child.pid, foreground === child.pid];`;
    assert.deepEqual(await inTerminal(script), [true, true, true]);
  });

  it("puts a child into another's group and that group into the foreground", async () => {
    const script = `
      const first = await api.spawn("sleep", ["1000"], { stdio: "inherit", sys: { setpgid: true } });
      const sys = { foreground: true, ctty: 0, pgid: first.pid };
      const second = await api.spawn("sleep", ["1000"], { stdio: "inherit", sys });
      const seen = [procStat(second.pid).group === first.pid, procStat(first.pid).foreground === first.pid];
      console.log("<interrupt>");
      return [...seen, (await first.exited).signal, (await second.exited).signal];`;
    assert.deepEqual(await inTerminal(script, { interrupt: "\x03" }), [true, true, "SIGINT", "SIGINT"]);
  });

  it("is the command's under a PID 1 of ours", async () => {
    const script = `
      const sys = { ...${JSON.stringify(inNamespaces(["CLONE_NEWPID"]).sys)}, foreground: true, ctty: 0 };
      console.log("<typed>");
      const child = await api.spawn("perl", READER, { stdio: "inherit", sys });
      const front = procStat(child.pid).foreground;
      const { signal } = await child.exited;
      return [front !== own.group, front !== child.pid, signal];`;
    assert.deepEqual(await inTerminal(script, { typed: "words\n", interrupt: "\x03" }), [true, true, "SIGINT"]);
  });

  it("refuses what is not our terminal, by name", async () => {
    const sys: Sys = { foreground: true, ctty: 0 };
    const error = await rejection(withoutTerminal((stdin) => api.spawn("true", [], { stdio: [stdin], sys })));
    assert.deepEqual([error.step, error.code], ["foreground", "ENOTTY"]);
  });
});

describe("noctty", () => {
  it("leaves the child in our session without our terminal, and us with it", async () => {
    const script = `
      const child = await api.spawn("sleep", ["1000"], { stdio: "inherit", sys: { noctty: true } });
      const { session, terminal } = procStat(child.pid);
      child.kill();
      await child.exited;
      return [own.terminal !== 0, terminal, session === own.session, procStat("self").terminal === own.terminal];`;
    assert.deepEqual(await inTerminal(script), [true, 0, true, true]);
  });

  it("is refused by name where fd 0 is no terminal of ours", async () => {
    const sys: Sys = { noctty: true };
    const error = await rejection(withoutTerminal((stdin) => api.spawn("true", [], { stdio: [stdin], sys })));
    assert.deepEqual([error.step, error.code], ["controlling terminal", "ENOTTY"]);
  });
});
