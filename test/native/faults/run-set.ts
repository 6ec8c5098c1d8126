// Runs one of the option sets from its start to its end.

import { api } from "../spawner-world";
import { commandOf, type OptionSet } from "./option-sets";

/** Of a hang: an error then names no call, which no test takes for right. */
const HANG_MS = 10_000;

/** Spawns, and waits for the end of what was started. */
export async function attempt(set: OptionSet): Promise<void> {
  const options = { ...set.options, timeout: HANG_MS };
  if (set.start === "hold") {
    const holder = await api.holdNamespaces(options);
    await holder.release();
    return;
  }
  const child = await api.spawn(commandOf(set), [], options);
  if (child.tracee !== undefined && (await child.tracee.nextStop()) !== null) await child.tracee.detach();
  child.terminal?.output.resume();
  for (const stream of [child.stdout, child.stderr]) stream?.resume();
  const { code } = await child.exited;
  await child[Symbol.asyncDispose]();
  if (code !== 0) throw new Error(`The command ended with ${code}.`);
}

/** A set that joins gets the namespaces that it joins. */
export function joining(set: OptionSet, pidfd: number): OptionSet {
  if (set.joins === undefined) return set;
  const setns = [{ fd: pidfd, nstype: set.joins.cloneflags }];
  return { ...set, options: { ...set.options, sys: { ...set.options.sys, setns } } };
}
