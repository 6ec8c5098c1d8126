// What the user has allowed tasks of repositories beyond the own profile, by the hash of each request. Kept in VS Code's
// global state: no file of a workspace and no task can write there.

import type * as vscode from "vscode";

/** One approval as it is kept, with the words that were shown, for the list in which it can be taken back. */
export interface Approval {
  /** From requestHash. */
  readonly hash: string;
  /** Name of the task. */
  readonly task: string;
  /** Real path of its folder. */
  readonly folder: string;
  /** The command as the user knows it. */
  readonly command: string;
  /** What was allowed, a line each. */
  readonly allows: readonly string[];
  /** ISO 8601. */
  readonly since: string;
}

const KEY = "approvals";

export class Approvals {
  /** @param state ExtensionContext.globalState */
  constructor(private readonly state: vscode.Memento) {}

  /** The newest first. */
  get all(): readonly Approval[] {
    return [...this.#read()].reverse();
  }

  has(hash: string): boolean {
    return this.#read().some((approval) => approval.hash === hash);
  }

  async add(approval: Approval): Promise<void> {
    await this.#write([...this.#read().filter(({ hash }) => hash !== approval.hash), approval]);
  }

  async remove(hash: string): Promise<void> {
    await this.#write(this.#read().filter((approval) => approval.hash !== hash));
  }

  async clear(): Promise<void> {
    await this.#write([]);
  }

  /** Read each time: another window may have changed it. What is not an approval allows nothing. */
  #read(): readonly Approval[] {
    const kept = this.state.get<unknown>(KEY);
    return Array.isArray(kept) ? kept.filter(isApproval) : [];
  }

  async #write(approvals: readonly Approval[]): Promise<void> {
    await this.state.update(KEY, approvals);
  }
}

function isApproval(value: unknown): value is Approval {
  if (typeof value !== "object" || value === null) return false;
  const { hash, task, folder, command, allows, since } = value as Partial<Record<keyof Approval, unknown>>;
  return (
    [hash, task, folder, command, since].every((text) => typeof text === "string") &&
    Array.isArray(allows) &&
    allows.every((line) => typeof line === "string")
  );
}
