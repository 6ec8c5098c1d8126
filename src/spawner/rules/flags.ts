// Clone flags: which may be asked for, and which exclude each other, by clone, by unshare or by both.

import { suggestion } from "../nearest";
import { CLONE_FLAGS, type CloneFlag } from "../types";
import { ALL_NAMES, NOT_UNSHARED, REFUSED, UNSHARED_ALREADY } from "./flag-names";
import { type Asked, type Rule, which } from "./rule";

type List = "cloneflags" | "unshareflags";

const listOf = ({ sys }: Asked, list: List): readonly string[] => sys[list] ?? [];

/** Why one flag can't be in this list, or undefined. */
function objection(list: List, flag: string): string | undefined {
  const unshares = list === "unshareflags";
  if (unshares && Object.hasOwn(UNSHARED_ALREADY, flag)) return `${flag} is not needed: ${UNSHARED_ALREADY[flag]}`;
  if (unshares && Object.hasOwn(NOT_UNSHARED, flag))
    return `${flag} is not for unshare(2), which refuses it: ${NOT_UNSHARED[flag]}`;
  if (Object.hasOwn(REFUSED, flag)) return `${flag} ${REFUSED[flag]}`;
  if (Object.hasOwn(CLONE_FLAGS, flag)) return undefined;
  return `unknown flag ${JSON.stringify(flag)}${suggestion(flag, ALL_NAMES)}`;
}

function names(list: List): Rule {
  return {
    path: `sys.${list}[]`,
    broken: (asked) => which(listOf(asked, list), (flag) => objection(list, flag) !== undefined),
    message: (asked, i) => objection(list, listOf(asked, list)[i] ?? "") ?? "",
  };
}

function twice(list: List): Rule {
  return {
    path: `sys.${list}[]`,
    broken: (asked) => which(listOf(asked, list), (flag, i) => listOf(asked, list).indexOf(flag) < i),
    message: (asked, i) => `${listOf(asked, list)[i]} is given twice`,
  };
}

/** Two flags of one clone that the kernel, and gVisor's task_clone.go, refuse together: EINVAL. */
function excludes(one: string, other: string, why: string): Rule {
  return {
    path: "sys.cloneflags",
    broken: (asked) => listOf(asked, "cloneflags").includes(one) && listOf(asked, "cloneflags").includes(other),
    message: `${one} excludes ${other}: ${why} (clone(2))`,
  };
}

/** A flag that means nothing without another: EINVAL. */
function requires(one: string, other: string, why: string): Rule {
  return {
    path: "sys.cloneflags",
    broken: (asked) => listOf(asked, "cloneflags").includes(one) && !listOf(asked, "cloneflags").includes(other),
    message: `${one} needs ${other}: ${why} (clone(2))`,
  };
}

const both = (asked: Asked, flag: CloneFlag): boolean => asked.cloned.has(flag) && asked.unshared.has(flag);

export const FLAG_RULES: readonly Rule[] = [
  names("cloneflags"),
  names("unshareflags"),
  twice("cloneflags"),
  twice("unshareflags"),

  requires("CLONE_SIGHAND", "CLONE_VM", "a handler is an address, which means something in one address space only"),
  requires("CLONE_THREAD", "CLONE_SIGHAND", "a signal to a thread group is handled by any of its threads alike"),
  excludes("CLONE_SIGHAND", "CLONE_CLEAR_SIGHAND", "handlers can't be shared and reset at once"),
  excludes("CLONE_NEWPID", "CLONE_THREAD", "all threads of a process are in one PID namespace"),
  excludes("CLONE_NEWPID", "CLONE_PARENT", "PID 1 of a namespace is a child of the process that made it"),
  excludes("CLONE_NEWUSER", "CLONE_THREAD", "all threads of a process are in one user namespace"),
  excludes("CLONE_NEWUSER", "CLONE_PARENT", "a user namespace is made by the parent of its first process"),
  excludes(
    "CLONE_NEWUSER",
    "CLONE_FS",
    "a child with new privileges could change the root and cwd of a process without them",
  ),
  excludes("CLONE_NEWNS", "CLONE_FS", "a root and cwd can't be in two mount namespaces at once"),
  excludes("CLONE_NEWIPC", "CLONE_SYSVSEM", "semaphores that are undone together are in one IPC namespace"),

  {
    path: "sys.unshareflags",
    broken: (asked) => both(asked, "CLONE_NEWPID"),
    message:
      "CLONE_NEWPID is in sys.cloneflags already, and a process gets a new PID namespace one way or the other: by its clone, or for its children (pid_namespaces(7)). Leave one of them out",
  },
  {
    path: "sys.unshareflags[]",
    broken: (asked) => which(asked.sys.unshareflags, (flag) => flag !== "CLONE_NEWPID" && both(asked, flag)),
    message: (asked, i) => `${asked.sys.unshareflags?.[i]} is in sys.cloneflags already: leave one of them out`,
  },
];
