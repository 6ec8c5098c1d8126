// Runs under test/native/programs/inject.cc: a system call of a child is never answered. Prints what spawn() made of it,
// once with a timeout and once with an AbortSignal.

import { readdirSync } from "node:fs";
import { SLOWNESS } from "../../support/slowness";
import { api, children, rejection } from "../spawner-world";
import { commandOf, type OptionSet, optionSets } from "./option-sets";
import { injected, order, record } from "./supervisor";

/** Time enough to come to where it hangs. */
const LIMIT_MS = 150 * SLOWNESS;
const TICK_MS = 5;

export interface HangReport {
  readonly limitMs: number;
  readonly timeout: { code: string; step: string; index: number; message: string; remedy: string | undefined };
  readonly aborted: { reason: unknown };
  /** Turns of the event loop while the child hung. */
  readonly ticks: number;
  readonly hung: number;
  readonly children: readonly string[];
  readonly fds: readonly [before: number, after: number];
  readonly next: number | null;
}

async function start(set: OptionSet, more: { timeout?: number; signal?: AbortSignal }): Promise<unknown> {
  const options = { ...set.options, ...more };
  return set.start === "hold" ? api.holdNamespaces(options) : api.spawn(commandOf(set), [], options);
}

async function main(): Promise<void> {
  const [name = "", role = "", call = ""] = process.argv.slice(2);
  const set = optionSets()[name];
  if (set === undefined) throw new Error("No such set of options.");
  const command = commandOf({ start: "spawn", options: {} });
  // What stays open once it is there, the thread that answers refused calls among it, is there before we count.
  const { sys: { seccomp } = {}, onDenied } = set.options;
  const told =
    seccomp === undefined || onDenied === undefined ? {} : { sys: { noNewPrivileges: true, seccomp }, onDenied };
  await (await api.spawn(command, [], { stdio: "ignore", ...told })).exited;
  const before = readdirSync("/proc/self/fd").length;
  let ticks = 0;
  const timer = setInterval(() => ticks++, TICK_MS);

  order(role, call, 1, -1);
  const late = await rejection(start(set, { timeout: LIMIT_MS }));
  let hung = injected().length;

  order(role, call, 1, -1);
  const abort = new AbortController();
  setTimeout(() => abort.abort("no longer wanted"), LIMIT_MS);
  const reason = await start(set, { signal: abort.signal }).then(
    () => "it started",
    (thrown: unknown) => thrown,
  );
  hung += injected().length;
  clearInterval(timer);

  record();
  const fds = [before, readdirSync("/proc/self/fd").length] as const;
  const left = children();
  const { code } = await (await api.spawn(command, [], { stdio: "ignore" })).exited;
  const report: HangReport = {
    limitMs: LIMIT_MS,
    timeout: { code: late.code, step: late.step, index: late.index, message: late.message, remedy: late.remedy },
    aborted: { reason },
    ticks,
    hung,
    children: left,
    fds,
    next: code,
  };
  console.log(JSON.stringify(report));
}

void main();
