// The capability sets of a process by name; capabilities(7).

import { parseStatus, readProcessFile, readSystemFile } from "./procfs";
import type { CapabilityInfo } from "./types";

/** Names by bit, from include/uapi/linux/capability.h. Fixed for good: new ones are only ever added at the end. */
export const CAPABILITY_NAMES = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_DAC_READ_SEARCH",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETPCAP",
  "CAP_LINUX_IMMUTABLE",
  "CAP_NET_BIND_SERVICE",
  "CAP_NET_BROADCAST",
  "CAP_NET_ADMIN",
  "CAP_NET_RAW",
  "CAP_IPC_LOCK",
  "CAP_IPC_OWNER",
  "CAP_SYS_MODULE",
  "CAP_SYS_RAWIO",
  "CAP_SYS_CHROOT",
  "CAP_SYS_PTRACE",
  "CAP_SYS_PACCT",
  "CAP_SYS_ADMIN",
  "CAP_SYS_BOOT",
  "CAP_SYS_NICE",
  "CAP_SYS_RESOURCE",
  "CAP_SYS_TIME",
  "CAP_SYS_TTY_CONFIG",
  "CAP_MKNOD",
  "CAP_LEASE",
  "CAP_AUDIT_WRITE",
  "CAP_AUDIT_CONTROL",
  "CAP_SETFCAP",
  "CAP_MAC_OVERRIDE",
  "CAP_MAC_ADMIN",
  "CAP_SYSLOG",
  "CAP_WAKE_ALARM",
  "CAP_BLOCK_SUSPEND",
  "CAP_AUDIT_READ",
  "CAP_PERFMON",
  "CAP_BPF",
  "CAP_CHECKPOINT_RESTORE",
] as const;

let lastCapability: Promise<number> | undefined;

/** The highest capability the running kernel knows, /proc/sys/kernel/cap_last_cap. */
function lastCap(): Promise<number> {
  lastCapability ??= readSystemFile("sys/kernel/cap_last_cap").then((text) => {
    const last = Number.parseInt(text ?? "", 10);
    return Number.isNaN(last) ? CAPABILITY_NAMES.length - 1 : last;
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
      names.push(CAPABILITY_NAMES[bit] ?? `CAP_${bit}`);
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
