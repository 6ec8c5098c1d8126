// Lines of uid_map and gid_map, as the kernel takes them (user_namespaces(7), "Defining user and group ID mappings").

import type { Caller, IdRange } from "../caller";
import type { IdMapping } from "../types";
import { type Asked, isGiven, type Rule, which } from "./rule";

type Kind = "uid" | "gid";

const MAX_LINES = 340;
const END_OF_IDS = 0xffff_ffff;
/** A map is one write of less than a page; pages of other machines have up to 64 KiB. */
const MAX_BYTES = (process.arch === "x64" ? 4096 : 65_536) - 1;

/** The text that is written to the map. */
export function mapText(mappings: readonly IdMapping[]): string {
  return mappings.map((line) => `${line.containerID} ${line.hostID} ${line.size}\n`).join("");
}

const linesOf = ({ sys }: Asked, kind: Kind): readonly IdMapping[] => sys[`${kind}Mappings`] ?? [];

function overlaps(one: IdRange, other: IdRange): boolean {
  return one.first < other.first + other.size && other.first < one.first + one.size;
}

/** Lines whose range overlaps one before them. Sorted, so that many lines take no square of time. */
function overlapping(lines: readonly IdMapping[], side: "containerID" | "hostID"): number[] {
  const ranges = lines.map((line, i) => ({ first: line[side], size: line.size, i })).sort((a, b) => a.first - b.first);
  const found: number[] = [];
  let widest = ranges[0];
  for (const range of ranges.slice(1)) {
    if (widest !== undefined && overlaps(widest, range)) found.push(Math.max(widest.i, range.i));
    if (widest === undefined || range.first + range.size > widest.first + widest.size) widest = range;
  }
  return [...new Set(found)].sort((a, b) => a - b);
}

function isWithin(ranges: readonly IdRange[], first: number, size: number): boolean {
  return ranges.some((range) => range.first <= first && first + size <= range.first + range.size);
}

/** What the caller may write without a capability: one line, its own id. */
function isOwnId([line, ...more]: readonly IdMapping[], own: number): boolean {
  return line !== undefined && more.length === 0 && line.size === 1 && line.hostID === own;
}

/** The facts about the caller say nothing about a namespace that is made inside one that was joined. */
const isOurChild = ({ joined }: Asked): boolean => !joined.has("CLONE_NEWUSER");

function ownId(caller: Caller, kind: Kind): number {
  return caller[kind];
}

function mapRules(kind: Kind): Rule[] {
  const option = `sys.${kind}Mappings` as const;
  const capability = kind === "uid" ? "CAP_SETUID" : "CAP_SETGID";
  return [
    {
      path: option,
      broken: (asked) => linesOf(asked, kind).length > MAX_LINES,
      message: `must have at most ${MAX_LINES} lines (user_namespaces(7)): join ranges that touch`,
    },
    {
      path: option,
      broken: (asked) => {
        const lines = linesOf(asked, kind);
        return lines.length <= MAX_LINES && mapText(lines).length > MAX_BYTES;
      },
      message: `must be less than a page of text, ${MAX_BYTES} bytes (user_namespaces(7)): join ranges that touch`,
    },
    ...(["containerID", "hostID"] as const).flatMap((side): Rule[] => [
      {
        path: `${option}[].size`,
        broken: (asked) => which(linesOf(asked, kind), (line) => line[side] + line.size > END_OF_IDS),
        message: (asked, i) =>
          `goes beyond the last id: ${side} and size must add up to at most ${END_OF_IDS}, not ${
            (linesOf(asked, kind)[i]?.[side] ?? 0) + (linesOf(asked, kind)[i]?.size ?? 0)
          } (user_namespaces(7))`,
      },
      {
        path: `${option}[].${side}`,
        broken: (asked) => overlapping(linesOf(asked, kind), side),
        message: "overlaps the range of another line: an id is mapped once (user_namespaces(7))",
      },
    ]),
    {
      path: `${option}[].hostID`,
      broken: (asked) =>
        isOurChild(asked)
          ? which(
              linesOf(asked, kind),
              ({ hostID, size }) =>
                hostID + size <= END_OF_IDS && !isWithin(asked.caller[`${kind}Ranges`], hostID, size),
            )
          : [],
      message: `is not mapped in your own user namespace (/proc/self/${kind}_map), as ids outside must be (user_namespaces(7): EPERM)`,
    },
    {
      path: option,
      broken: (asked) =>
        isOurChild(asked) &&
        linesOf(asked, kind).length > 0 &&
        !asked.caller.effective.has(capability) &&
        !isOwnId(linesOf(asked, kind), ownId(asked.caller, kind)),
      message: ({ caller }) =>
        `may have one line only, with hostID ${ownId(caller, kind)} and size 1: without ${capability} you may map your own id alone (user_namespaces(7): EPERM)`,
    },
  ];
}

const MAPS = ["uidMappings", "gidMappings"] as const;

export const ID_MAP_RULES: readonly Rule[] = [
  ...MAPS.map((option, i): Rule => {
    const other = MAPS[1 - i] ?? option;
    return {
      path: `sys.${option}`,
      broken: ({ sys }) => isGiven(sys[other]) && !isGiven(sys[option]),
      message: "must be given too: both ids are mapped, or neither",
    };
  }),
  ...mapRules("uid"),
  ...mapRules("gid"),
  {
    path: "sys.gidMappingsEnableSetgroups",
    broken: ({ sys }) => sys.gidMappingsEnableSetgroups === true && !isGiven(sys.gidMappings),
    message: "needs sys.gidMappings: setgroups(2) is refused until groups are mapped (user_namespaces(7))",
  },
  {
    path: "sys.gidMappingsEnableSetgroups",
    broken: (asked) =>
      asked.sys.gidMappingsEnableSetgroups === true &&
      isGiven(asked.sys.gidMappings) &&
      isOurChild(asked) &&
      !asked.caller.effective.has("CAP_SETGID"),
    message:
      "needs CAP_SETGID, which you don't have: who may drop groups could lose one that denies access (user_namespaces(7): EPERM). Leave it out",
  },
];
