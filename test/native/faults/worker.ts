// Runs under test/native/programs/inject.cc: records every system call that the children of one option set make, then
// spawns once for each call and errno, with that call failing, and prints what came of it as JSON. With a second argument
// "outside": the calls of the parent's threads instead.

import { readdirSync } from "node:fs";
import { constants } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { api, children, openFds } from "../spawner-world";
import { FULLY, LONGEST_RUN, NOT_INJECTED, PLAUSIBLE, PLAUSIBLE_OUTSIDE } from "./errnos";
import { commandOf, optionSets } from "./option-sets";
import { attempt, joining } from "./run-set";
import { type Call, calls, injected, order, record } from "./supervisor";

const EVERY = 25;

export interface Injection {
  readonly role: string;
  readonly name: string;
  /** Of this call in this role, counted from 1. */
  readonly occurrence: number;
  readonly errno: string;
}

export interface Outcome extends Injection {
  /** Whether the call came about. */
  readonly hit: boolean;
  readonly started: boolean;
  /** What spawn() rejected with, field by field. */
  readonly error?: Record<string, unknown>;
  /** What was open or alive afterwards and not before. */
  readonly left: readonly string[];
}

export interface Report {
  readonly steps: readonly { name: string; detail: string }[];
  readonly calls: readonly Call[];
  readonly outcomes: readonly Outcome[];
  readonly threads: readonly [before: number, after: number];
  /** How often an undisturbed spawn in between succeeded. */
  readonly undisturbed: number;
}

/** Beside a tree that has an owner runs a guard, which only waits for the owner's end. */
const isGuard = (role: string, seen: readonly Call[]): boolean =>
  role.startsWith("child.") && !seen.some((call) => call.role === role && call.name === "execve");

const threads = (): number => readdirSync("/proc/self/task").length;

/** @param outside whether the calls are the parent's */
function planInjections(seen: readonly Call[], outside: boolean): Injection[] {
  const counts = new Map<string, number>();
  let run = 0;
  return seen.flatMap(({ role, name }, i) => {
    const key = `${role} ${name}`;
    run = seen[i - 1]?.name === name ? run + 1 : 1;
    const occurrence = (counts.get(key) ?? 0) + 1;
    counts.set(key, occurrence);
    if (NOT_INJECTED.has(name) || (run > LONGEST_RUN && seen[i + 1]?.name === name)) return [];
    const [first, ...others] = (outside ? PLAUSIBLE_OUTSIDE[role] : PLAUSIBLE)?.[name] ?? [];
    if (first === undefined && outside) return []; // memory, signal masks, closing
    // libuv wakes the event loop by a write, and ends the process when that fails.
    if (role === "spawner" && name === "write" && seen[i - 1]?.name !== "memfd_create") return [];
    // Its answer to the child, which fails when that is gone.
    if (
      role === "writer" &&
      name === "write" &&
      !seen.slice(i + 1).some((call) => call.name === name && call.role === role)
    )
      return [];
    if (first === undefined) throw new Error(`No plausible errno is listed for ${name}(2).`);
    return [first, ...(occurrence <= FULLY ? others : [])].map((errno) => ({ role, name, occurrence, errno }));
  });
}

/** The streams of a child that ran close a moment after it, and a tracee's pidfd when nobody asks about it any more. */
async function settled(fds: number): Promise<void> {
  for (let i = 0; i < 50 && readdirSync("/proc/self/fd").length > fds; i++) {
    if (i % 10 === 2) globalThis.gc?.();
    await delay(2);
  }
}

async function main(): Promise<void> {
  const chosen = optionSets()[process.argv[2] ?? ""];
  if (chosen === undefined) throw new Error("No such set of options.");
  const holder = chosen.joins === undefined ? undefined : await api.holdNamespaces({ sys: chosen.joins });
  const set = joining(chosen, holder?.pidfd ?? -1);
  for (let i = 0; i < 2; i++) await attempt(set); // threads, lazily opened files
  await settled(0);
  const fds = readdirSync("/proc/self/fd").length;
  const open = new Set(openFds());
  const before = threads();

  record();
  await attempt(set);
  const seen = calls();
  const served = seen.findIndex(({ role, name }) => role === "child" && name === "rt_sigtimedwait");
  const outside = process.argv[3] === "outside";
  const setup = seen.filter(({ role }, i) => {
    if (outside) return role in PLAUSIBLE_OUTSIDE;
    return role.startsWith("child") && !isGuard(role, seen) && (role !== "child" || served < 0 || i < served);
  });

  const outcomes: Outcome[] = [];
  let undisturbed = 0;
  for (const [i, injection] of planInjections(setup, outside).entries()) {
    const { role, name, occurrence, errno } = injection;
    await settled(fds);
    order(role, name, occurrence, constants.errno[errno as keyof typeof constants.errno]);
    let error: Record<string, unknown> | undefined;
    try {
      await attempt(set);
    } catch (thrown) {
      if (!(thrown instanceof api.SpawnError)) throw thrown;
      error = { ...thrown, message: thrown.message };
    }
    if (error === undefined) await settled(fds);
    const left = [
      ...(readdirSync("/proc/self/fd").length === fds ? [] : openFds().filter((fd) => !open.has(fd))),
      ...children().flatMap((pid) => (Number(pid) === holder?.pid ? [] : [`child ${pid}`])),
    ];
    const hit = injected().length > 0;
    outcomes.push({ ...injection, hit, started: error === undefined, ...(error === undefined ? {} : { error }), left });
    if (i % EVERY !== 0) continue;
    record();
    await attempt(set);
    undisturbed++;
  }
  record();
  await attempt(set);
  await settled(fds);
  for (let i = 0; i < 100 && threads() > before; i++) await delay(5); // one that waited for a tracee ends by itself
  const steps =
    set.start === "hold"
      ? []
      : api.explain(commandOf(set), [], set.options).map(({ name, detail }) => ({ name, detail }));
  await holder?.release();
  const report: Report = { steps, calls: setup, outcomes, threads: [before, threads()], undisturbed: undisturbed + 1 };
  console.log(JSON.stringify(report));
}

void main();
