// What one profile allows beyond another, in words: how the profile of a repository's task is held against the user's.
// One rule for each key, in a table keyed by the type: a key without a rule does not compile, and neither does a value
// without its place between the strictest and the loosest. What can't be compared (two filters, two paths that may be
// links) is beyond: to ask once too often does no harm.

import { isHarmless, looksSecret } from "./environment";
import { splitGlob } from "./globs";
import type { HostFacts } from "./host";
import { expand, isInside } from "./paths";
import { parseDuration, parseSize } from "./quantities";
import type { NamespaceName, ResolvedProfile } from "./schema";
import { describeSeccomp, isStricterSeccomp } from "./seccomp/rule";
import { steers } from "./steering-variables";

/** One thing that is asked beyond what the user's profile allows. */
export interface Loosening {
  /** Key of the profile: 'network', 'filesystem.write', 'environment.set.PATH'. */
  readonly key: string;
  /** What the task may do then, after "it may": 'reach the network of this machine'. */
  readonly allows: string;
  /** What that can do to the user: a sentence without its full stop. */
  readonly why: string;
}

/** Where paths start, and where those that are links lead. */
export type LooseningFacts = Pick<HostFacts, "home" | "workspace" | "paths" | "matches">;

type Words = readonly [allows: string, why: string, keyEnd?: string];

/** For the rules that need more than the two values of their key. */
interface Comparison {
  readonly asked: ResolvedProfile;
  readonly own: ResolvedProfile;
  readonly facts: LooseningFacts;
}

type Rule<T> = (asked: T, own: T, all: Comparison) => readonly Words[];

type Group = "filesystem" | "limits" | "environment";
type RulesOf<T> = { readonly [K in keyof T]-?: Rule<T[K]> };
type Rules = RulesOf<Omit<ResolvedProfile, Group | "name">> & {
  readonly [K in Group]: RulesOf<ResolvedProfile[K]>;
};

/** What the strictest value allows: nothing that anybody has to be told. */
const STRICTEST: Words = ["", ""];

/** Values in order: a value is beyond each that stands before it. */
function ladder<T extends string>(steps: Readonly<Record<T, Words>>): Rule<T> {
  const order = Object.keys(steps);
  return (asked, own) => (order.indexOf(asked) > order.indexOf(own) ? [steps[asked]] : []);
}

/** A path as it is written, and what it leads to where that is elsewhere: a repository can hold links to anywhere. */
function pathWords(text: string, path: string, { home, workspace, paths, matches }: LooseningFacts): string {
  const fact = paths[path];
  const folder = expand(splitGlob(text).prefix, home, workspace);
  const elsewhere = [
    ...(fact === undefined || fact === "missing" || fact.real === path ? [] : [fact]),
    ...(matches[text] ?? []).filter(({ real }) => !isInside(real, folder)),
  ];
  return elsewhere.length === 0 ? path : `${path} (leads to ${elsewhere.map(({ real }) => real).join(", ")})`;
}

/** Paths of one list that stand in none of the user's. Inside one of those is not enough: it may be a link. */
function morePaths(asked: readonly string[], own: readonly string[], { facts }: Comparison): string[] {
  const absolute = (text: string): string => expand(text, facts.home, facts.workspace);
  const known = new Set(own.map(absolute));
  const more = asked.filter((text) => !known.has(absolute(text)));
  return [...new Set(more.map((text) => pathWords(text, absolute(text), facts)))];
}

/** A limit in the unit that `parse` gives; a user without one has nothing that could be exceeded. */
function limit<T extends string | number>(what: string, parse: (value: T) => number | undefined): Rule<T | undefined> {
  const amount = (value: T): number => parse(value) ?? Number.POSITIVE_INFINITY;
  return (asked, own) => {
    if (own === undefined || (asked !== undefined && amount(asked) <= amount(own))) return [];
    const allows = asked === undefined ? `have no limit on ${what}` : `have a higher limit on ${what}: ${asked}`;
    return [[allows, `yours is ${own}`]];
  };
}

const bytes = (value: string | number): number | undefined => (typeof value === "number" ? value : parseSize(value));

const SEPARATES: Readonly<Record<NamespaceName, string>> = {
  user: "user and group ids, and with them every right over the system",
  mount: "mount points",
  pid: "processes: it would see and signal yours",
  ipc: "System V IPC and POSIX message queues",
  uts: "the host name",
  cgroup: "the tree of control groups",
  net: "network devices, ports and abstract sockets",
  time: "the monotonic and boot-time clocks",
};

/** Those that are new for a sandbox; "net" is told by the network rule, which says whether it can be. */
function newNamespaces({ namespaces }: ResolvedProfile): readonly string[] {
  return namespaces ?? Object.keys(SEPARATES).filter((name) => name !== "time");
}

const RULES: Rules = {
  filesystem: {
    workspace: ladder({
      readonly: STRICTEST,
      "copy-on-write": ["change the files of the workspace until it ends", "your profile lets tasks only read them"],
      readwrite: ["change the files of the workspace", "your profile lets tasks only read them"],
    }),
    read: (asked, own, all) =>
      morePaths(asked, [...own, ...all.own.filesystem.write], all).map((path) => [
        `read ${path}`,
        "what it reads it can put into the workspace, or send away where it has a network",
      ]),
    write: (asked, own, all) =>
      morePaths(asked, own, all).map((path) => [
        `read and change ${path}`,
        "what it leaves there may be run later by you or other programs, outside of any sandbox",
      ]),
    hide: (asked, own, all) =>
      morePaths(own, asked, all).map((path) => [`see ${path}`, "your profile hides it from tasks"]),
    tmp: ladder({
      private: STRICTEST,
      shared: [
        "read and change the /tmp of this machine",
        "other programs keep sockets and files there, some of them yours",
      ],
    }),
    caches: (asked, own) =>
      asked === "writable" && own !== "writable"
        ? [["change your package caches", "what it puts there becomes part of what you build later"]]
        : [],
  },
  network: ladder({
    none: STRICTEST,
    loopback: ["use a loopback network of its own", "nobody outside can reach it; your profile has no network at all"],
    host: [
      "reach the network of this machine",
      "it can send what it reads to anybody, and talk to services on this machine and in your local network",
    ],
  }),
  landlock: ladder({
    on: STRICTEST,
    off: [
      "do without the second wall around files and network",
      "what a fault in the first lets through, nothing holds",
    ],
  }),
  seccomp: (asked, own) => {
    const reach = "the more of the kernel a program can reach, the more of its faults it can use to get out";
    if (own === "off" || isStricterSeccomp(asked, own)) return [];
    return [
      [
        asked === "off" ? "make every system call" : describeSeccomp(asked) || "make all of the default's system calls",
        reach,
      ],
    ];
  },
  fallback: ladder({
    refuse: STRICTEST,
    landlock: [
      "run where namespaces are refused, held by Landlock alone",
      "it then sees what other processes of yours are called with, and can change permission bits and times of your files",
    ],
  }),
  namespaces: (_, __, { asked, own }) =>
    newNamespaces(own)
      .filter((name) => name !== "net" && !newNamespaces(asked).includes(name))
      .map((name) => [
        `share the ${name} namespace with the editor`,
        `it separates ${SEPARATES[name as NamespaceName]}`,
      ]),
  capabilities: (asked, own) =>
    asked
      .filter((name) => !own.includes(name))
      .map((name) => [
        `have ${name} inside`,
        "it holds over the sandbox alone, but opens code of the kernel that is closed to others",
      ]),
  limits: {
    wallTime: limit("the time it runs", parseDuration),
    cpuTime: limit("the CPU time of each process", parseDuration),
    openFiles: limit("the open files of each process", (value) => value),
    fileSize: limit("the size of each file", bytes),
    memory: limit("memory", bytes),
    // None where it is not said: it is beyond the memory. Without a limit on that, there is none on swap either.
    swap: (asked, own, all) =>
      all.own.limits.memory === undefined || all.asked.limits.memory === undefined
        ? []
        : limit("swap", bytes)(asked ?? 0, own ?? 0, all),
    pids: limit("processes", (value) => value),
    cpus: limit("CPUs", (value) => value),
    ioWeight: (asked, own, all) =>
      limit<number>("its share of the disks", (value) => value)(asked ?? 100, own ?? 100, all),
  },
  environment: {
    inherit: (asked, own) => {
      if (own === "all") return [];
      if (asked === "all") {
        return [["get every variable of the editor's environment", "tokens and passwords are often kept in variables"]];
      }
      const more = asked.filter((name) => !own.includes(name) && !isHarmless(name));
      const words = (names: readonly string[], why: string): Words[] =>
        names.length === 0 ? [] : [[`get ${names.join(", ")} of the editor's environment`, why]];
      return [
        ...words(more.filter(looksSecret), "by the name it holds a secret"),
        ...words(
          more.filter((name) => !looksSecret(name)),
          "programs act upon what they find in their environment",
        ),
      ];
    },
    set: (asked, own) =>
      Object.entries(asked).flatMap(([name, value]): Words[] => {
        const does = steers(name);
        return does === undefined || own[name] === value
          ? []
          : [[`set the variable ${name} to "${value}"`, `it ${does}`, `.${name}`]];
      }),
  },
};

function isRule(rules: unknown): rules is Rule<unknown> {
  return typeof rules === "function";
}

/** All rules of a group, or the one of a key, on what both profiles have there. */
function apply(rules: object, asked: unknown, own: unknown, key: string, all: Comparison): Loosening[] {
  if (isRule(rules)) {
    return rules(asked, own, all).map(([allows, why, end = ""]) => ({ key: `${key}${end}`, allows, why }));
  }
  return Object.entries(rules).flatMap(([name, inner]) => {
    const at = (value: unknown): unknown => (value as Record<string, unknown>)[name];
    return apply(inner, at(asked), at(own), key === "" ? name : `${key}.${name}`, all);
  });
}

/**
 * What a profile allows beyond the user's, in the order of the profile's keys; empty when it asks for the same or less.
 * @param asked the profile of the task, with the variables that the task sets in `environment.set`
 * @param own the user's
 * @param facts from readHostFacts for `asked`
 */
export function loosenings(asked: ResolvedProfile, own: ResolvedProfile, facts: LooseningFacts): Loosening[] {
  return apply(RULES, asked, own, "", { asked, own, facts });
}
