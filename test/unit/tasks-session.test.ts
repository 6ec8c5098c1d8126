// A terminal session alone, with plain streams for the program and a list for the terminal.

import assert from "node:assert/strict";
import { PassThrough, Readable } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import type { ExitStatus, TerminalOptions } from "../../src/spawner/types";
import {
  type Clock,
  exitCode,
  type PreparedProgram,
  type Program,
  SHORTEST_FAILURE_MS,
  TerminalSession,
} from "../../src/tasks/session";

function status(changes: Partial<ExitStatus> = {}): ExitStatus {
  return {
    code: 0,
    signal: null,
    coreDumped: false,
    wallTime: 1,
    userTime: 0,
    systemTime: 0,
    maxRss: 0,
    ...changes,
  };
}

/** A program whose output and end the test decides. */
class FakeProgram implements Program {
  readonly output: Readable;
  readonly written: string[] = [];
  readonly sizes: [number, number][] = [];
  terminated = 0;
  end!: (status: ExitStatus) => void;
  readonly exited = new Promise<ExitStatus>((resolve) => {
    this.end = resolve;
  });

  constructor(output: Readable = new PassThrough()) {
    this.output = output;
  }

  print(data: string | Buffer): void {
    (this.output as PassThrough).write(data);
  }

  write(data: string): void {
    this.written.push(data);
  }

  resize(columns: number, rows: number): void {
    this.sizes.push([columns, rows]);
  }

  async terminate(): Promise<void> {
    this.terminated++;
  }
}

/** Time that stands still but when a test, or a wait, moves it on. */
class FakeClock implements Clock {
  time = 5000;
  readonly waits: number[] = [];
  /** What happens meanwhile. */
  whileWaiting: () => void | Promise<void> = () => {};

  now(): number {
    return this.time;
  }

  async wait(ms: number): Promise<void> {
    this.waits.push(ms);
    await this.whileWaiting();
    this.time += ms;
  }
}

/** A terminal that remembers what it was told. */
class FakeTerminal {
  text = "";
  readonly codes: number[] = [];
  readonly sizes: TerminalOptions[] = [];
  readonly clock = new FakeClock();
  readonly session: TerminalSession;

  constructor(start: (size: TerminalOptions) => Promise<Program>, options: { waitForKey?: boolean } = {}) {
    const prepared: PreparedProgram = {
      opening: () => "opening\r\n",
      start: (size) => {
        this.sizes.push(size);
        return start(size);
      },
      closing: ({ code, signal }) => `closing ${signal ?? code}\r\n`,
    };
    this.session = new TerminalSession(
      {
        prepare: () => prepared,
        failure: (error) => ({ text: `failed: ${String(error)}\r\n`, code: 125 }),
        ...(options.waitForKey ? { waitForKey: "press a key" } : {}),
      },
      {
        write: (text) => {
          this.text += text;
        },
        close: (code) => this.codes.push(code),
      },
      this.clock,
    );
  }

  /** What the program printed: without our lines and without escape sequences. */
  get body(): string {
    return stripVTControlCharacters(this.text).replace(/^opening\r\n/, "");
  }
}

describe("a terminal session", () => {
  it("says and starts nothing before it is opened", () => {
    let started = 0;
    const terminal = new FakeTerminal(async () => {
      started++;
      return new FakeProgram();
    });
    terminal.session.input("x");
    terminal.session.resize({ columns: 10, rows: 10 });
    assert.equal(started, 0);
    assert.equal(terminal.text, "");
  });

  it("starts with the size of the terminal, and with 80 by 24 when VS Code does not know it yet", async () => {
    for (const [given, expected] of [
      [
        { columns: 120, rows: 40 },
        { columns: 120, rows: 40 },
      ],
      [undefined, { columns: 80, rows: 24 }],
    ] as const) {
      const program = new FakeProgram(Readable.from([]));
      const terminal = new FakeTerminal(async () => program);
      program.end(status());
      await terminal.session.open(given);
      assert.deepEqual(terminal.sizes, [expected]);
    }
  });

  it("passes input and sizes on, also those that come while the program is being started", async () => {
    const program = new FakeProgram();
    let ready!: () => void;
    const gate = new Promise<void>((resolve) => {
      ready = resolve;
    });
    const terminal = new FakeTerminal(() => gate.then(() => program));
    const open = terminal.session.open({ columns: 80, rows: 24 });
    await Promise.resolve();
    await Promise.resolve();
    terminal.session.input("early\r");
    terminal.session.resize({ columns: 100, rows: 30 });
    ready();
    program.print("x");
    while (!terminal.text.includes("x")) await new Promise(setImmediate);
    terminal.session.input("\x03");
    terminal.session.resize({ columns: 50, rows: 20 });
    terminal.session.resize({ columns: 0, rows: 0 });
    program.output.push(null);
    program.end(status());
    await open;
    assert.deepEqual(program.written, ["early\r", "\x03"]);
    assert.deepEqual(program.sizes, [
      [100, 30],
      [50, 20],
    ]);
  });

  it("closes only when the output has ended AND the status is known, whichever comes first", async () => {
    for (const order of ["status first", "output first"]) {
      const program = new FakeProgram();
      const terminal = new FakeTerminal(async () => program);
      const open = terminal.session.open(undefined);
      await new Promise(setImmediate);
      if (order === "status first") program.end(status({ code: 3 }));
      else program.output.push(null);
      await new Promise((resolve) => setTimeout(resolve, 20));
      assert.deepEqual(terminal.codes, [], order);
      if (order === "status first") {
        program.print("the last byte");
        program.output.push(null);
      } else program.end(status({ code: 3 }));
      await open;
      assert.deepEqual(terminal.codes, [3], order);
      if (order === "status first") assert.match(terminal.body, /^the last byte\r\nclosing 3\r\n$/);
    }
  });

  it("takes EIO, which a pseudoterminal ends with, for the end", async () => {
    const program = new FakeProgram();
    const terminal = new FakeTerminal(async () => program);
    const open = terminal.session.open(undefined);
    program.print("all of it");
    while (!terminal.text.includes("all of it")) await new Promise(setImmediate);
    program.output.destroy(Object.assign(new Error("read EIO"), { code: "EIO" }));
    program.end(status());
    await open;
    assert.match(terminal.body, /^all of it\r\nclosing 0/);
  });

  it("puts characters together that were split between two reads", async () => {
    const text = "grün 🚀 ✔";
    const bytes = Buffer.from(text);
    const program = new FakeProgram(Readable.from([...bytes].map((byte) => Buffer.from([byte]))));
    const terminal = new FakeTerminal(async () => program);
    program.end(status());
    await terminal.session.open(undefined);
    assert.equal(terminal.body, `${text}\r\nclosing 0\r\n`);
  });

  it("reads a program that never stops printing no faster than a terminal can show it", async () => {
    let produced = 0;
    const endless = new Readable({
      read() {
        produced += 65536;
        this.push(Buffer.alloc(65536, "y"));
      },
    });
    const program = new FakeProgram(endless);
    let shown = 0;
    const terminal = new FakeTerminal(async () => program);
    const open = terminal.session.open(undefined);
    const from = performance.now();
    while (performance.now() - from < 300) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      shown = terminal.text.length;
      assert.ok(produced - shown <= 4 * 65536, "the rest stays in the program");
    }
    const rate = shown / (performance.now() - from) / 1000;
    assert.ok(rate < 12, `${rate} MB/s`);
    assert.ok(shown > 65536, "but it is read");
    endless.destroy();
    program.end(status());
    await open;
  });

  it("ends when somebody who outlived the program keeps the terminal open in silence", async () => {
    const program = new FakeProgram();
    const terminal = new FakeTerminal(async () => program);
    program.print("output");
    program.end(status());
    await terminal.session.open(undefined);
    assert.match(terminal.body, /^output\r\nclosing 0/);
    assert.deepEqual(terminal.codes, [0]);
  }).timeout(5000);

  it("says why nothing was started, and ends with that code", async () => {
    const terminal = new FakeTerminal(() => Promise.reject(new Error("no such thing")));
    await terminal.session.open(undefined);
    assert.match(terminal.body, /failed: Error: no such thing/);
    assert.deepEqual(terminal.codes, [125]);
  });

  it("keeps a terminal that would vanish open until a key is pressed", async () => {
    const terminal = new FakeTerminal(() => Promise.reject(new Error("no")), { waitForKey: true });
    await terminal.session.open(undefined);
    assert.match(terminal.body, /press a key$/);
    assert.deepEqual(terminal.codes, []);
    terminal.clock.time += SHORTEST_FAILURE_MS;
    terminal.session.input(" ");
    assert.deepEqual(terminal.codes, [125]);
  });

  it("keeps it open when a signal ended the program, not when the program ended itself", async () => {
    for (const [changes, stays] of [
      [{ code: null, signal: "SIGKILL" }, true],
      [{ code: 3 }, false],
    ] as const) {
      const program = new FakeProgram(Readable.from([]));
      const terminal = new FakeTerminal(async () => program, { waitForKey: true });
      program.end(status(changes));
      terminal.clock.time += SHORTEST_FAILURE_MS;
      await terminal.session.open(undefined);
      assert.equal(/press a key$/.test(terminal.body), stays);
      assert.equal(terminal.codes.length, stays ? 0 : 1);
    }
  });

  it("tells a failure only when VS Code no longer takes it for a failed launch; all the rest at once", async () => {
    const run = async (changes: Partial<ExitStatus>, took: number, meanwhile?: (terminal: FakeTerminal) => void) => {
      const program = new FakeProgram(Readable.from([]));
      const terminal = new FakeTerminal(async () => {
        terminal.clock.time += took;
        return program;
      });
      terminal.clock.whileWaiting = () => {
        assert.match(terminal.text, /closing/, "all is said before the wait");
        assert.deepEqual(terminal.codes, []);
        meanwhile?.(terminal);
      };
      program.end(status(changes));
      await terminal.session.open(undefined);
      return { waits: terminal.clock.waits, codes: terminal.codes };
    };
    assert.ok(SHORTEST_FAILURE_MS >= 500);
    assert.deepEqual(await run({ code: 0 }, 10), { waits: [], codes: [0] });
    assert.deepEqual(await run({ code: 2 }, 10), { waits: [SHORTEST_FAILURE_MS - 10], codes: [2] });
    assert.deepEqual(await run({ code: null, signal: "SIGKILL" }, 1), {
      waits: [SHORTEST_FAILURE_MS - 1],
      codes: [137],
    });
    assert.deepEqual(await run({ code: 2 }, SHORTEST_FAILURE_MS), { waits: [], codes: [2] });
    const closedMeanwhile = await run({ code: 2 }, 10, (terminal) => void terminal.session.close());
    assert.deepEqual(closedMeanwhile.codes, [], "who closed the terminal need not be told");
  });

  it("ends the program when the user closes the terminal, and writes nothing after that", async () => {
    const program = new FakeProgram();
    const terminal = new FakeTerminal(async () => program);
    const open = terminal.session.open(undefined);
    program.print("before");
    while (!terminal.text.includes("before")) await new Promise(setImmediate);
    await terminal.session.close();
    await terminal.session.close();
    assert.equal(program.terminated, 1);
    const text = terminal.text;
    program.print("after");
    program.output.push(null);
    program.end(status({ code: null, signal: "SIGTERM" }));
    await open;
    assert.equal(terminal.text, text);
    assert.deepEqual(terminal.codes, []);
  });

  it("ends a program that was still being started when the terminal was closed", async () => {
    const program = new FakeProgram();
    let ready!: () => void;
    const gate = new Promise<void>((resolve) => {
      ready = resolve;
    });
    const terminal = new FakeTerminal(() => gate.then(() => program));
    const open = terminal.session.open(undefined);
    await terminal.session.close();
    ready();
    await open;
    // Closed before the start was asked for: not started at all; else: ended.
    assert.equal(program.terminated, terminal.sizes.length);
  });

  it("leaves the full screen of a program that was killed in it", async () => {
    const program = new FakeProgram(Readable.from([Buffer.from("\x1b[?1049h full screen")]));
    const terminal = new FakeTerminal(async () => program);
    program.end(status({ code: null, signal: "SIGKILL" }));
    await terminal.session.open(undefined);
    assert.ok(terminal.text.indexOf("\x1b[?1049l") > terminal.text.indexOf("full screen"));
    assert.deepEqual(terminal.codes, [137]);
  });
});

describe("the exit code of a task", () => {
  it("is the program's own, or 128 and the signal's number", () => {
    assert.equal(exitCode(status({ code: 42 })), 42);
    assert.equal(exitCode(status({ code: null, signal: "SIGTERM" })), 143);
    assert.equal(exitCode(status({ code: null, signal: "SIGKILL" })), 137);
  });
});
