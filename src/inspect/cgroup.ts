// The control group of a process and its figures; cgroups(7), Documentation/admin-guide/cgroup-v2.rst.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type MountEntry, mounts } from "./mounts";
import { readProcessFile } from "./procfs";
import { visible } from "./text";
import type { CgroupFigures, CgroupInfo } from "./types";

/** Where the cgroup v2 hierarchy is mounted, and which directory of it is the root of that mount. */
export interface CgroupMount {
  readonly mountPoint: string;
  readonly root: string;
}

/** The first cgroup2 mount: /sys/fs/cgroup, or .../unified beside v1. */
export function findCgroupMount(mounts: readonly MountEntry[]): CgroupMount | undefined {
  return mounts.find(({ type }) => type === "cgroup2");
}

let mount: Promise<CgroupMount | undefined> | undefined;

/** Lines "controllers:path" of /proc/PID/cgroup: "0::/path" is v2, the others are v1. */
export function parseCgroup(text: string): { path: string; legacy: { controllers: string; path: string }[] } {
  let path = "";
  const legacy: { controllers: string; path: string }[] = [];
  for (const line of text.split("\n")) {
    // The path may itself have colons.
    const fields = /^\d+:([^:]*):(.*)$/.exec(line);
    if (fields?.[1] === undefined || fields[2] === undefined) {
      continue;
    }
    if (line.startsWith("0::")) {
      path = fields[2];
    } else {
      legacy.push({ controllers: fields[1], path: visible(fields[2]) });
    }
  }
  return { path, legacy };
}

/** "50000 100000" of cpu.max is half a CPU: microseconds of each period. undefined for "max". */
function cpusOf(text: string | undefined): number | undefined {
  const [quota, period] = (text ?? "").split(" ").map(Number);
  return quota === undefined || period === undefined || Number.isNaN(quota) ? undefined : quota / period;
}

/** The figures of a cgroup's directory that can be read; empty once it is removed. */
export async function cgroupFigures(directory: string): Promise<CgroupFigures> {
  // A controller that is not turned on has no files, and the root cgroup has fewer: what can't be read is left out.
  const text = (file: string): Promise<string | undefined> =>
    readFile(join(directory, file), "utf8").then(
      (content) => content.trim(),
      () => undefined,
    );
  const number = async (file: string): Promise<number | undefined> => {
    const content = await text(file);
    return content === undefined || !/^\d+$/.test(content) ? undefined : Number(content);
  };
  const keyed = async (file: string): Promise<Map<string, number>> =>
    new Map(
      ((await text(file)) ?? "").split("\n").map((line): [string, number] => {
        const [key, value] = line.split(" ");
        return [key ?? "", Number(value)];
      }),
    );
  const [events, stat, cpu, quota, memoryCurrent, memoryPeak, memoryMax, swapCurrent, swapMax, pidsCurrent, pidsMax] =
    await Promise.all([
      keyed("cgroup.events"),
      keyed("cgroup.stat"),
      keyed("cpu.stat"),
      text("cpu.max"),
      number("memory.current"),
      number("memory.peak"),
      number("memory.max"),
      number("memory.swap.current"),
      number("memory.swap.max"),
      number("pids.current"),
      number("pids.max"),
    ]);
  const cpuMax = cpusOf(quota);
  const [populated, frozen, descendants, usage] = [
    events.get("populated"),
    events.get("frozen"),
    stat.get("nr_descendants"),
    cpu.get("usage_usec"),
  ];
  return {
    ...(populated === undefined ? {} : { populated: populated === 1 }),
    ...(frozen === undefined ? {} : { frozen: frozen === 1 }),
    ...(descendants === undefined ? {} : { descendants }),
    ...(usage === undefined ? {} : { cpuTime: usage / 1e6 }),
    ...(memoryCurrent === undefined ? {} : { memoryCurrent }),
    ...(memoryPeak === undefined ? {} : { memoryPeak }),
    ...(memoryMax === undefined ? {} : { memoryMax }),
    ...(swapCurrent === undefined ? {} : { swapCurrent }),
    ...(swapMax === undefined ? {} : { swapMax }),
    ...(cpuMax === undefined ? {} : { cpuMax }),
    ...(pidsCurrent === undefined ? {} : { pidsCurrent }),
    ...(pidsMax === undefined ? {} : { pidsMax }),
  };
}

/**
 * The cgroup of a process, with the figures that can be read.
 * @returns undefined once the process is gone
 * @throws AccessError
 */
export async function cgroup(pid: number): Promise<CgroupInfo | undefined> {
  const text = await readProcessFile(pid, "cgroup");
  if (!text) {
    return undefined;
  }
  const { path, legacy } = parseCgroup(text);
  mount ??= mounts().then(findCgroupMount);
  const at = await mount;
  const info = { path: visible(path), legacy };
  // In a container the mount may show a part of the tree only; a path outside it ("/../x") has no directory here.
  const base = at?.root === "/" ? "" : at?.root;
  if (at === undefined || base === undefined || path === "" || path.startsWith("/..") || !path.startsWith(base)) {
    return info;
  }
  return { ...info, ...(await cgroupFigures(join(at.mountPoint, path.slice(base.length)))) };
}
