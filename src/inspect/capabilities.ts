// The capability sets of a process by name; capabilities(7).

import { CAPABILITIES } from "../spawner/capabilities";
import { parseStatus, readProcessFile, readSystemFile } from "./procfs";
import type { CapabilityInfo } from "./types";

let lastCapability: Promise<number> | undefined;

/** The highest capability the running kernel knows, /proc/sys/kernel/cap_last_cap. */
function lastCap(): Promise<number> {
  lastCapability ??= readSystemFile("sys/kernel/cap_last_cap").then((text) => {
    const last = Number.parseInt(text ?? "", 10);
    return Number.isNaN(last) ? CAPABILITIES.length - 1 : last;
  });
  return lastCapability;
}

/**
 * A set as status prints it, 16 hexadecimal digits, to names in the order of the bits. A bit newer than this table is
 * called "CAP_<number>"; bits above `last` mean nothing and are left out.
 */
export function capabilityNames(hex: string, last: number): string[] {
  if (!/^[0-9a-f]+$/i.test(hex)) {
    return [];
  }
  const bits = BigInt(`0x${hex}`);
  const names: string[] = [];
  for (let bit = 0; bit <= last; bit++) {
    if ((bits >> BigInt(bit)) & 1n) {
      names.push(CAPABILITIES[bit] ?? `CAP_${bit}`);
    }
  }
  return names;
}

/**
 * The five capability sets of a process (of its main thread).
 * @returns undefined once the process is gone
 */
export async function capabilities(pid: number): Promise<CapabilityInfo | undefined> {
  const [text, last] = await Promise.all([readProcessFile(pid, "status"), lastCap()]);
  if (text === undefined) {
    return undefined;
  }
  const status = parseStatus(text);
  const set = (key: string): string[] => capabilityNames(status.get(key) ?? "", last);
  return {
    effective: set("CapEff"),
    permitted: set("CapPrm"),
    inheritable: set("CapInh"),
    bounding: set("CapBnd"),
    ambient: set("CapAmb"),
  };
}
