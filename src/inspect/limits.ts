// The resource limits of a process, getrlimit(2).

import { readProcessFile } from "./procfs";
import type { LimitInfo } from "./types";

/** The table of /proc/PID/limits: a header, then name, soft, hard and unit in columns of fixed width. */
export function parseLimits(text: string): LimitInfo[] {
  const value = (word: string | undefined): number | undefined => (word === "unlimited" ? undefined : Number(word));
  const limits: LimitInfo[] = [];
  for (const line of text.split("\n").slice(1)) {
    const fields = /^(.*?\S)\s{2,}(unlimited|\d+)\s+(unlimited|\d+)\s*(\S*)\s*$/.exec(line);
    if (fields?.[1]) {
      limits.push({ name: fields[1], soft: value(fields[2]), hard: value(fields[3]), unit: fields[4] ?? "" });
    }
  }
  return limits;
}

/**
 * The limits of a process.
 * @returns undefined once the process is gone
 */
export async function limits(pid: number): Promise<LimitInfo[] | undefined> {
  const text = await readProcessFile(pid, "limits");
  // A zombie's file can be read and is empty.
  return text ? parseLimits(text) : undefined;
}
