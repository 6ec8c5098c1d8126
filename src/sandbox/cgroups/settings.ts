// What the limits of a profile ask of a cgroup: of which controllers, and what is written into which of its files
// (Documentation/admin-guide/cgroup-v2.rst). Pure.

import { parseSize } from "../quantities";
import type { Limits } from "../schema";

/** The controllers that a profile can ask for, by the kernel's names. */
export const CONTROLLERS = ["memory", "pids", "cpu", "io"] as const;
export type Controller = (typeof CONTROLLERS)[number];

/** Limits that only a cgroup can keep. */
export type CgroupLimit = "memory" | "swap" | "pids" | "cpus" | "ioWeight";

export interface CgroupSetting {
  /** Key of the profile's limits that asks for it. */
  readonly limit: CgroupLimit;
  readonly controller: Controller;
  readonly file: string;
  readonly value: string;
  /** Left out where the kernel has no such file. */
  readonly optional?: boolean;
}

/** Length of the time in which a cgroup may use its share of the CPUs, microseconds: the kernel's default. */
const CPU_PERIOD = 100_000;

/** Bytes of a size that the schema has let through. */
function bytesOf(size: string | number | undefined): number | undefined {
  return typeof size === "string" ? parseSize(size) : size;
}

/** The files to write, in order. Empty when no limit needs a cgroup. */
export function cgroupSettings({ memory, swap, pids, cpus, ioWeight }: Limits): CgroupSetting[] {
  const settings: CgroupSetting[] = [];
  const bytes = bytesOf(memory);
  if (bytes !== undefined) {
    settings.push(
      // All of it or nothing: a build whose compiler alone was killed goes on and fails for reasons that nobody sees.
      { limit: "memory", controller: "memory", file: "memory.oom.group", value: "1" },
      // No swap, unless it is asked for: else memory.max says only how much of the memory is not swapped out.
      { limit: "swap", controller: "memory", file: "memory.swap.max", value: String(bytesOf(swap) ?? 0) },
      { limit: "memory", controller: "memory", file: "memory.max", value: String(bytes) },
    );
  }
  if (pids !== undefined) settings.push({ limit: "pids", controller: "pids", file: "pids.max", value: String(pids) });
  if (cpus !== undefined) {
    const value = `${Math.round(cpus * CPU_PERIOD)} ${CPU_PERIOD}`;
    settings.push({ limit: "cpus", controller: "cpu", file: "cpu.max", value });
  }
  if (ioWeight !== undefined) {
    settings.push({ limit: "ioWeight", controller: "io", file: "io.weight", value: `default ${ioWeight}` });
  }
  return settings;
}

/** The controllers that must be there, each with the limit that asks for it. */
export function neededControllers(settings: readonly CgroupSetting[]): ReadonlyMap<Controller, CgroupLimit> {
  const needed = new Map<Controller, CgroupLimit>();
  for (const { controller, limit } of settings) {
    // "memory" comes first and is what the user wrote; "swap" may be the default.
    if (!needed.has(controller)) needed.set(controller, limit);
  }
  return needed;
}
