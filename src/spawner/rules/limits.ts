// Numbers and names with a limit: resources, clocks, timers, host names.

import type { SysProcAttr, TimeOffset } from "../types";
import { type Asked, hasNew, leavesUserNamespace, type Rule, which } from "./rule";

/** setTimeout() takes a longer time for 1 ms. */
const MAX_TIMEOUT = 0x7fff_ffff;
const MAX_NAME_BYTES = 64;
/** Half of what a clock of 63 bits of nanoseconds can show: the kernel's own limit (time_namespaces(7)). */
const MAX_CLOCK = Math.floor(9_223_372_036 / 2);

const value = (limit: number): number => (limit === -1 ? Number.POSITIVE_INFINITY : limit);
const shown = (limit: number): string => (limit === Number.POSITIVE_INFINITY ? "unlimited" : String(limit));

type Limits = NonNullable<SysProcAttr["rlimits"]>;
const limitAt = ({ sys }: Asked, i: number): Limits[number] => sys.rlimits?.[i] ?? { type: "", soft: 0, hard: 0 };

/** Capabilities of a user namespace don't count: the limit protects the whole machine. */
function mayRaise(asked: Asked): boolean {
  return asked.caller.effective.has("CAP_SYS_RESOURCE") && !leavesUserNamespace(asked);
}

function nameRule(option: "hostname" | "domainname"): Rule {
  return {
    path: `sys.${option}`,
    broken: ({ sys }) => Buffer.byteLength(sys[option] ?? "") > MAX_NAME_BYTES,
    message: `must have at most ${MAX_NAME_BYTES} bytes (set${option}(2): EINVAL)`,
  };
}

const clockOffset = ({ sys }: Asked, clock: "monotonic" | "boottime"): TimeOffset | undefined =>
  sys.timeOffsets?.[clock];

function clockRules(clock: "monotonic" | "boottime"): Rule[] {
  const path = `sys.timeOffsets.${clock}.secs`;
  return [
    {
      path,
      broken: (asked) => (clockOffset(asked, clock)?.secs ?? 0) > MAX_CLOCK,
      message: `must be at most ${MAX_CLOCK}, about 146 years (time_namespaces(7): ERANGE)`,
    },
    {
      path,
      broken: (asked) => {
        const secs = clockOffset(asked, clock)?.secs ?? 0;
        return secs < 0 && asked.caller.clocks[clock] + 1 < -secs;
      },
      message: ({ caller }) =>
        `must be at least -${Math.floor(caller.clocks[clock])}: the clock, which counts from the start of the machine, would be negative (time_namespaces(7): ERANGE)`,
    },
  ];
}

export const LIMIT_RULES: readonly Rule[] = [
  {
    path: "timeout",
    broken: ({ options }) => (options.timeout ?? 0) > MAX_TIMEOUT,
    message: `must be at most ${MAX_TIMEOUT}, 24 days in milliseconds`,
  },
  nameRule("hostname"),
  nameRule("domainname"),
  {
    path: "sys.rlimits[].soft",
    broken: ({ sys }) => which(sys.rlimits, ({ soft, hard }) => value(soft) > value(hard)),
    message: "must not be above the hard limit (getrlimit(2))",
  },
  {
    path: "sys.rlimits[].type",
    broken: ({ sys }) => {
      const types = (sys.rlimits ?? []).map(({ type }) => type);
      return which(types, (type, i) => types.indexOf(type) < i);
    },
    message: (asked, i) => `${limitAt(asked, i).type} is given twice`,
  },
  {
    path: "sys.rlimits[].hard",
    broken: (asked) =>
      asked.sys.rlimits === undefined || mayRaise(asked)
        ? []
        : which(asked.sys.rlimits, ({ type, hard }) => hard !== 0 && value(hard) > asked.caller.hardLimit(type)),
    message: (asked, i) => {
      const own = shown(asked.caller.hardLimit(limitAt(asked, i).type));
      const why = hasNew(asked, "CLONE_NEWUSER")
        ? "CAP_SYS_RESOURCE, which counts outside of user namespaces only"
        : "CAP_SYS_RESOURCE, which you don't have";
      return `must be at most ${own}, your own hard limit: raising it needs ${why} (getrlimit(2): EPERM)`;
    },
  },
  {
    path: "sys.rlimits[].hard",
    broken: (asked) =>
      which(
        asked.sys.rlimits,
        ({ type, hard }) => type === "RLIMIT_NOFILE" && hard !== 0 && value(hard) > asked.caller.maxOpenFiles,
      ),
    message: ({ caller }) =>
      `must be at most ${caller.maxOpenFiles}, the most that any process may have (/proc/sys/fs/nr_open; getrlimit(2): EPERM)`,
  },
  ...clockRules("monotonic"),
  ...clockRules("boottime"),
];
