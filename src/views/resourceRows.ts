// What a sandbox uses of what it may use, in words: memory, swap, processes, CPU. Pure.

import { formatBytes, formatSeconds } from "../format";
import type { CgroupFigures } from "../inspect";
import { t } from "../l10n";

export const RESOURCES = ["memory", "swap", "pids", "cpu"] as const;
export type Resource = (typeof RESOURCES)[number];

export interface ResourceRow {
  readonly resource: Resource;
  readonly label: string;
  /** "120 MB of 2.0 GB", or without a limit "120 MB". */
  readonly value: string;
  /** More of it, for the tooltip. */
  readonly details: readonly (readonly [name: string, value: string])[];
}

function ofLimit(now: number, most: number | undefined, words: (value: number) => string): string {
  return most === undefined ? words(now) : t("{0} of {1}", words(now), words(most));
}

/** One row for each figure that there is. */
export function resourceRows(figures: CgroupFigures): ResourceRow[] {
  const { memoryCurrent, memoryPeak, memoryMax, swapCurrent, swapMax, pidsCurrent, pidsMax, cpuTime, cpuMax } = figures;
  const rows: ResourceRow[] = [];
  if (memoryCurrent !== undefined) {
    const peak = memoryPeak === undefined ? [] : [[t("Peak"), formatBytes(memoryPeak)] as const];
    const value = ofLimit(memoryCurrent, memoryMax, formatBytes);
    rows.push({ resource: "memory", label: t("Memory"), value, details: peak });
  }
  // A sandbox that may have none has nothing to show.
  if (swapCurrent !== undefined && (swapCurrent > 0 || (swapMax ?? 0) > 0)) {
    rows.push({ resource: "swap", label: t("Swap"), value: ofLimit(swapCurrent, swapMax, formatBytes), details: [] });
  }
  if (pidsCurrent !== undefined) {
    const details = [[t("Counts"), t("processes and threads")] as const];
    rows.push({ resource: "pids", label: t("Processes"), value: ofLimit(pidsCurrent, pidsMax, String), details });
  }
  if (cpuTime !== undefined) {
    const used = formatSeconds(cpuTime);
    const value = cpuMax === undefined ? used : t("{0}, at most {1} CPUs at a time", used, String(cpuMax));
    rows.push({ resource: "cpu", label: t("CPU time"), value, details: [] });
  }
  return rows;
}

/** All of it in one line: "120 MB of 2.0 GB · 14 of 512 processes · CPU 12.4 s". */
export function resourceSummary(figures: CgroupFigures): string {
  return resourceRows(figures)
    .filter(({ resource }) => resource !== "swap")
    .map(({ resource, value }) =>
      resource === "pids" ? t("{0} processes", value) : resource === "cpu" ? t("CPU {0}", value) : value,
    )
    .join(" · ");
}
