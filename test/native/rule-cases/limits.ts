// Cases of the rules about limits.

import { type Case, inUser, sys, USER } from "./case";

export const LIMITS: readonly Case[] = [
  {
    rule: "a soft limit is below the hard one",
    options: sys({ rlimits: [{ type: "RLIMIT_NOFILE", soft: -1, hard: 5 }] }),
    path: "sys.rlimits[0].soft",
    words: /above the hard limit/,
    sound: sys({ rlimits: [{ type: "RLIMIT_CORE", soft: -1, hard: -1 }] }),
    kernel: ["limit(6, 5)", "EINVAL"],
  },
  {
    rule: "a limit is given once",
    options: sys({
      rlimits: [
        { type: "RLIMIT_CPU", soft: 1, hard: 1 },
        { type: "RLIMIT_CPU", soft: 2, hard: 2 },
      ],
    }),
    path: "sys.rlimits[1].type",
    words: /RLIMIT_CPU is given twice/,
  },
  {
    rule: "a hard limit is raised by who may",
    options: sys({ rlimits: [{ type: "RLIMIT_NPROC", soft: 1, hard: 51 }] }),
    by: { ...USER, hardLimit: (type) => (type === "RLIMIT_NPROC" ? 50 : 0) },
    path: "sys.rlimits[0].hard",
    words: /at most 50, your own hard limit.*CAP_SYS_RESOURCE, which you don't have.*EPERM/,
    sound: sys({ rlimits: [{ type: "RLIMIT_NPROC", soft: 1, hard: 50 }] }),
    kernel: ["ordinary(); limit(5, 5); limit(5, 6)", "EPERM"],
  },
  {
    rule: "a user namespace gives no right to raise a hard limit",
    options: inUser([], { rlimits: [{ type: "RLIMIT_NPROC", soft: 1, hard: -1 }] }),
    by: { hardLimit: () => 50 },
    path: "sys.rlimits[0].hard",
    words: /counts outside of user namespaces only/,
    sound: sys({ rlimits: [{ type: "RLIMIT_NPROC", soft: 1, hard: -1 }] }),
    kernel: ["limit(5, 5); call('unshare', NEWUSER); limit(5, 6)", "EPERM"],
  },
  {
    rule: "nobody has more open files than the machine allows one",
    options: sys({ rlimits: [{ type: "RLIMIT_NOFILE", soft: 1, hard: 1_048_577 }] }),
    path: "sys.rlimits[0].hard",
    words: /at most 1048576.*nr_open/,
    sound: sys({ rlimits: [{ type: "RLIMIT_NOFILE", soft: 1, hard: 1_048_576 }] }),
    kernel: ["limit(1, 0xffffffffffffffff)", "EPERM"],
  },
  {
    rule: "a host name has 64 bytes, not characters",
    options: inUser(["CLONE_NEWUTS"], { hostname: "ä".repeat(33) }),
    path: "sys.hostname",
    words: /at most 64 bytes/,
    sound: inUser(["CLONE_NEWUTS"], { hostname: "ä".repeat(32) }),
    kernel: ["maps(0); call('unshare', NEWUTS); call('sethostname', 'x' x 65, 65)", "EINVAL"],
  },
  {
    rule: "so has a domain name",
    options: inUser(["CLONE_NEWUTS"], { domainname: "x".repeat(65) }),
    path: "sys.domainname",
    words: /at most 64 bytes.*setdomainname/,
  },
  {
    rule: "a clock stays below the end of time",
    options: inUser(["CLONE_NEWTIME"], { timeOffsets: { monotonic: { secs: 4_611_686_019, nanosecs: 0 } } }),
    path: "sys.timeOffsets.monotonic.secs",
    words: /at most 4611686018.*ERANGE/,
    kernel: ["maps(0); call('unshare', NEWTIME); put('/proc/self/timens_offsets', 'monotonic 4611686019 0')", "ERANGE"],
  },
  {
    rule: "a clock is not negative",
    options: inUser(["CLONE_NEWTIME"], { timeOffsets: { boottime: { secs: -1002, nanosecs: 0 } } }),
    path: "sys.timeOffsets.boottime.secs",
    words: /at least -1000.*ERANGE/,
    sound: inUser(["CLONE_NEWTIME"], { timeOffsets: { boottime: { secs: -1000, nanosecs: 0 } } }),
    kernel: ["maps(0); call('unshare', NEWTIME); put('/proc/self/timens_offsets', 'boottime -4000000000 0')", "ERANGE"],
  },
  {
    rule: "a timeout fits a timer",
    options: { timeout: 2 ** 31 },
    path: "timeout",
    words: /at most 2147483647/,
    sound: { timeout: 2 ** 31 - 1 },
  },
];
