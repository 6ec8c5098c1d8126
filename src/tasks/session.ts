// One run of a program in a terminal, from "open" to the closing line: without the editor, so that it can be tested
// alone with plain streams or a real process. pseudoterminal.ts adapts it to vscode.Pseudoterminal.
//
// What it takes care of:
// - nothing happens before open(): VS Code drops what a pseudoterminal says earlier;
// - the end is told only when the output has ended (EIO) AND the exit status is known: the last byte is never lost;
// - UTF-8 characters that are split across two reads are put together again;
// - a program that prints without end (`yes`) is read no faster than a terminal shows it, as VS Code has no back-pressure
//   for pseudoterminals of extensions; the kernel's terminal buffer then stops the program;
// - a program that fails at once is not reported as one that could not be started (SHORTEST_FAILURE_MS).

import { constants } from "node:os";
import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import type { ExitStatus, TerminalOptions } from "../spawner/types";

/** A program that runs in a terminal of its own. */
export interface Program {
  /** Shown before that: what became known only at its start. Ends with a line break. */
  readonly note?: string;
  /** What it prints; ends, or fails with EIO, after the last byte. */
  readonly output: Readable;
  /** Never rejects. */
  readonly exited: Promise<ExitStatus>;
  write(data: string): void;
  resize(columns: number, rows: number): void;
  /** End it: ask first, then force. */
  terminate(): Promise<unknown>;
}

/** A program that was checked and can be started. */
export interface PreparedProgram {
  /** Shown before the program's first byte; ends with a line break. */
  opening(columns: number): string;
  start(size: TerminalOptions): Promise<Program>;
  /** Gets what the program prints. */
  observe?(text: string): void;
  /** Shown after its last byte. */
  closing(status: ExitStatus): string | Promise<string>;
}

export interface SessionOptions {
  /** Check what is to be run. What it or start() throws is shown with `failure`. */
  prepare(): PreparedProgram | Promise<PreparedProgram>;
  /** Shown when nothing was started, and the code to end with. */
  failure(error: unknown, columns: number): { text: string; code: number };
  /**
   * Shown instead of the end, until a key is pressed, when nothing was started or a signal ended the program: for
   * terminals whose last lines would go with them.
   */
  waitForKey?: string;
}

export interface SessionSink {
  write(text: string): void;
  close(code: number): void;
}

/** Time as the session sees it, milliseconds. */
export interface Clock {
  now(): number;
  wait(ms: number): Promise<void>;
}

const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/**
 * A failure is told to VS Code no earlier than this after open(). It takes a terminal that ends with a code other than 0
 * within 500 ms (ErrorLaunchThresholdDuration) for one whose process could not be launched, and says so. Its clock is the
 * window's: the rest is for the messages between the window and the extension host.
 */
export const SHORTEST_FAILURE_MS = 600;

/** What a terminal is taken to be while VS Code has not laid it out. */
const UNKNOWN_SIZE: TerminalOptions = { columns: 80, rows: 24 };

/** Bytes that are passed on in a millisecond at most: 8 MB/s, which xterm.js just about draws. */
const BYTES_PER_MS = 8000;

/** So far it may run ahead; timers are not finer than this. */
const AHEAD_MS = 8;

/** After the exit, output that stays silent this long is taken as held open by somebody who outlived the program. */
const DRAIN_IDLE_MS = 1000;

export class TerminalSession {
  #size: TerminalOptions | undefined;
  #program: Program | undefined;
  #typedAhead: string[] = [];
  #state: "new" | "running" | "waiting for a key" | "closed" = "new";
  #code = 0;
  #openedAt = 0;
  #atLineStart = true;
  #alternateScreen = false;

  constructor(
    private readonly options: SessionOptions,
    private readonly sink: SessionSink,
    private readonly clock: Clock = SYSTEM_CLOCK,
  ) {}

  /** Start; called once. Resolves when the session has ended or waits for a key; never rejects. */
  async open(size: TerminalOptions | undefined): Promise<void> {
    if (this.#state !== "new") return;
    this.#state = "running";
    this.#openedAt = this.clock.now();
    this.#size ??= size;
    let startSize = this.#size ?? UNKNOWN_SIZE;
    let prepared: PreparedProgram;
    let program: Program;
    try {
      prepared = await this.options.prepare();
      if (this.#isClosed()) return;
      startSize = this.#size ?? UNKNOWN_SIZE;
      this.#write(prepared.opening(startSize.columns));
      program = await prepared.start(startSize);
    } catch (error) {
      const { text, code } = this.options.failure(error, startSize.columns);
      this.#write(text);
      await this.#end(code, true);
      return;
    }
    if (program.note !== undefined) this.#write(program.note);
    this.#program = program;
    if (this.#isClosed()) {
      // The terminal was closed while the sandbox was being made.
      await program.terminate();
      program.output.destroy();
      return;
    }
    if (this.#size && (this.#size.columns !== startSize.columns || this.#size.rows !== startSize.rows)) {
      this.#resize(program, this.#size);
    }
    for (const data of this.#typedAhead.splice(0)) program.write(data);
    const [, status] = await Promise.all([this.#pump(program, (text) => prepared.observe?.(text)), program.exited]);
    this.#program = undefined;
    this.#write(this.#leaveProgramsScreen());
    this.#write(await prepared.closing(status));
    await this.#end(exitCode(status), status.signal !== null);
  }

  /** What the user typed. */
  input(data: string): void {
    if (this.#state === "waiting for a key") {
      this.#state = "running";
      void this.#tellEnd();
    } else if (this.#program) this.#program.write(data);
    else if (this.#state === "running") this.#typedAhead.push(data);
  }

  resize(size: TerminalOptions): void {
    this.#size = size;
    if (this.#program) this.#resize(this.#program, size);
  }

  /** The user closed the terminal or stopped the task: end the program. Nothing is written from here on. */
  async close(): Promise<void> {
    if (this.#state === "closed") return;
    this.#state = "closed";
    await this.#program?.terminate();
  }

  #isClosed(): boolean {
    return this.#state === "closed";
  }

  #resize(program: Program, size: TerminalOptions): void {
    // VS Code tells 0 columns for a terminal that is not shown; a program would believe it.
    if (size.columns > 0 && size.rows > 0) program.resize(size.columns, size.rows);
  }

  #write(text: string): void {
    if (text === "" || this.#isClosed()) return;
    this.#atLineStart = text.endsWith("\n");
    this.sink.write(text);
  }

  async #end(code: number, wait: boolean): Promise<void> {
    if (this.#isClosed()) return;
    this.#code = code;
    const { waitForKey } = this.options;
    if (wait && waitForKey !== undefined) {
      this.#write(waitForKey);
      this.#state = "waiting for a key";
    } else {
      await this.#tellEnd();
    }
  }

  /** Everything is over; only VS Code does not know yet. */
  async #tellEnd(): Promise<void> {
    const early = this.#code === 0 ? 0 : this.#openedAt + SHORTEST_FAILURE_MS - this.clock.now();
    if (early > 0) await this.clock.wait(early);
    if (this.#isClosed()) return;
    this.#state = "closed";
    this.sink.close(this.#code);
  }

  /** Pass the output on until it ends. */
  async #pump(program: Program, observe: (text: string) => void): Promise<void> {
    const decoder = new StringDecoder("utf8");
    let shownAt = 0;
    let idle: NodeJS.Timeout | undefined;
    let exited = false;
    let done = false;
    const watch = () => {
      clearTimeout(idle);
      if (exited && !done) idle = setTimeout(() => program.output.destroy(), DRAIN_IDLE_MS);
    };
    void program.exited.then(() => {
      exited = true;
      watch();
    });
    try {
      for await (const chunk of program.output as AsyncIterable<Buffer>) {
        this.#noteScreen(chunk);
        const text = decoder.write(chunk);
        this.#write(text);
        observe(text);
        const now = performance.now();
        shownAt = Math.max(shownAt, now) + chunk.length / BYTES_PER_MS;
        if (shownAt - now > AHEAD_MS && !this.#isClosed()) {
          clearTimeout(idle);
          await new Promise((resolve) => setTimeout(resolve, shownAt - now));
        }
        watch();
      }
    } catch {
      // EIO is how a pseudoterminal says that nobody has its other side open any more (pty(7)); a destroyed stream fails
      // too. In both cases there is nothing more to read.
    }
    done = true;
    clearTimeout(idle);
    this.#write(decoder.end());
  }

  /** Full-screen programs switch to the alternate screen (DECSET 1049); one that was killed did not switch back. */
  #noteScreen(chunk: Buffer): void {
    const entered = chunk.lastIndexOf("\x1b[?1049h");
    const left = chunk.lastIndexOf("\x1b[?1049l");
    if (entered !== left) this.#alternateScreen = entered > left;
  }

  #leaveProgramsScreen(): string {
    const screen = this.#alternateScreen ? "\x1b[?1049l" : "";
    // Attributes off, cursor shown, mouse reports and bracketed paste off: what a killed program left switched on.
    const modes = "\x1b[0m\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?2004l";
    return `${screen}${modes}${this.#atLineStart && !this.#alternateScreen ? "" : "\r\n"}`;
  }
}

/** The code of a task: the program's own, or 128 + the signal's number, as shells have it. */
export function exitCode(status: ExitStatus): number {
  if (status.code !== null) return status.code;
  const number = Object.entries(constants.signals).find(([name]) => name === status.signal)?.[1];
  return 128 + (number ?? 0);
}
