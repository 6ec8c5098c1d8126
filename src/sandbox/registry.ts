// The sandboxes of this editor: those that run, and the last of those that ended. Tells listeners when it changes.

import { run } from "./sandbox";
import type { ProfileRef } from "./schema";
import type { Consent, EndedSandbox, RunContext, Sandbox, SandboxCommand } from "./types";

export class SandboxRegistry {
  readonly #running = new Map<string, Sandbox>();
  readonly #listeners = new Set<() => void>();
  readonly #keepEnded: number;
  #ended: readonly EndedSandbox[] = [];
  /** Starts under way, so that terminateAll() does not miss one that begins to run a moment later. */
  readonly #starting = new Set<Promise<unknown>>();

  /** @param options.keepEnded how many ended ones are remembered; 20 by default */
  constructor(options: { keepEnded?: number } = {}) {
    this.#keepEnded = options.keepEnded ?? 20;
  }

  /** In the order of their start. */
  get running(): readonly Sandbox[] {
    return [...this.#running.values()];
  }

  /** The one that ended last comes first. */
  get ended(): readonly EndedSandbox[] {
    return this.#ended;
  }

  get(id: string): Sandbox | undefined {
    return this.#running.get(id);
  }

  /** Calls back after every change of `running` or `ended`, and of what one that runs has refused. */
  onDidChange(listener: () => void): { dispose(): void } {
    // Wrapped, so that the same function may listen twice and stop once.
    const entry = (): void => listener();
    this.#listeners.add(entry);
    return { dispose: () => void this.#listeners.delete(entry) };
  }

  /** As run(); the sandbox is listed until it ends. */
  async run(
    command: SandboxCommand,
    profile: ProfileRef,
    context: RunContext,
    own: Readonly<Record<string, unknown>> = {},
    consent?: Consent,
  ): Promise<Sandbox> {
    const start = run(command, profile, context, own, consent).then((sandbox) => {
      this.#add(sandbox);
      return sandbox;
    });
    this.#starting.add(start);
    try {
      return await start;
    } finally {
      this.#starting.delete(start);
    }
  }

  clearEnded(): void {
    this.#ended = [];
    this.#changed();
  }

  /** Ends all of them, those that are being started too; resolves when the last process is gone. */
  async terminateAll(graceMs: number): Promise<void> {
    await Promise.allSettled([...this.#starting]);
    await Promise.all(this.running.map((sandbox) => sandbox.terminate(graceMs)));
  }

  #add(sandbox: Sandbox): void {
    this.#running.set(sandbox.id, sandbox);
    this.#changed();
    // Also for a moment after its end, when the last of its output is read; the listener goes with the sandbox.
    sandbox.onDidChange(() => this.#changed());
    void sandbox.ended.then((ended) => {
      this.#running.delete(sandbox.id);
      this.#ended = [ended, ...this.#ended].slice(0, this.#keepEnded);
      this.#changed();
    });
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) {
      listener();
    }
  }
}
