// Whether a weight for the use of disks has any effect here. The kernel takes one everywhere, and heeds it only for disks
// whose scheduler is BFQ or for which io.cost is turned on: elsewhere it would be a limit that is ignored.

import { readdir, readFile } from "node:fs/promises";
import { findCgroupMount } from "../../inspect/cgroup";
import { mounts } from "../../inspect/mounts";
import { SandboxError } from "../errors";
import type { CgroupSetting } from "./settings";

async function disksWithBfq(): Promise<string[]> {
  const disks = await readdir("/sys/block").catch((): string[] => []);
  const found = await Promise.all(
    disks.map(async (disk) => {
      const schedulers = await readFile(`/sys/block/${disk}/queue/scheduler`, "utf8").catch(() => "");
      return schedulers.includes("[bfq]") ? [disk] : [];
    }),
  );
  return found.flat();
}

/** io.cost.qos of the top: lines "8:0 enable=1 ctrl=auto ..."; Documentation/admin-guide/cgroup-v2.rst. */
async function hasIoCost(): Promise<boolean> {
  const top = findCgroupMount(await mounts())?.mountPoint;
  const text = top === undefined ? "" : await readFile(`${top}/io.cost.qos`, "utf8").catch(() => "");
  return /\benable=1\b/.test(text);
}

/** io.weight goes from 1 to 10000 and BFQ's from 1 to 1000; 100 is the default of both (as systemd converts them). */
export function bfqWeight(weight: number): number {
  return weight <= 100 ? weight : Math.round(100 + ((weight - 100) * 900) / 9900);
}

/**
 * The same settings, with the files that are heeded here in the place of io.weight.
 * @throws SandboxError when no disk heeds weights
 */
export async function heededWeights(settings: readonly CgroupSetting[]): Promise<CgroupSetting[]> {
  const weight = settings.find(({ limit }) => limit === "ioWeight");
  if (weight === undefined) return [...settings];
  const others = settings.filter((setting) => setting !== weight);
  const value = Number(weight.value.replace("default ", ""));
  const heeded = [
    ...((await hasIoCost()) ? [weight] : []),
    ...((await disksWithBfq()).length > 0
      ? [{ ...weight, file: "io.bfq.weight", value: String(bfqWeight(value)) }]
      : []),
  ];
  if (heeded.length > 0) return [...others, ...heeded];
  throw new SandboxError(
    "limit",
    "limits.ioWeight",
    "limits.ioWeight can't be kept: no disk here heeds weights, as none has the scheduler BFQ or io.cost.",
    "Give one the scheduler BFQ: sudo modprobe bfq && echo bfq | sudo tee /sys/block/sda/queue/scheduler (with your disk for sda). Or leave limits.ioWeight out.",
  );
}
