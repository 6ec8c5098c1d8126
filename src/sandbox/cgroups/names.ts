// The names of our cgroups, and of the folders of sandboxes without mounts, say which process made them, so that those of an editor that was killed can be told from
// those of one that lives, and removed.

import { readlinkSync } from "node:fs";
import { readdir, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { startTimeSync } from "../../inspect/procfs";

export interface Maker {
  /** Inode of its PID namespace: elsewhere the pid is another process's. */
  readonly namespace: string;
  readonly pid: number;
  /** Clock ticks after boot. With the pid it names a process for good. */
  readonly startTime: string;
}

const NAME = /^sandbox-tasks-(\d+)-(\d+)-(\d+)-\d+$/;

function ownNamespace(): string {
  return /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? "0";
}

let self: Maker | undefined;

function ourselves(): Maker {
  self ??= { namespace: ownNamespace(), pid: process.pid, startTime: startTimeSync(process.pid) ?? "0" };
  return self;
}

let count = 0;

/** A name that was never used before: a cgroup that was killed once kills whatever is born in it later. */
export function nextName(): string {
  const { namespace, pid, startTime } = ourselves();
  return `sandbox-tasks-${namespace}-${pid}-${startTime}-${++count}`;
}

/** Name of a systemd unit that is this process's. */
export function scopeName(): string {
  const { namespace, pid, startTime } = ourselves();
  return `sandbox-tasks-${namespace}-${pid}-${startTime}.scope`;
}

/** Who made a cgroup of this name; undefined when it is none of ours. */
export function makerOf(name: string): Maker | undefined {
  const [, namespace, pid, startTime] = NAME.exec(name) ?? [];
  return namespace === undefined || pid === undefined || startTime === undefined
    ? undefined
    : { namespace, pid: Number(pid), startTime };
}

/** Names in a folder that ended processes have left. */
export async function leftoversIn(directory: string): Promise<string[]> {
  const { namespace } = ourselves();
  const names = await readdir(directory).catch((): string[] => []);
  return names.filter((name) => {
    const maker = makerOf(name);
    return maker?.namespace === namespace && startTimeSync(maker.pid) !== maker.startTime;
  });
}

/**
 * Removes the cgroups that ended processes have left in a folder. rmdir(2) takes an empty one only: EBUSY as long as a
 * process is in it.
 * @returns names of those that were removed
 */
export async function removeLeftovers(directory: string): Promise<string[]> {
  const removed = await Promise.all(
    (await leftoversIn(directory)).map((name) =>
      rmdir(join(directory, name)).then(
        () => [name],
        () => [],
      ),
    ),
  );
  return removed.flat();
}
