// Joining namespaces (setns(2)) and being traced (ptrace(2)).

import { suggestion } from "../nearest";
import type { CloneFlag } from "../types";
import { NAMESPACES } from "./flag-names";
import { type Asked, hasOwnInit, OWN_USER_NAMESPACE, type Rule, which } from "./rule";

/** How /proc/PID/fd shows the namespaces (namespaces(7)). */
const KINDS: Readonly<Record<string, string>> = {
  CLONE_NEWTIME: "time",
  CLONE_NEWNS: "mnt",
  CLONE_NEWCGROUP: "cgroup",
  CLONE_NEWUTS: "uts",
  CLONE_NEWIPC: "ipc",
  CLONE_NEWUSER: "user",
  CLONE_NEWPID: "pid",
  CLONE_NEWNET: "net",
};

type Join = { fd: number; nstype: CloneFlag[] };
const joinsOf = ({ sys }: Asked): readonly Join[] => sys.setns ?? [];
const joinAt = (asked: Asked, i: number): Join => joinsOf(asked)[i] ?? { fd: -1, nstype: [] };

/** 'net' of 'net:[4026531840]'; undefined for what is no namespace. */
function kindOf(target: string | undefined): string | undefined {
  const kind = /^(\w+):\[\d+\]$/.exec(target ?? "")?.[1];
  return Object.values(KINDS).find((known) => known === kind);
}

function isPidfd(target: string | undefined): boolean {
  return target === "anon_inode:[pidfd]" || target?.startsWith("pidfd:") === true;
}

/** A join needs CAP_SYS_ADMIN in the caller's user namespace, or in one joined before or with it. */
function lacksRights(asked: Asked): number[] {
  if (asked.caller.effective.has("CAP_SYS_ADMIN")) return [];
  const user = joinsOf(asked).findIndex(({ nstype }) => nstype.includes("CLONE_NEWUSER"));
  return which(joinsOf(asked), ({ nstype }, i) => nstype.length > 0 && (user < 0 || i < user));
}

/** Namespaces made by the clone that a join would leave again. */
function madeInVain(asked: Asked, i: number): CloneFlag | undefined {
  return joinAt(asked, i).nstype.find(
    (flag) => asked.cloned.has(flag) && flag !== "CLONE_NEWPID" && flag !== "CLONE_NEWUSER" && flag !== "CLONE_NEWTIME",
  );
}

const isNamespace = (flag: string): boolean => NAMESPACES.includes(flag);
const strangers = (asked: Asked, i: number): string[] => joinAt(asked, i).nstype.filter((flag) => !isNamespace(flag));

export const JOIN_RULES: readonly Rule[] = [
  {
    path: "sys.setns[].nstype",
    broken: (asked) => which(joinsOf(asked), ({ nstype }) => nstype.length === 0),
    message: "must name at least one namespace to join (setns(2))",
  },
  {
    path: "sys.setns[].nstype",
    broken: (asked) => which(joinsOf(asked), (_, i) => strangers(asked, i).length > 0),
    message: (asked, i) => {
      const [flag = ""] = strangers(asked, i);
      return `${JSON.stringify(flag)} is no namespace to join${suggestion(flag, NAMESPACES)} (setns(2))`;
    },
  },
  {
    path: "sys.setns[].nstype",
    broken: (asked) => which(joinsOf(asked), ({ nstype }) => new Set(nstype).size < nstype.length),
    message: "has a name twice",
  },
  {
    path: "sys.setns[].fd",
    broken: (asked) => which(joinsOf(asked), ({ fd }) => asked.caller.fdTarget(fd) === undefined),
    message: "is not open (setns(2): EBADF)",
  },
  {
    path: "sys.setns[].fd",
    broken: (asked) =>
      which(joinsOf(asked), ({ fd }) => {
        const target = asked.caller.fdTarget(fd);
        return target !== undefined && kindOf(target) === undefined && !isPidfd(target);
      }),
    message: (asked, i) =>
      `must be a pidfd or a namespace of /proc/PID/ns, and is ${asked.caller.fdTarget(joinAt(asked, i).fd)} (setns(2): EINVAL)`,
  },
  {
    path: "sys.setns[].nstype",
    broken: (asked) =>
      which(joinsOf(asked), ({ fd, nstype }, i) => {
        const kind = kindOf(asked.caller.fdTarget(fd));
        return kind !== undefined && strangers(asked, i).length === 0 && nstype.some((flag) => KINDS[flag] !== kind);
      }),
    message: (asked, i) =>
      `must be the one namespace that fd is, a ${kindOf(asked.caller.fdTarget(joinAt(asked, i).fd))} namespace; a pidfd takes several (setns(2): EINVAL)`,
  },
  {
    path: "sys.setns[].nstype",
    broken: (asked) =>
      which(joinsOf(asked), ({ nstype }, i) => {
        const before = joinsOf(asked).slice(0, i);
        return nstype.includes("CLONE_NEWPID") && before.some((join) => join.nstype.includes("CLONE_NEWPID"));
      }),
    message: "joins a second PID namespace: a process is born in one (pid_namespaces(7)). Leave one of them out",
  },
  {
    path: "sys.setns",
    broken: ({ joined, cloned, unshared }) =>
      joined.has("CLONE_NEWPID") && (cloned.has("CLONE_NEWPID") || unshared.has("CLONE_NEWPID")),
    message:
      "joins a PID namespace while CLONE_NEWPID makes one, and a process is born in one (pid_namespaces(7): EINVAL). Leave one of them out",
  },
  {
    path: "sys.setns",
    broken: ({ sys, cloned }) => (sys.setns ?? []).length > 0 && cloned.has("CLONE_NEWUSER"),
    message:
      "excludes CLONE_NEWUSER in sys.cloneflags: the child would have rights in the new user namespace alone, and what it joins belongs to others (setns(2): EPERM). Join the user namespace, or put CLONE_NEWUSER into sys.unshareflags",
  },
  {
    path: "sys.setns[].nstype",
    broken: (asked) => which(joinsOf(asked), (_, i) => madeInVain(asked, i) !== undefined),
    message: (asked, i) =>
      `${madeInVain(asked, i)} is in sys.cloneflags too, and the join would leave the new one again: put it into sys.unshareflags, which comes after the joins, or leave one of them out`,
  },
  {
    path: "sys.setns[].nstype",
    broken: (asked) => (asked.cloned.has("CLONE_NEWUSER") ? [] : lacksRights(asked)),
    message: `needs CAP_SYS_ADMIN, which you don't have (setns(2): EPERM): join the target's CLONE_NEWUSER first, or with it`,
  },
  {
    path: "sys.setns[].nstype",
    broken: (asked) =>
      asked.caller.effective.has("CAP_SYS_CHROOT") || asked.joined.has("CLONE_NEWUSER")
        ? []
        : which(joinsOf(asked), ({ nstype }) => nstype.includes("CLONE_NEWNS")),
    message: `CLONE_NEWNS needs CAP_SYS_CHROOT, which you don't have (setns(2): EPERM): ${OWN_USER_NAMESPACE}`,
  },
];

/** Who is cloned and who executes the command must be one process, for the tracer to see its execve. */
export const TRACE_RULES: readonly Rule[] = [
  {
    path: "sys.ptrace",
    broken: ({ sys }) => sys.ptrace === true && sys.subreaper === true,
    message: "excludes sys.subreaper, whose child the command is: a tracer traces its own child (ptrace(2))",
  },
  {
    path: "sys.ptrace",
    broken: (asked) => asked.sys.ptrace === true && hasOwnInit(asked),
    message:
      "excludes a PID 1 before the command, whose child the command is: a tracer traces its own child (ptrace(2)). Set sys.init to false",
  },
  {
    path: "sys.ptrace",
    broken: ({ sys, joined }) => sys.ptrace === true && joined.has("CLONE_NEWPID"),
    message:
      "excludes joining CLONE_NEWPID: the command is born inside, as a grandchild, and a tracer traces its own child (ptrace(2))",
  },
  {
    path: "sys.ptrace",
    broken: ({ sys, cloned }) => sys.ptrace === true && cloned.has("CLONE_UNTRACED"),
    message: "excludes CLONE_UNTRACED, which forbids tracing (clone(2)): leave one of them out",
  },
];
