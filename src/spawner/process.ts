// A running child: its streams, its end, and signals to it. Everything goes through the pidfd.

import * as net from "node:net";
import * as os from "node:os";
import type { Readable, Writable } from "node:stream";
import { type Addon, addon, type NativeChild, type NativeExit } from "./addon";
import { SpawnError, systemError } from "./errors";
import { exitStatus, signalNumber } from "./exit-status";
import { openTerminal } from "./terminal";
import { TracedProcess } from "./tracee";
import type { ExitStatus, Process, Terminal, Tracee } from "./types";

/** fd 0 is written to; 1 and 2 are read; from 3 on, both. */
function openStream(fd: number, index: number): (Readable & Writable) | null {
  if (fd < 0) return null;
  return new net.Socket({ fd, readable: index !== 0, writable: index === 0 || index > 2 });
}

export class SpawnedProcess implements Process {
  readonly pid: number;
  readonly stdio: readonly ((Readable & Writable) | null)[];
  readonly exited: Promise<ExitStatus>;
  readonly terminal?: Terminal;
  readonly tracee?: Tracee;
  /** Whether the kernel tells of the calls that its filter refuses. */
  readonly tellsDenials: boolean;
  #pidfd: number;
  #reason: ExitStatus["reason"];

  /**
   * @param exit how it ended, once it has; resolved when its pidfd is closed
   * @param ownsTree what was cloned is not the command but the owner of all that it starts (sys.subreaper)
   */
  constructor(
    child: NativeChild,
    exit: Promise<NativeExit>,
    private readonly ownsTree = false,
  ) {
    const native: Addon = addon();
    this.pid = child.pid;
    this.#pidfd = child.pidfd;
    this.tellsDenials = child.denials !== undefined;
    this.stdio = child.fds.map(openStream);
    native.taken(child.fds);
    this.exited = exit.then((ended) => this.#end(ended));
    if (child.terminal >= 0) this.terminal = openTerminal(native, child.terminal, this.exited);
    if (child.tracee !== undefined) {
      const tracee = new TracedProcess(native, child.tracee, child.signal ?? 0);
      void this.exited.then(() => tracee.forget());
      this.tracee = tracee;
    }
  }

  #end(exit: NativeExit): ExitStatus {
    this.#pidfd = -1;
    this.stdin?.destroy(); // nobody is left to read it
    const { code, signal } = exitStatus(exit);
    // A signal that we sent explains an end by a signal, or with the 128 + n of a shell; not a success.
    const explained = signal !== null || (code !== null && code > 128) || this.#reason === "timeout";
    return exitStatus(exit, explained ? this.#reason : undefined);
  }

  get pidfd(): number {
    return this.#pidfd;
  }

  get stdin(): Writable | null {
    return this.stdio[0] ?? null;
  }

  get stdout(): Readable | null {
    return this.stdio[1] ?? null;
  }

  get stderr(): Readable | null {
    return this.stdio[2] ?? null;
  }

  kill(signal: NodeJS.Signals | number = "SIGTERM"): boolean {
    return this.send(signal, false, "killed");
  }

  /** kill(), or with `broadcast` a signal that PID 1 passes on to every process inside. */
  send(signal: NodeJS.Signals | number, broadcast: boolean, reason: NonNullable<ExitStatus["reason"]>): boolean {
    const number = signalNumber(signal);
    if (this.#pidfd < 0) return false;
    try {
      if (this.ownsTree && number === os.constants.signals.SIGKILL) this.#queue(number);
      else if (broadcast) this.#queue(number);
      else addon().pidfdSendSignal(this.#pidfd, number, false);
    } catch (error) {
      const failed = systemError(error);
      if (failed instanceof SpawnError && failed.code === "ESRCH") return false;
      throw failed;
    }
    if (number !== 0 && number !== os.constants.signals.SIGCONT) this.#reason ??= reason;
    return true;
  }

  /**
   * PID 1, or the owner of a tree, is asked to signal everybody: to kill too, so that an owner has seen the last one's end
   * when we see its own. The queue of signals is one for all processes of a user, and whoever is inside can fill it: then it
   * is signalled itself, which a command gets, and after SIGKILL the owner's guard ends the rest.
   */
  #queue(number: number): void {
    try {
      if (this.ownsTree && number === os.constants.signals.SIGKILL) {
        addon().pidfdSendSignal(this.#pidfd, os.constants.signals.SIGCONT, false);
      }
      addon().pidfdSendSignal(this.#pidfd, number, true);
    } catch (error) {
      const failed = systemError(error);
      if (!(failed instanceof SpawnError) || failed.code !== "EAGAIN") throw error;
      addon().pidfdSendSignal(this.#pidfd, number, false);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await this.exited;
    for (const stream of this.stdio) stream?.destroy();
    this.terminal?.output.destroy();
  }
}

/**
 * Send a signal to every process in the child's PID namespace but its PID 1, or to all that a sys.subreaper owns, at once
 * and without a race: PID 1, or the owner, calls kill(-1) (kill(2)). SIGKILL goes to PID 1 itself, and the kernel ends the
 * namespace with it (pid_namespaces(7)); an owner is asked.
 * @returns false once the process is reaped
 */
export function signalNamespace(process: Process, signal: NodeJS.Signals): boolean {
  if (!(process instanceof SpawnedProcess)) throw new TypeError("Not a process of this spawner.");
  return process.send(signal, signal !== "SIGKILL", "killed");
}
