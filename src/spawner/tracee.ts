// A traced child: its stops, and letting it go on. The requests are made by the thread that created it, as ptrace(2) wants.

import type { Addon } from "./addon";
import { errnoName, SpawnError } from "./errors";
import { signalName, signalNumber } from "./exit-status";
import type { Stop, Tracee } from "./types";

function check(what: string, syscall: string, errno: number): void {
  if (errno === 0) return;
  const { code, text } = errnoName(errno);
  const reason =
    code === "ESRCH" ? "it is not stopped, or not traced any more" : code === "EIO" ? "there is no such signal" : text;
  const failure = { code, errno, syscall, step: syscall, index: 0, steps: 0 };
  throw new SpawnError(`${what} the traced process: ${code}, ${reason}`, failure);
}

export class TracedProcess implements Tracee {
  readonly #native: Addon;
  readonly #tracee: object;
  /** A stop that nobody has asked for yet. */
  #pending: Promise<Stop | null> | undefined;
  #detached = false;

  /** @param first number of the signal of its first stop; 0 when it has ended */
  constructor(native: Addon, tracee: object, first: number) {
    this.#native = native;
    this.#tracee = tracee;
    this.#pending = Promise.resolve(first === 0 ? null : { signal: signalName(first) });
  }

  /** It was reaped: its pid may be another's from now on. */
  forget(): void {
    this.#native.traceeForget(this.#tracee);
  }

  nextStop(): Promise<Stop | null> {
    const stop = this.#pending ?? this.#wait();
    this.#pending = undefined;
    return stop;
  }

  async #wait(): Promise<Stop | null> {
    if (this.#detached) return null;
    const { signal, errno } = await new Promise<{ signal: number; errno: number }>((resolve) =>
      this.#native.traceeWait(this.#tracee, resolve),
    );
    check("waiting for", "waitid", errno);
    return signal === 0 || this.#detached ? null : { signal: signalName(signal) };
  }

  continue(signal: NodeJS.Signals | number = 0): Promise<void> {
    return this.#request("continue", signal);
  }

  async detach(signal: NodeJS.Signals | number = 0): Promise<void> {
    await this.#request("detach", signal);
    this.#detached = true;
  }

  async #request(what: "continue" | "detach", signal: NodeJS.Signals | number): Promise<void> {
    this.#pending = undefined; // the stop that it goes on from
    const number = signalNumber(signal);
    const { errno } = await new Promise<{ errno: number }>((resolve) =>
      this.#native.traceeRequest(this.#tracee, what, number, resolve),
    );
    check(what, "ptrace", errno);
  }
}
