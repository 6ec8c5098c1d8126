// Ends what a test started, and finds what it left behind. Processes are told by a mark in their environment, because a
// shell in a terminal is in a session and process group of its own.

import * as fs from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { SLOWNESS } from "./slowness";

/** Environment variable that marks every descendant of a host. */
export const MARK = "SANDBOX_TASKS_TEST_HOST";

const POLL_MS = 50;

export interface MarkedProcess {
  readonly pid: number;
  readonly command: string;
}

/** Whether any process of the group is left; zombies count until they are reaped. */
function groupAlive(pgid: number): boolean {
  try {
    process.kill(-pgid, 0);
    return true;
  } catch {
    return false;
  }
}

function signalGroup(pgid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pgid, signal);
  } catch {
    // ESRCH: it ended by itself meanwhile, which is what is wanted.
  }
}

/**
 * Wait until a condition holds.
 * @param what said in the error
 * @returns what the condition returned
 * @throws Error after `limitMs`, more where everything is slower (slowness.ts)
 */
export async function waitUntil<T>(
  what: string,
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  limitMs = 20_000,
): Promise<T> {
  const end = Date.now() + limitMs * SLOWNESS;
  for (;;) {
    const result = await condition();
    if (result !== undefined && result !== false) return result;
    if (Date.now() > end) throw new Error(`Waited ${(limitMs * SLOWNESS) / 1000} s in vain until ${what}.`);
    await delay(POLL_MS);
  }
}

/** End a process group: SIGTERM, and SIGKILL when it is still there after `graceMs`. Resolves when it is empty. */
export async function endGroup(pgid: number, graceMs = 5000): Promise<void> {
  signalGroup(pgid, "SIGTERM");
  const end = Date.now() + graceMs;
  while (groupAlive(pgid) && Date.now() < end) await delay(POLL_MS);
  if (!groupAlive(pgid)) return;
  signalGroup(pgid, "SIGKILL");
  await waitUntil(`process group ${pgid} is empty`, () => !groupAlive(pgid));
}

/** Every process whose environment carries the mark, but zombies (their environment is gone). */
export function markedProcesses(mark: string): MarkedProcess[] {
  const found: MarkedProcess[] = [];
  for (const name of fs.readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      const environment = fs.readFileSync(`/proc/${name}/environ`, "latin1");
      if (!environment.split("\0").includes(`${MARK}=${mark}`)) continue;
      const command = fs.readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0").join(" ").trim();
      found.push({ pid, command });
    } catch {
      // Ended while we looked, or another user's.
    }
  }
  return found;
}

/**
 * Wait until no process carries the mark; kill those that stay.
 * @returns the ones that had to be killed: empty when everything ended by itself
 */
export async function endMarked(mark: string, graceMs = 10_000): Promise<MarkedProcess[]> {
  const end = Date.now() + graceMs;
  let left = markedProcesses(mark);
  while (left.length > 0 && Date.now() < end) {
    await delay(POLL_MS);
    left = markedProcesses(mark);
  }
  for (const { pid } of left) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // Ended by itself in the last moment.
    }
  }
  await waitUntil("the killed processes are gone", () => markedProcesses(mark).length === 0);
  return left;
}
