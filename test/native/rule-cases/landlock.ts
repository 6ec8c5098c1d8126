// Cases of the rules about Landlock.

import { type Case, inUser, sys, USER } from "./case";

const landlock = (more: object, others: object = {}): { sys: object } =>
  sys({ noNewPrivileges: true, landlock: more, ...others });
const READS = { handledAccessFs: ["read_file"] };

const OWNER = { subreaper: true, noNewPrivileges: true, landlock: { scoped: ["signal"] } };

export const LANDLOCK: readonly Case[] = [
  {
    rule: "the owner of a tree needs Landlock's scope of signals",
    options: sys(OWNER),
    by: { landlockAbi: 5 },
    path: "sys.subreaper",
    words: /needs Landlock ABI 6, Linux 6.12, .*this kernel has ABI 5/,
  },
  {
    rule: "the command needs it too",
    options: sys({ ...OWNER, landlock: READS }),
    path: "sys.subreaper",
    words: /needs "signal" in sys.landlock.scoped/,
    sound: sys(OWNER),
  },
  {
    rule: "the owner of a tree needs no_new_privs",
    options: sys({ ...OWNER, noNewPrivileges: false }),
    path: "sys.subreaper",
    words: /needs sys.noNewPrivileges: a set-user-ID program/,
  },
  {
    rule: "the owner of a tree is no PID 1",
    options: inUser(["CLONE_NEWPID"], OWNER),
    path: "sys.subreaper",
    words: /excludes a PID namespace/,
  },
  {
    rule: "nor traced",
    options: sys({ ...OWNER, ptrace: true }),
    path: "sys.ptrace",
    words: /excludes sys.subreaper/,
  },
  {
    rule: "rights to a terminal need one",
    options: landlock({ ...READS, terminal: ["read_file"] }),
    path: "sys.landlock.terminal",
    words: /needs terminal/,
    sound: { ...landlock({ ...READS, terminal: ["read_file"] }), terminal: { columns: 80, rows: 24 } },
  },
  {
    rule: "rights to a terminal are about what is handled",
    options: { ...landlock({ ...READS, terminal: ["write_file"] }), terminal: { columns: 80, rows: 24 } },
    path: "sys.landlock.terminal",
    words: /^write_file must be in sys.landlock.handledAccessFs too/,
  },
  {
    rule: "a ruleset handles something",
    options: landlock({ rules: [], scoped: [] }),
    path: "sys.landlock",
    words: /must handle something.*ENOMSG/,
    sound: landlock({ scoped: ["signal"] }),
    kernel: ["ruleset(0, 0, 0)", "ENOMSG"],
  },
  {
    rule: "a restriction needs no_new_privs",
    options: sys({ landlock: READS }),
    by: USER,
    path: "sys.landlock",
    words: /needs sys.noNewPrivileges.*EPERM/,
    sound: landlock(READS),
    kernel: ["ordinary(); call('landlock_restrict_self', ruleset(4, 0, 0), 0)", "EPERM"],
  },
  {
    rule: "or CAP_SYS_ADMIN among those that are left",
    options: inUser([], { landlock: READS, capabilities: {} }),
    path: "sys.landlock",
    words: /needs sys.noNewPrivileges.*EPERM/,
    sound: inUser([], {
      landlock: READS,
      capabilities: { bounding: ["CAP_SYS_ADMIN"], permitted: ["CAP_SYS_ADMIN"], effective: ["CAP_SYS_ADMIN"] },
    }),
  },
  {
    rule: "a rule allows something",
    options: landlock({ ...READS, rules: [{ path: "/", access: [] }] }),
    path: "sys.landlock.rules[0].access",
    words: /must name a right.*ENOMSG/,
    kernel: ["beneath(ruleset(4, 0, 0), 0)", "ENOMSG"],
  },
  {
    rule: "a rule is about what is handled",
    options: landlock({ ...READS, rules: [{ path: "/", access: ["read_file", "write_file"] }] }),
    path: "sys.landlock.rules[0].access",
    words: /^write_file must be in sys.landlock.handledAccessFs too.*EINVAL/,
    sound: landlock({ ...READS, rules: [{ path: "/", access: ["read_file"] }] }),
    kernel: ["beneath(ruleset(4, 0, 0), 6)", "EINVAL"],
  },
  {
    rule: "so is a rule about a port",
    options: landlock({ handledAccessNet: ["bind_tcp"], ports: [{ port: 80, access: ["connect_tcp"] }] }),
    path: "sys.landlock.ports[0].access",
    words: /^connect_tcp must be in sys.landlock.handledAccessNet too/,
    sound: landlock({ handledAccessNet: ["bind_tcp"], ports: [{ port: 0, access: ["bind_tcp"] }] }),
  },
  {
    rule: "the kernel has the right",
    options: landlock({ handledAccessFs: ["read_file", "ioctl_dev"] }),
    by: { landlockAbi: 4 },
    path: "sys.landlock.handledAccessFs[1]",
    words:
      /^ioctl_dev needs Landlock ABI 5, Linux 6.10; this kernel has ABI 4. Leave it out, or say in sys.landlock.minimumAbi/,
    sound: landlock({ handledAccessFs: ["ioctl_dev"], minimumAbi: 4 }),
    kernel: ["ruleset(1 << 60, 0, 0)", "EINVAL"],
  },
  {
    rule: "or is not needed",
    options: landlock({ handledAccessFs: ["ioctl_dev"], handledAccessNet: ["bind_udp"], minimumAbi: 5 }),
    by: { landlockAbi: 4 },
    path: "sys.landlock.handledAccessFs[0]",
    words: /^ioctl_dev needs/,
    sound: landlock({ handledAccessFs: ["ioctl_dev"], handledAccessNet: ["bind_udp"], minimumAbi: 4 }),
  },
  ...(
    [
      ["handledAccessNet", "connect_tcp", 3],
      ["scoped", "signal", 5],
      ["flags", "log_new_exec_on", 6],
    ] as const
  ).map(
    ([list, word, landlockAbi]): Case => ({
      rule: `the kernel has what ${list} asks for`,
      options: landlock({ ...READS, [list]: [word] }),
      by: { landlockAbi },
      path: `sys.landlock.${list}[0]`,
      words: new RegExp(`^${word} needs Landlock ABI ${landlockAbi + 1}, Linux 6`),
      sound: landlock({ ...READS, [list]: [word], minimumAbi: 1 }),
    }),
  ),
  {
    rule: "the kernel has Landlock",
    options: landlock(READS),
    by: { landlockAbi: -95 },
    path: "sys.landlock",
    words: /needs Linux 5.13 with Landlock enabled.*minimumAbi to 0/,
  },
];
