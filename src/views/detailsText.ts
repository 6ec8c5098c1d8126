// The text of "Show Details": everything that can be read about a sandbox or one of its processes, as aligned plain
// text. Pure, so that it can be tested without the editor.

import { formatBytes, formatSeconds } from "../format";
import {
  type CapabilityInfo,
  type CgroupInfo,
  type IdMappingInfo,
  isDenied,
  type LimitInfo,
  type NamespaceInfo,
  type ProcessDetails,
  type ProcessInfo,
  type Reading,
  type SecurityInfo,
} from "../inspect";
import { t } from "../l10n";

type Row = readonly string[];

/** A heading, and what is known of the process that it is about. */
export function detailsText(
  title: string,
  facts: readonly Row[],
  infos: readonly ProcessInfo[],
  details: ProcessDetails,
): string {
  return [
    title,
    "=".repeat(title.length),
    "",
    ...align(facts),
    ...section(t("Processes"), [
      [t("inside"), t("outside"), t("state"), t("memory"), t("CPU time"), t("command")],
      ...infos.map((info) => [
        String(info.insidePid),
        String(info.pid),
        info.state,
        formatBytes(info.rss),
        formatSeconds(info.cpuTime),
        info.command,
      ]),
    ]),
    ...reading(t("Namespaces"), details.namespaces, namespaceRows),
    ...reading(t("Capabilities"), details.capabilities, capabilityRows),
    ...reading(t("User and group ids"), details.idMappings, mappingRows),
    ...reading(t("Restrictions"), details.security, securityRows),
    ...reading(t("Limits"), details.limits, limitRows),
    ...reading(t("Control group"), details.cgroup, cgroupRows),
    "",
  ].join("\n");
}

function reading<T>(heading: string, value: Reading<T>, rows: (value: T) => Row[]): string[] {
  if (value === undefined) return section(heading, [[t("The process has ended.")]]);
  if (isDenied(value)) return section(heading, [[value.message]]);
  return section(heading, rows(value));
}

function section(heading: string, rows: readonly Row[]): string[] {
  return ["", heading, "-".repeat(heading.length), ...align(rows)];
}

/** Columns as wide as their widest cell; the last one as it is. */
function align(rows: readonly Row[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.slice(0, -1).forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  }
  return rows.map((row) =>
    row.map((cell, column) => (column < row.length - 1 ? cell.padEnd(widths[column] ?? 0) : cell)).join("  "),
  );
}

function namespaceRows(infos: readonly NamespaceInfo[]): Row[] {
  return infos.map(({ type, inode, shared }) => [type, String(inode), shared ? t("shared with the editor") : t("new")]);
}

function capabilityRows(sets: CapabilityInfo): Row[] {
  const words = (names: readonly string[]) => (names.length === 0 ? t("none") : names.join(" "));
  return [
    ["effective", words(sets.effective)],
    ["permitted", words(sets.permitted)],
    ["inheritable", words(sets.inheritable)],
    ["bounding", words(sets.bounding)],
    ["ambient", words(sets.ambient)],
  ];
}

function mappingRows({ uid, gid, setgroups }: IdMappingInfo): Row[] {
  const rows = (name: string, mappings: IdMappingInfo["uid"]): Row[] =>
    mappings.map(({ containerID, hostID, size }) => [
      name,
      t("{0} inside is {1} outside", containerID, hostID) + (size > 1 ? ` (${t("{0} ids in a row", size)})` : ""),
    ]);
  return [...rows("uid", uid), ...rows("gid", gid), ["setgroups", setgroups ?? t("unknown")]];
}

function securityRows({ seccomp, seccompFilters, noNewPrivileges, label }: SecurityInfo): Row[] {
  const filters = seccompFilters ? ` (${seccompFilters})` : "";
  const known = (value: boolean | undefined) => (value === undefined ? t("unknown") : value ? t("yes") : t("no"));
  return [
    ["no_new_privs", known(noNewPrivileges)],
    ["seccomp", `${seccomp ?? t("unknown")}${filters}`],
    ...(label === undefined ? [] : [[t("security label"), label]]),
  ];
}

function limitRows(limits: readonly LimitInfo[]): Row[] {
  const words = (value: number | undefined) => (value === undefined ? t("unlimited") : String(value));
  return [
    [t("limit"), t("soft"), t("hard"), t("unit")],
    ...limits.map(({ name, soft, hard, unit }) => [name, words(soft), words(hard), unit]),
  ];
}

function cgroupRows(group: CgroupInfo): Row[] {
  const rows: (readonly [string, string | undefined])[] = [
    [t("path"), group.path],
    [t("memory now"), group.memoryCurrent === undefined ? undefined : formatBytes(group.memoryCurrent)],
    [t("memory peak"), group.memoryPeak === undefined ? undefined : formatBytes(group.memoryPeak)],
    [t("memory limit"), group.memoryMax === undefined ? undefined : formatBytes(group.memoryMax)],
    [t("processes now"), group.pidsCurrent?.toString()],
    [t("process limit"), group.pidsMax?.toString()],
    [t("CPU time"), group.cpuTime === undefined ? undefined : formatSeconds(group.cpuTime)],
  ];
  return rows.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
}
