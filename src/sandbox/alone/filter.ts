// What the filter of system calls has to hold where there is no namespace: the ways to other processes of the same user that
// Landlock says nothing about. Pure.

import { deepFreeze } from "../../spawner/seccomp/frozen";
import { permits, type Seccomp, type SeccompArgument, type SeccompRule } from "../../spawner/seccomp/oci";
import type { ResolvedProfile } from "../schema";
import { filterOf } from "../seccomp/rule";

const LOW_WORD = 0xffff_ffff;
const FAMILY = { AF_UNIX: 1, AF_INET: 2, AF_INET6: 10, AF_NETLINK: 16 };
/** SOCK_TYPE_MASK of linux/net.h: without SOCK_CLOEXEC and SOCK_NONBLOCK. */
const TYPE_MASK = 0xf;
const SOCK_STREAM = 1;
const NETLINK_ROUTE = 0;
const IOPRIO_WHO_PROCESS = 1;

const is = (index: number, value: number, mask = LOW_WORD): SeccompArgument => ({
  index,
  op: "SCMP_CMP_MASKED_EQ",
  value: mask,
  valueTwo: value,
});
const allow = (names: string[], ...args: SeccompArgument[]): SeccompRule => ({ names, action: "SCMP_ACT_ALLOW", args });

/**
 * A socket of AF_UNIX could be connected to any server of the user's: a path needs no right before Landlock's ABI 9. A pair
 * of streams can't be connected to anything else (unix(7)); datagrams can be sent anywhere.
 */
const PAIRS = allow(["socketpair"], is(0, FAMILY.AF_UNIX), is(1, SOCK_STREAM, TYPE_MASK));

/** This machine's network, as whoever shares its namespace has it: what getaddrinfo(3) asks included. */
const NETWORK: readonly SeccompRule[] = [
  allow(["socket"], is(0, FAMILY.AF_INET)),
  allow(["socket"], is(0, FAMILY.AF_INET6)),
  allow(["socket"], is(0, FAMILY.AF_NETLINK), is(2, NETLINK_ROUTE)),
];

/** Of a process or thread by its number, with no look at who asks but at the user: only one's own, which is 0. */
const OWN_ONLY: readonly SeccompRule[] = [
  // A limit of CPU time ends another process of the user's.
  allow(["prlimit64"], is(0, 0)),
  allow(["sched_setaffinity", "sched_setattr", "sched_setparam", "sched_setscheduler"], is(0, 0)),
  allow(["setpriority"], is(0, 0), is(1, 0)),
  allow(["ioprio_set"], is(0, IOPRIO_WHO_PROCESS), is(1, 0)),
];

/** Objects of the whole machine's (sysvipc(7), mq_overview(7)); and a call about processes that die. */
const NEVER = `
  ipc msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget
  mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink
  process_mrelease`
  .trim()
  .split(/\s+/);

const CONDITIONAL = [PAIRS, ...NETWORK, ...OWN_ONLY];
const TOUCHED: ReadonlySet<string> = new Set([...NEVER, ...CONDITIONAL.flatMap(({ names }) => names)]);

/** Calls that a profile's own rules refuse whatever their arguments: no condition of ours may let them through again. */
function refusedByUser({ seccomp }: ResolvedProfile): ReadonlySet<string> {
  const rules = typeof seccomp === "object" ? ((seccomp.syscalls ?? []) as readonly SeccompRule[]) : [];
  return new Set(rules.filter(({ args }) => (args ?? []).length === 0).flatMap(({ names }) => names));
}

const withNames = (rule: SeccompRule, isKept: (name: string) => boolean): SeccompRule[] => {
  const names = rule.names.filter(isKept);
  return names.length === 0 ? [] : [{ ...rule, names }];
};

const made = new Map<string, Seccomp>();

/**
 * The filter: the profile's, of which refusals.ts has seen to it that it allows no more than the default, without those.
 * The same object for the same profile: compiling one takes milliseconds.
 */
export function aloneFilter(profile: ResolvedProfile): Seccomp {
  const key = JSON.stringify([profile.seccomp, profile.network === "host"]);
  const known = made.get(key);
  if (known !== undefined) return known;
  const base = filterOf(profile.seccomp);
  if (base === undefined) throw new Error("Landlock alone is not enough without a filter of system calls.");
  const refused = refusedByUser(profile);
  const conditional = [PAIRS, ...(profile.network === "host" ? NETWORK : []), ...OWN_ONLY];
  const filter = deepFreeze<Seccomp>({
    ...structuredClone(base),
    syscalls: [
      ...(base.syscalls ?? []).flatMap((rule) =>
        permits(rule.action) ? withNames(rule, (name) => !TOUCHED.has(name)) : [structuredClone(rule)],
      ),
      ...conditional.flatMap((rule) => withNames(rule, (name) => !refused.has(name))),
    ],
  });
  made.set(key, filter);
  return filter;
}
