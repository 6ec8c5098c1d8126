// Combinations of options that no child can be started with: what validate() must say about each, and, where that can be
// tried in safety, what the kernel says to the same.

import type { Caller } from "../../src/spawner/caller";
import { CAPABILITIES } from "../../src/spawner/capabilities";

export interface Case {
  /** The rule, as the title of a test. */
  readonly rule: string;
  readonly options: object;
  /** The option that is blamed, and the words that must be there. */
  readonly path: string;
  readonly words: RegExp;
  /** The same put right: nothing is said about it. */
  readonly sound?: object;
  readonly by?: Partial<Caller>;
  /** Lines for kernelSays() and the errno. */
  readonly kernel?: readonly [lines: string, errno: string];
}

const NO_CAPABILITIES = { effective: new Set<never>(), permitted: new Set<never>(), inheritable: new Set<never>() };

/** A caller with every right. */
export const ROOT: Caller = {
  uid: 0,
  gid: 0,
  uids: [0, 0, 0],
  gids: [0, 0, 0],
  effective: new Set(CAPABILITIES),
  permitted: new Set(CAPABILITIES),
  inheritable: new Set(),
  chrooted: false,
  uidRanges: [{ first: 0, size: 0xffff_ffff }],
  gidRanges: [{ first: 0, size: 0xffff_ffff }],
  setgroups: true,
  openFiles: { hard: 4096 },
  hardLimit: () => Number.POSITIVE_INFINITY,
  maxOpenFiles: 1_048_576,
  clocks: { monotonic: 1000, boottime: 1000 },
  fdTarget: () => "pidfd:[1]",
};

/** A caller with none. */
export const USER: Partial<Caller> = { uid: 1000, gid: 1000, uids: [1000], gids: [1000], ...NO_CAPABILITIES };

const map = (containerID: number, hostID: number, size = 1): object => ({ containerID, hostID, size });

/** New namespaces in a user namespace with one id, that of `id`. */
const inUser = (flags: string[], more: object = {}, id = 0): { sys: object } => ({
  sys: { cloneflags: ["CLONE_NEWUSER", ...flags], uidMappings: [map(0, id)], gidMappings: [map(0, id)], ...more },
});
const sys = (more: object): { sys: object } => ({ sys: more });
const cloned = (...flags: string[]): { sys: object } => sys({ cloneflags: flags });
const unshared = (...flags: string[]): { sys: object } => sys({ unshareflags: flags });
const mount = (more: object): { sys: object } => inUser(["CLONE_NEWNS"], { mounts: [{ destination: "/x", ...more }] });

const FLAGS: readonly Case[] = [
  {
    rule: "shared signal handlers need shared memory",
    options: cloned("CLONE_SIGHAND"),
    path: "sys.cloneflags",
    words: /CLONE_SIGHAND needs CLONE_VM: a handler is an address/,
    kernel: ["fork3(SIGHAND, 17)", "EINVAL"],
  },
  {
    rule: "threads share signal handlers",
    options: cloned("CLONE_THREAD", "CLONE_VM"),
    path: "sys.cloneflags",
    words: /CLONE_THREAD needs CLONE_SIGHAND/,
    kernel: ["fork3(THREAD | VM, 0)", "EINVAL"],
  },
  {
    rule: "signal handlers can't be shared and reset at once",
    options: cloned("CLONE_SIGHAND", "CLONE_VM", "CLONE_CLEAR_SIGHAND"),
    path: "sys.cloneflags",
    words: /CLONE_SIGHAND excludes CLONE_CLEAR_SIGHAND/,
    sound: cloned("CLONE_CLEAR_SIGHAND"),
    kernel: ["fork3(SIGHAND | VM | CLEAR_SIGHAND, 17)", "EINVAL"],
  },
  {
    rule: "a thread has its process's PID namespace",
    options: cloned("CLONE_NEWPID", "CLONE_THREAD"),
    path: "sys.cloneflags",
    words: /CLONE_NEWPID excludes CLONE_THREAD/,
    kernel: ["fork3(NEWUSER | NEWPID | THREAD | SIGHAND | VM, 0)", "EINVAL"],
  },
  {
    rule: "a new PID namespace's first process is our child and no sibling",
    options: cloned("CLONE_NEWPID", "CLONE_PARENT"),
    path: "sys.cloneflags",
    words: /CLONE_NEWPID excludes CLONE_PARENT/,
    kernel: ["fork3(NEWUSER | NEWPID | PARENT, 17)", "EINVAL"],
  },
  {
    rule: "a thread has its process's user namespace",
    options: cloned("CLONE_NEWUSER", "CLONE_THREAD"),
    path: "sys.cloneflags",
    words: /CLONE_NEWUSER excludes CLONE_THREAD/,
    kernel: ["fork3(NEWUSER | THREAD | SIGHAND | VM, 0)", "EINVAL"],
  },
  {
    rule: "a new user namespace excludes CLONE_PARENT",
    options: cloned("CLONE_NEWUSER", "CLONE_PARENT"),
    path: "sys.cloneflags",
    words: /CLONE_NEWUSER excludes CLONE_PARENT/,
    kernel: ["fork3(NEWUSER | PARENT, 17)", "EINVAL"],
  },
  {
    rule: "a root and cwd are not shared into a new user namespace",
    options: cloned("CLONE_NEWUSER", "CLONE_FS"),
    path: "sys.cloneflags",
    words: /CLONE_NEWUSER excludes CLONE_FS: a child with new privileges/,
    kernel: ["fork3(NEWUSER | FS, 17)", "EINVAL"],
  },
  {
    rule: "a root and cwd are not shared into a new mount namespace",
    options: cloned("CLONE_NEWNS", "CLONE_FS"),
    path: "sys.cloneflags",
    words: /CLONE_NEWNS excludes CLONE_FS/,
    kernel: ["fork3(NEWUSER | NEWNS | FS, 17)", "EINVAL"],
  },
  {
    rule: "semaphores to undo are not shared across IPC namespaces",
    options: inUser(["CLONE_NEWIPC", "CLONE_SYSVSEM"]),
    path: "sys.cloneflags",
    words: /CLONE_NEWIPC excludes CLONE_SYSVSEM/,
    sound: cloned("CLONE_SYSVSEM", "CLONE_IO", "CLONE_UNTRACED"),
    kernel: ["fork3(NEWUSER | NEWIPC | SYSVSEM, 17)", "EINVAL"],
  },
  {
    rule: "there is one way to a new PID namespace at a time",
    options: inUser(["CLONE_NEWPID"], { unshareflags: ["CLONE_NEWPID"] }),
    path: "sys.unshareflags",
    words: /CLONE_NEWPID is in sys.cloneflags already.*pid_namespaces\(7\)/,
    sound: inUser([], { unshareflags: ["CLONE_NEWPID"] }),
    kernel: ["call('unshare', NEWUSER | NEWPID); fork3(NEWPID, 17)", "EINVAL"],
  },
  {
    rule: "a namespace is made by clone or by unshare",
    options: inUser(["CLONE_NEWUTS"], { unshareflags: ["CLONE_NEWNET", "CLONE_NEWUTS"] }),
    path: "sys.unshareflags[1]",
    words: /CLONE_NEWUTS is in sys.cloneflags already/,
  },
  {
    rule: "a flag is given once",
    options: cloned("CLONE_NEWNS", "CLONE_NEWNS"),
    path: "sys.cloneflags[1]",
    words: /twice/,
  },
  {
    rule: "a misspelt flag is told with the nearest",
    options: unshared("CLONE_NEWNETS"),
    path: "sys.unshareflags[0]",
    words: /unknown flag "CLONE_NEWNETS" \(did you mean "CLONE_NEWNET"\?\)/,
  },
  {
    rule: "a name that every object has is no flag",
    options: cloned("constructor", "__proto__"),
    path: "sys.cloneflags[1]",
    words: /unknown flag "__proto__"/,
  },
  ...[
    ["CLONE_IO", "IO"],
    ["CLONE_UNTRACED", "UNTRACED"],
    ["CLONE_CLEAR_SIGHAND", "CLEAR_SIGHAND"],
    ["CLONE_PARENT", "PARENT"],
    ["CLONE_PTRACE", "PTRACE"],
  ].map(
    ([flag = "", word]): Case => ({
      rule: `${flag} can't be unshared`,
      options: unshared(flag),
      path: "sys.unshareflags[0]",
      words: new RegExp(`${flag} (is not for unshare\\(2\\)|can't be asked for)`),
      kernel: [`call('unshare', ${word})`, "EINVAL"],
    }),
  ),
  {
    rule: "memory can't be unshared while it is ours",
    options: unshared("CLONE_VM"),
    path: "sys.unshareflags[0]",
    words: /CLONE_VM is not needed: .*unshare\(2\): EINVAL/,
  },
  ...["CLONE_FILES", "CLONE_FS", "CLONE_SIGHAND", "CLONE_THREAD"].map(
    (flag): Case => ({
      rule: `${flag} need not be unshared`,
      options: unshared(flag),
      path: "sys.unshareflags[0]",
      words: /is not needed: the child .* already/,
    }),
  ),
  ...(
    [
      ["CLONE_VM", /belongs to the spawner.*memory/],
      ["CLONE_VFORK", /belongs to the spawner.*execve/],
      ["CLONE_PIDFD", /belongs to the spawner.*child\.pidfd/],
      ["CLONE_PARENT_SETTID", /belongs to the spawner.*child\.pid/],
      ["CLONE_THREAD", /a thread of this program/],
      ["CLONE_SETTLS", /thread-local storage/],
      ["CLONE_FILES", /close this program's own fds.*stdio/],
      ["CLONE_FS", /cwd, root and umask/],
      ["CLONE_PARENT", /could not wait for/],
      ["CLONE_SIGHAND", /signal handlers/],
      ["CLONE_CHILD_SETTID", /child\.pid/],
      ["CLONE_CHILD_CLEARTID", /child\.exited/],
      ["CLONE_PTRACE", /sys\.ptrace/],
      ["CLONE_DETACHED", /2\.6\.2/],
      ["CLONE_INTO_CGROUP", /sys\.cgroupFD/],
      ["CLONE_STOPPED", /2\.6\.38/],
      ["CLONE_PID", /CLONE_NEWPID/],
    ] as const
  ).map(
    ([flag, words]): Case => ({
      rule: `${flag} is refused by name`,
      options: cloned(flag),
      path: "sys.cloneflags[0]",
      words: new RegExp(`^${flag} .*${words.source}`),
    }),
  ),
];

const NAMESPACES: readonly Case[] = [
  ...(
    [
      ["uidMappings", [map(0, 0)], "CLONE_NEWUSER"],
      ["rootfs", {}, "CLONE_NEWNS"],
      ["mounts", [{ destination: "/x", type: "tmpfs" }], "CLONE_NEWNS"],
      ["maskedPaths", ["/x"], "CLONE_NEWNS"],
      ["readonlyPaths", ["/x"], "CLONE_NEWNS"],
      ["hostname", "x", "CLONE_NEWUTS"],
      ["domainname", "x", "CLONE_NEWUTS"],
      ["loopback", true, "CLONE_NEWNET"],
      ["timeOffsets", {}, "CLONE_NEWTIME"],
    ] as const
  ).map(
    ([option, value, flag]): Case => ({
      rule: `${option} are the host's without ${flag}`,
      options: sys({ [option]: value }),
      path: `sys.${option}`,
      words: new RegExp(`^needs ${flag} in sys.cloneflags: `),
      ...(option === "uidMappings" ? {} : { sound: inUser([flag], { [option]: value }) }),
    }),
  ),
  {
    rule: "a namespace that is made before its user namespace is out of reach",
    options: sys({
      cloneflags: ["CLONE_NEWNS"],
      unshareflags: ["CLONE_NEWUSER"],
      uidMappings: [map(0, 0)],
      gidMappings: [map(0, 0)],
    }),
    path: "sys.cloneflags",
    words: /CLONE_NEWNS would be made before .*Put it into sys.unshareflags/,
    sound: sys({
      cloneflags: ["CLONE_NEWUTS", "CLONE_NEWPID"],
      unshareflags: ["CLONE_NEWUSER", "CLONE_NEWNS"],
      uidMappings: [map(0, 0)],
      gidMappings: [map(0, 0)],
    }),
    kernel: [
      "maps(0); call('unshare', NEWNS); call('unshare', NEWUSER); call('mount', 0, '/', 0, 0x44000, 0)",
      "EPERM",
    ],
  },
  ...(
    [
      ["proc", "CLONE_NEWPID"],
      ["sysfs", "CLONE_NEWNET"],
      ["mqueue", "CLONE_NEWIPC"],
      ["cgroup2", "CLONE_NEWCGROUP"],
    ] as const
  ).map(
    ([type, flag]): Case => ({
      rule: `${type} shows a namespace that the sandbox must own`,
      options: mount({ type }),
      path: "sys.mounts[0].type",
      words: new RegExp(`^needs ${flag} in sys.cloneflags.*EPERM`),
      sound: inUser(["CLONE_NEWNS", flag], { mounts: [{ destination: "/x", type }] }),
      kernel: [
        `maps(0); call('unshare', NEWNS); call('mount', 0, '/', 0, 0x44000, 0); call('mount', '${type}', '/tmp', '${type}', 0, 0)`,
        "EPERM",
      ],
    }),
  ),
  {
    rule: "a PID namespace that is unshared is not the one that proc shows",
    options: inUser(["CLONE_NEWNS"], {
      unshareflags: ["CLONE_NEWPID"],
      mounts: [{ destination: "/proc", type: "proc" }],
    }),
    path: "sys.mounts[0].type",
    words: /CLONE_NEWPID in sys.cloneflags/,
    kernel: [
      "maps(0); call('unshare', NEWNS | NEWPID); call('mount', 0, '/', 0, 0x44000, 0); call('mount', 'proc', '/tmp', 'proc', 0, 0)",
      "EPERM",
    ],
  },
  {
    rule: "there is no PID 1 of ours in somebody else's PID namespace",
    options: sys({ init: true }),
    path: "sys.init",
    words: /^needs CLONE_NEWPID/,
    sound: sys({ init: false }),
  },
];

const PRIVILEGES: readonly Case[] = [
  ...(["CLONE_NEWNS", "CLONE_NEWPID", "CLONE_NEWNET", "CLONE_NEWUTS", "CLONE_NEWIPC", "CLONE_NEWCGROUP"] as const).map(
    (flag): Case => ({
      rule: `${flag} needs CAP_SYS_ADMIN or a user namespace`,
      options: cloned(flag),
      by: USER,
      path: "sys.cloneflags",
      words: new RegExp(`^${flag} needs CAP_SYS_ADMIN.*clone\\(2\\): EPERM.*add CLONE_NEWUSER to sys.cloneflags`),
      sound: inUser([flag], {}, 1000),
      kernel: [`ordinary(); fork3(${flag.replace("CLONE_", "")}, 17)`, "EPERM"],
    }),
  ),
  {
    rule: "so does a namespace that is unshared",
    options: unshared("CLONE_NEWTIME"),
    by: USER,
    path: "sys.unshareflags",
    words: /^CLONE_NEWTIME needs CAP_SYS_ADMIN.*unshare\(2\): EPERM/,
    sound: sys({
      unshareflags: ["CLONE_NEWUSER", "CLONE_NEWTIME"],
      uidMappings: [map(0, 1000)],
      gidMappings: [map(0, 1000)],
    }),
    kernel: ["ordinary(); call('unshare', NEWTIME)", "EPERM"],
  },
  {
    rule: "a user namespace that comes with unshare is too late for the clone",
    options: sys({ cloneflags: ["CLONE_NEWNET"], unshareflags: ["CLONE_NEWUSER"] }),
    by: USER,
    path: "sys.cloneflags",
    words: /^CLONE_NEWNET needs CAP_SYS_ADMIN.*put it into sys.unshareflags/,
  },
  {
    rule: "who is in a chroot can't clone a user namespace",
    options: inUser([]),
    by: { chrooted: true },
    path: "sys.cloneflags",
    words: /refused to a process in a chroot.*clone\(2\): EPERM/,
    kernel: ["maps(0); call('chroot', '/proc/self'); fork3(NEWUSER, 17)", "EPERM"],
  },
  {
    rule: "who is in a chroot can't unshare a user namespace",
    options: sys({ unshareflags: ["CLONE_NEWUSER"] }),
    by: { chrooted: true },
    path: "sys.unshareflags",
    words: /refused to a process in a chroot.*unshare\(2\): EPERM/,
    kernel: ["maps(0); call('chroot', '/proc/self'); call('unshare', NEWUSER)", "EPERM"],
  },
  {
    rule: "chroot needs CAP_SYS_CHROOT",
    options: sys({ chroot: "/" }),
    by: USER,
    path: "sys.chroot",
    words: /^needs CAP_SYS_CHROOT.*chroot\(2\): EPERM/,
    sound: inUser([], { chroot: "/" }, 1000),
    kernel: ["ordinary(); call('chroot', '/')", "EPERM"],
  },
  {
    rule: "dropping capabilities needs CAP_SETPCAP",
    options: sys({ capabilities: {} }),
    by: USER,
    path: "sys.capabilities",
    words: /^needs CAP_SETPCAP.*prctl\(2\): EPERM/,
    sound: inUser([], { capabilities: {} }, 1000),
    kernel: ["ordinary(); call('prctl', 24, 60)", "EPERM"],
  },
];

const MAPS: readonly Case[] = [
  {
    rule: "both ids are mapped, or neither",
    options: sys({ cloneflags: ["CLONE_NEWUSER"], uidMappings: [map(0, 0)] }),
    path: "sys.gidMappings",
    words: /must be given too/,
    sound: cloned("CLONE_NEWUSER"),
  },
  {
    rule: "a map has at most 340 lines",
    options: inUser([], { uidMappings: Array.from({ length: 341 }, (_, i) => map(i * 2, i * 2)) }),
    path: "sys.uidMappings",
    words: /at most 340 lines/,
    sound: inUser([], { uidMappings: Array.from({ length: 340 }, (_, i) => map(i * 2, i * 2)) }),
    kernel: ["call('unshare', NEWUSER); put('/proc/self/uid_map', join('', map { \"$_ $_ 1\\n\" } 0..340))", "EINVAL"],
  },
  {
    rule: "a map is written at once, in less than a page",
    options: inUser([], {
      gidMappings: Array.from({ length: 340 }, (_, i) =>
        map(3_000_000_000 + i * 200_000, 3_000_000_000 + i * 200_000, 100_000),
      ),
    }),
    path: "sys.gidMappings",
    words: /less than a page/,
    kernel: ["call('unshare', NEWUSER); put('/proc/self/uid_map', '0 0 1' . (' ' x 70000))", "EINVAL"],
  },
  {
    rule: "a range ends with the last id",
    options: inUser([], { uidMappings: [map(0, 4_294_967_290, 6)] }),
    path: "sys.uidMappings[0].size",
    words: /hostID and size must add up to at most 4294967295, not 4294967296/,
    sound: inUser([], { uidMappings: [map(0, 4_294_967_290, 5)] }),
    kernel: ["call('unshare', NEWUSER); put('/proc/self/uid_map', '0 4294967290 6')", "EINVAL"],
  },
  {
    rule: "an id inside is mapped once",
    options: inUser([], { uidMappings: [map(10, 100, 10), map(0, 200, 11)] }),
    path: "sys.uidMappings[1].containerID",
    words: /overlaps/,
    sound: inUser([], { uidMappings: [map(10, 100, 10), map(0, 200, 10)] }),
    kernel: ["call('unshare', NEWUSER); put('/proc/self/uid_map', \"10 100 10\\n0 200 11\\n\")", "EINVAL"],
  },
  {
    rule: "an id outside is mapped once",
    options: inUser([], { gidMappings: [map(0, 100, 10), map(10, 200), map(20, 109)] }),
    path: "sys.gidMappings[2].hostID",
    words: /overlaps/,
    kernel: ["call('unshare', NEWUSER); put('/proc/self/gid_map', \"0 100 10\\n10 200 1\\n20 109 1\\n\")", "EINVAL"],
  },
  {
    rule: "without CAP_SETUID one maps oneself alone",
    options: inUser([], { uidMappings: [map(0, 1000, 2)] }, 1000),
    by: USER,
    path: "sys.uidMappings",
    words: /one line only, with hostID 1000 and size 1: without CAP_SETUID/,
    sound: inUser([], {}, 1000),
    kernel: ["ordinary(); my $u = $>; call('unshare', NEWUSER); put('/proc/self/uid_map', \"0 $u 2\")", "EPERM"],
  },
  {
    rule: "without CAP_SETGID one maps one's own group alone",
    options: inUser([], { gidMappings: [map(0, 5)] }, 1000),
    by: USER,
    path: "sys.gidMappings",
    words: /one line only, with hostID 1000 and size 1: without CAP_SETGID/,
  },
  {
    rule: "ids outside exist in our own user namespace",
    options: inUser([], { uidMappings: [map(0, 1000, 2)] }),
    by: { uidRanges: [{ first: 0, size: 1001 }] },
    path: "sys.uidMappings[0].hostID",
    words: /not mapped in your own user namespace/,
    kernel: ["maps(7); call('unshare', NEWUSER); put('/proc/self/uid_map', '0 8 1')", "EPERM"],
  },
  {
    rule: "setgroups is allowed by who may change groups",
    options: inUser([], { gidMappingsEnableSetgroups: true }, 1000),
    by: USER,
    path: "sys.gidMappingsEnableSetgroups",
    words: /^needs CAP_SETGID/,
    sound: inUser([], { gidMappingsEnableSetgroups: false }, 1000),
    kernel: ["ordinary(); my $g = $) + 0; call('unshare', NEWUSER); put('/proc/self/gid_map', \"0 $g 1\")", "EPERM"],
  },
  {
    rule: "setgroups is of no use without a map",
    options: sys({ gidMappingsEnableSetgroups: true }),
    path: "sys.gidMappingsEnableSetgroups",
    words: /^needs sys.gidMappings/,
  },
];

const CREDENTIALS: readonly Case[] = [
  {
    rule: "a user inside is mapped",
    options: inUser([], { credential: { uid: 1, gid: 0 } }),
    path: "sys.credential.uid",
    words: /not mapped in the new user namespace.*add a line to sys.uidMappings/,
    sound: inUser([], { credential: { uid: 0, gid: 0 } }),
    kernel: ["maps(0); call('setresuid', 1, 1, 1)", "EINVAL"],
  },
  {
    rule: "nobody is mapped without maps",
    options: sys({ cloneflags: ["CLONE_NEWUSER"], credential: { uid: 0, gid: 0 } }),
    path: "sys.credential.gid",
    words: /not mapped in the new user namespace/,
    kernel: ["call('unshare', NEWUSER); call('setresgid', 0, 0, 0)", "EINVAL"],
  },
  {
    rule: "groups inside are mapped",
    options: inUser([], { gidMappingsEnableSetgroups: true, credential: { uid: 0, gid: 0, groups: [0, 7] } }),
    path: "sys.credential.groups[1]",
    words: /not mapped in the new user namespace.*sys.gidMappings/,
    sound: inUser([], { gidMappingsEnableSetgroups: true, credential: { uid: 0, gid: 0, groups: [0] } }),
  },
  {
    rule: "a user exists in our own user namespace",
    options: sys({ credential: { uid: 5, gid: 0 } }),
    by: { uidRanges: [{ first: 0, size: 5 }] },
    path: "sys.credential.uid",
    words: /not mapped in your user namespace/,
  },
  {
    rule: "another user needs CAP_SETUID",
    options: sys({ credential: { uid: 0, gid: 1000, noSetGroups: true } }),
    by: USER,
    path: "sys.credential.uid",
    words: /^needs CAP_SETUID.*you may only be 1000 \(setresuid\(2\): EPERM\)/,
    sound: sys({ credential: { uid: 1000, gid: 1000, noSetGroups: true } }),
    kernel: ["ordinary(); call('setresuid', 0, 0, 0)", "EPERM"],
  },
  {
    rule: "the saved user may be had back without a capability",
    options: sys({ credential: { uid: 7, gid: 8, noSetGroups: true } }),
    by: { ...USER, uids: [1000, 1000, 7], gids: [1000] },
    path: "sys.credential.gid",
    words: /^needs CAP_SETGID.*you may only be 1000/,
    sound: sys({ credential: { uid: 7, gid: 1000, noSetGroups: true } }),
  },
  {
    rule: "no list of groups is set without CAP_SETGID, not even an empty one",
    options: sys({ credential: { uid: 1000, gid: 1000 } }),
    by: USER,
    path: "sys.credential.noSetGroups",
    words: /must be true: setgroups\(2\) needs CAP_SETGID/,
    kernel: ["ordinary(); call('setgroups', 0, 0)", "EPERM"],
  },
  {
    rule: "groups can't be set where the maps deny it",
    options: inUser([], { credential: { uid: 0, gid: 0, groups: [0] } }),
    path: "sys.credential.groups",
    words: /denies setgroups\(2\).*set noSetGroups, or sys.gidMappingsEnableSetgroups/,
    sound: inUser([], { credential: { uid: 0, gid: 0, groups: [] } }),
    kernel: ["maps(0); call('setgroups', 0, 0)", "EPERM"],
  },
  {
    rule: "groups can't be set and left",
    options: sys({ credential: { uid: 0, gid: 0, groups: [1], noSetGroups: true } }),
    path: "sys.credential.groups",
    words: /excludes noSetGroups/,
  },
  {
    rule: "groups can't be set where our own user namespace denies it",
    options: sys({ credential: { uid: 0, gid: 0 } }),
    by: { setgroups: false },
    path: "sys.credential.noSetGroups",
    words: /your own user namespace denies setgroups/,
  },
];

const CAPS: readonly Case[] = [
  {
    rule: "what is effective is permitted",
    options: sys({ capabilities: { effective: ["CAP_KILL"] } }),
    path: "sys.capabilities.effective[0]",
    words: /CAP_KILL must be in permitted too.*capset\(2\): EPERM/,
    sound: sys({ capabilities: { effective: ["CAP_KILL"], permitted: ["CAP_KILL"] } }),
    kernel: ["maps(0); caps(0x20, 0x10, 0)", "EPERM"],
  },
  {
    rule: "nobody permits himself more",
    options: sys({ capabilities: { permitted: ["CAP_KILL"] } }),
    by: { permitted: new Set<never>() },
    path: "sys.capabilities.permitted[0]",
    words: /CAP_KILL is not permitted to you/,
    sound: inUser([], { capabilities: { permitted: ["CAP_KILL"] } }),
    kernel: ["ordinary(); caps(0, 0x20, 0)", "EPERM"],
  },
  {
    rule: "what is inheritable is in the bounding set",
    options: inUser([], { capabilities: { inheritable: ["CAP_KILL"], bounding: ["CAP_CHOWN"] } }),
    path: "sys.capabilities.inheritable[0]",
    words: /CAP_KILL must be in bounding too/,
    sound: inUser([], { capabilities: { inheritable: ["CAP_KILL"], bounding: ["CAP_KILL"] } }),
    kernel: ["maps(0); call('prctl', 24, 5); caps(0, 0x20, 0x20)", "EPERM"],
  },
  {
    rule: "what is ambient is permitted",
    options: inUser([], { ambientCaps: ["CAP_KILL"], capabilities: { bounding: ["CAP_KILL"] } }),
    path: "sys.ambientCaps[0]",
    words: /CAP_KILL must be in sys.capabilities.permitted too/,
    sound: inUser([], { ambientCaps: ["CAP_KILL"], capabilities: { bounding: ["CAP_KILL"], permitted: ["CAP_KILL"] } }),
    kernel: ["maps(0); caps(0, 0x10, 0x30); call('prctl', 47, 2, 5, 0, 0)", "EPERM"],
  },
  {
    rule: "what is ambient is in the bounding set",
    options: inUser([], { ambientCaps: ["CAP_KILL"], capabilities: { permitted: ["CAP_KILL"] } }),
    path: "sys.ambientCaps[0]",
    words: /CAP_KILL must be in sys.capabilities.bounding too/,
  },
  {
    rule: "an ordinary user has nothing to make ambient",
    options: sys({ ambientCaps: ["CAP_KILL"] }),
    by: USER,
    path: "sys.ambientCaps[0]",
    words: /CAP_KILL is not permitted to you/,
    sound: inUser([], { ambientCaps: ["CAP_KILL"] }, 1000),
    kernel: ["ordinary(); call('prctl', 47, 2, 5, 0, 0)", "EPERM"],
  },
];

const SESSIONS: readonly Case[] = [
  {
    rule: "only a session leader takes a controlling terminal",
    options: { stdio: ["inherit"], sys: { setctty: true } },
    path: "sys.setctty",
    words: /needs sys.setsid/,
    sound: { stdio: ["inherit"], sys: { setctty: true, setsid: true } },
    kernel: ["call('ioctl', pty(), 0x540e, 0)", "EPERM"],
  },
  {
    rule: "a new session's leader is in the foreground anyway",
    options: { stdio: [0], sys: { setctty: true, setsid: true, foreground: true, ctty: 0 } },
    path: "sys.foreground",
    words: /excludes sys.setctty/,
  },
  {
    rule: "a new session is not in the foreground of another's terminal",
    options: { stdio: [0], sys: { setsid: true, foreground: true, ctty: 0 } },
    path: "sys.foreground",
    words: /excludes sys.setsid.*ENOTTY/,
    sound: { stdio: [0], sys: { foreground: true, ctty: 0 } },
    kernel: ["call('setsid'); io(pty(), 0x5410)", "ENOTTY"],
  },
  { rule: "foreground needs a terminal", options: sys({ foreground: true }), path: "sys.ctty", words: /must be given/ },
  { rule: "ctty is for something", options: sys({ ctty: 0 }), path: "sys.ctty", words: /needs sys.setctty/ },
  {
    rule: "a pipe is no controlling terminal",
    options: sys({ setctty: true, setsid: true }),
    path: "sys.ctty",
    words: /fd 0 of the child is 'pipe'/,
    kernel: ["call('setsid'); pipe(my $r, my $w); call('ioctl', fileno($r), 0x540e, 0)", "ENOTTY"],
  },
  {
    rule: "the controlling terminal is open in the child",
    options: { stdio: ["inherit"], sys: { setctty: true, setsid: true, ctty: 1 } },
    path: "sys.ctty",
    words: /fd 1 of the child is not open/,
  },
  {
    rule: "a pipe has no foreground",
    options: { stdio: [0, "pipe"], sys: { foreground: true, ctty: 1 } },
    path: "sys.ctty",
    words: /fd 1 of the child is 'pipe'.*ENOTTY/,
    sound: { stdio: [0, "pipe"], sys: { foreground: true, ctty: 2 } },
  },
  {
    rule: "a terminal of its own is fds 0, 1 and 2",
    options: { terminal: { columns: 80, rows: 24 }, sys: { ctty: 3 } },
    path: "sys.ctty",
    words: /0, 1 or 2/,
    sound: { terminal: { columns: 80, rows: 24 }, sys: { ctty: 2, setsid: true } },
  },
  { rule: "a group is named to be joined", options: sys({ pgid: 1 }), path: "sys.pgid", words: /needs sys.setpgid/ },
  {
    rule: "a group outside has no number in a new PID namespace",
    options: inUser(["CLONE_NEWPID"], { setpgid: true, pgid: 4000 }),
    path: "sys.pgid",
    words: /must be 0 with CLONE_NEWPID.*EPERM/,
    sound: inUser(["CLONE_NEWPID"], { setpgid: true }),
    kernel: [
      "my $g = getpgrp; maps(0); call('unshare', NEWPID); if (my $p = fork) { waitpid $p, 0; exit } call('setpgid', 0, $g)",
      "EPERM",
    ],
  },
  {
    rule: "a session leader stays in its group",
    options: sys({ setsid: true, setpgid: true }),
    path: "sys.setpgid",
    words: /excludes sys.setsid.*setpgid\(2\): EPERM/,
    kernel: ["call('setsid'); call('setpgid', 0, 0)", "EPERM"],
  },
  {
    rule: "so does the leader of a terminal's session",
    options: { terminal: { columns: 80, rows: 24 }, sys: { setpgid: true } },
    path: "sys.setpgid",
    words: /excludes terminal/,
  },
  {
    rule: "a terminal's session is in its foreground",
    options: { terminal: { columns: 80, rows: 24 }, sys: { foreground: true, ctty: 0 } },
    path: "sys.foreground",
    words: /excludes terminal/,
  },
  {
    rule: "a controlling terminal is not taken and given up at once",
    options: { terminal: { columns: 80, rows: 24 }, sys: { noctty: true } },
    path: "sys.noctty",
    words: /excludes sys.setctty and terminal/,
  },
  {
    rule: "a new session has no terminal to give up",
    options: { stdio: [0], sys: { setsid: true, noctty: true } },
    path: "sys.noctty",
    words: /excludes sys.setsid/,
    sound: { stdio: [0], sys: { noctty: true } },
    kernel: ["call('setsid'); call('ioctl', pty(), 0x5422, 0)", "ENOTTY"],
  },
  {
    rule: "a terminal is given up through fd 0",
    options: { stdio: "ignore", sys: { noctty: true } },
    path: "sys.noctty",
    words: /needs the terminal as the child's fd 0/,
    kernel: ["call('ioctl', 0, 0x5422, 0)", "ENOTTY"],
  },
  {
    rule: "a terminal is in the place of stdio",
    options: { terminal: { columns: 80, rows: 24 }, stdio: "pipe" },
    path: "stdio",
    words: /excludes terminal/,
  },
];

const LIMITS: readonly Case[] = [
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

const MOUNTS: readonly Case[] = [
  { rule: "a mount has a type", options: mount({}), path: "sys.mounts[0].type", words: /must be given/ },
  {
    rule: "a bind has a source",
    options: mount({ type: "bind" }),
    path: "sys.mounts[0].source",
    words: /must be given for a bind/,
    sound: mount({ source: "/tmp", options: ["rbind", "ro", "nosuid", "nofollow", "optional"] }),
  },
  {
    rule: "a symlink has a text",
    options: mount({ type: "symlink" }),
    path: "sys.mounts[0].source",
    words: /must be given for a symlink/,
  },
  {
    rule: "a file has data and no source",
    options: mount({ type: "file", source: "/etc/passwd" }),
    path: "sys.mounts[0].source",
    words: /not for a file.*use type bind/,
    sound: mount({ type: "file", mode: 0o600 }),
  },
  {
    rule: "a dir has no source",
    options: mount({ type: "dir", source: "/x" }),
    path: "sys.mounts[0].source",
    words: /not for a dir/,
  },
  {
    rule: "a bind has no data",
    options: mount({ source: "/", data: "x" }),
    path: "sys.mounts[0].data",
    words: /content of a file/,
  },
  {
    rule: "a bind keeps its mode",
    options: mount({ source: "/", mode: 0 }),
    path: "sys.mounts[0].mode",
    words: /not for bind/,
  },
  ...["/", "//", "/./"].map(
    (destination): Case => ({
      rule: `a mount can't be on the root (${destination})`,
      options: mount({ destination, type: "tmpfs" }),
      path: "sys.mounts[0].destination",
      words: /below the root/,
    }),
  ),
  {
    rule: "a mount is on a name",
    options: mount({ destination: "/a/..b/..", type: "tmpfs" }),
    path: "sys.mounts[0].destination",
    words: /must end in a name/,
    sound: mount({ destination: "/a/../b/...", type: "tmpfs" }),
  },
  {
    rule: "a dir has no options that would be dropped",
    options: mount({ type: "dir", options: ["ro"] }),
    path: "sys.mounts[0].options",
    words: /not for a dir/,
  },
  {
    rule: "a bind has no option that would be dropped",
    options: mount({ source: "/", options: ["ro", "nosiud"] }),
    path: "sys.mounts[0].options",
    words: /"nosiud" is no option of a bind \(did you mean "nosuid"\?\)/,
  },
  {
    rule: "an option of binds is for binds",
    options: mount({ type: "tmpfs", options: ["rbind"] }),
    path: "sys.mounts[0].options",
    words: /"rbind" is for binds, not for tmpfs/,
    sound: mount({ type: "tmpfs", options: ["size=1m", "ro", "nr_inodes=9"], mode: 0o700 }),
  },
  {
    rule: "options don't contradict each other",
    options: mount({ source: "/", options: ["rw", "ro"] }),
    path: "sys.mounts[0].options",
    words: /ro and rw contradict each other/,
  },
  {
    rule: "an option's value has 255 bytes",
    options: mount({ type: "overlay", options: [`lowerdir=/${"x".repeat(255)}`] }),
    path: "sys.mounts[0].options",
    words: /values of at most 255/,
    kernel: [
      "maps(0); call('unshare', NEWNS); my $f = call('fsopen', 'tmpfs', 0); call('fsconfig', $f, 1, 'size', 'x' x 256, 0)",
      "EINVAL",
    ],
  },
  {
    rule: "an overlay lies over something",
    options: mount({ type: "overlay" }),
    path: "sys.mounts[0].options",
    words: /must have lowerdir=/,
    sound: mount({ type: "overlay", options: ["lowerdir=/a:/b"] }),
  },
  {
    rule: "an overlay that is written to has a place to work in",
    options: mount({ type: "overlay", options: ["lowerdir=/a", "upperdir=/b"] }),
    path: "sys.mounts[0].options",
    words: /must have workdir=/,
    sound: mount({ type: "overlay", options: ["lowerdir=/a", "upperdir=/b", "workdir=/c"] }),
  },
  {
    rule: "the root is not masked",
    options: inUser(["CLONE_NEWNS"], { maskedPaths: ["/a", "/"] }),
    path: "sys.maskedPaths[1]",
    words: /root itself/,
  },
  {
    rule: "the root is made read-only by name",
    options: inUser(["CLONE_NEWNS"], { readonlyPaths: ["/"] }),
    path: "sys.readonlyPaths[0]",
    words: /sys.rootfs.readonly/,
  },
  {
    rule: "options of a root need a path",
    options: inUser(["CLONE_NEWNS"], { rootfs: { options: ["nosuid"] } }),
    path: "sys.rootfs.options",
    words: /with a path/,
    sound: inUser(["CLONE_NEWNS"], { rootfs: { path: "/", options: ["nosuid"] } }),
  },
];

const NET = { fdTarget: () => "net:[4026531840]" };
const join = (nstype: string[], more: object = {}): { sys: object } => sys({ setns: [{ fd: 3, nstype }], ...more });

const JOINS: readonly Case[] = [
  { rule: "a join is of something", options: join([]), path: "sys.setns[0].nstype", words: /at least one/ },
  {
    rule: "only namespaces are joined",
    options: join(["CLONE_IO"]),
    path: "sys.setns[0].nstype",
    words: /"CLONE_IO" is no namespace/,
    kernel: ["call('setns', fd('/proc/self/ns/net'), IO)", "EINVAL"],
  },
  {
    rule: "a namespace is joined once",
    options: join(["CLONE_NEWNS", "CLONE_NEWNS"]),
    path: "sys.setns[0].nstype",
    words: /twice/,
  },
  {
    rule: "what is joined is open",
    options: join(["CLONE_NEWNET"]),
    by: { fdTarget: () => undefined },
    path: "sys.setns[0].fd",
    words: /not open.*EBADF/,
    kernel: ["call('setns', 999, NEWNET)", "EBADF"],
  },
  {
    rule: "what is joined is a namespace or a process",
    options: join(["CLONE_NEWNET"]),
    by: { fdTarget: () => "/etc/passwd" },
    path: "sys.setns[0].fd",
    words: /must be a pidfd or a namespace.*is \/etc\/passwd.*EINVAL/,
    kernel: ["call('setns', fd('/etc/passwd'), NEWNET)", "EINVAL"],
  },
  {
    rule: "a namespace's fd is of its own kind",
    options: join(["CLONE_NEWUTS"]),
    by: NET,
    path: "sys.setns[0].nstype",
    words: /the one namespace that fd is, a net namespace.*EINVAL/,
    kernel: ["call('setns', fd('/proc/self/ns/net'), NEWUTS)", "EINVAL"],
  },
  {
    rule: "one PID namespace is joined",
    options: sys({
      setns: [
        { fd: 3, nstype: ["CLONE_NEWPID"] },
        { fd: 4, nstype: ["CLONE_NEWPID"] },
      ],
    }),
    path: "sys.setns[1].nstype",
    words: /second PID namespace/,
  },
  {
    rule: "a PID namespace is joined or made",
    options: join(["CLONE_NEWPID"], { cloneflags: ["CLONE_NEWPID"] }),
    path: "sys.setns",
    words: /born in one/,
  },
  {
    rule: "a PID namespace is joined or unshared",
    options: join(["CLONE_NEWPID"], { unshareflags: ["CLONE_NEWPID"] }),
    path: "sys.setns",
    words: /born in one/,
    kernel: [
      "maps(0); my $n = fd('/proc/self/ns/pid'); call('unshare', NEWPID); unless (fork) { sleep 1; exit } call('setns', fd('/proc/self/ns/pid_for_children'), NEWPID); call('unshare', NEWPID)",
      "EINVAL",
    ],
  },
  {
    rule: "who made a user namespace has no rights in what others own",
    options: join(["CLONE_NEWNET"], { cloneflags: ["CLONE_NEWUSER"] }),
    path: "sys.setns",
    words: /excludes CLONE_NEWUSER in sys.cloneflags.*EPERM/,
    kernel: ["my $n = fd('/proc/self/ns/net'); maps(0); call('setns', $n, NEWNET)", "EPERM"],
  },
  {
    rule: "a namespace is not made to be left at once",
    options: join(["CLONE_NEWUTS"], { cloneflags: ["CLONE_NEWUTS"], hostname: "x" }),
    path: "sys.setns[0].nstype",
    words: /CLONE_NEWUTS is in sys.cloneflags too/,
  },
  {
    rule: "joining needs CAP_SYS_ADMIN, or the user namespace first",
    options: sys({
      setns: [
        { fd: 3, nstype: ["CLONE_NEWNET"] },
        { fd: 4, nstype: ["CLONE_NEWUSER", "CLONE_NEWUTS"] },
      ],
    }),
    by: USER,
    path: "sys.setns[0].nstype",
    words: /needs CAP_SYS_ADMIN.*join the target's CLONE_NEWUSER first/,
    kernel: ["ordinary(); call('setns', fd('/proc/self/ns/uts'), NEWUTS)", "EPERM"],
  },
];

const TRACING: readonly Case[] = [
  {
    rule: "a tracer traces its own child",
    options: inUser(["CLONE_NEWPID"], { ptrace: true }),
    path: "sys.ptrace",
    words: /excludes a PID 1 before the command.*Set sys.init to false/,
  },
  {
    rule: "a tracer traces no grandchild that is born inside",
    options: join(["CLONE_NEWPID"], { ptrace: true }),
    path: "sys.ptrace",
    words: /excludes joining CLONE_NEWPID/,
  },
  {
    rule: "who may not be traced is not traced",
    options: sys({ cloneflags: ["CLONE_UNTRACED"], ptrace: true }),
    path: "sys.ptrace",
    words: /excludes CLONE_UNTRACED/,
  },
];

/** By subject, as in src/spawner/rules. */
export const CASES: Readonly<Record<string, readonly Case[]>> = {
  flags: FLAGS,
  namespaces: NAMESPACES,
  joins: JOINS,
  tracing: TRACING,
  privileges: PRIVILEGES,
  "id maps": MAPS,
  credentials: CREDENTIALS,
  "capability sets": CAPS,
  sessions: SESSIONS,
  limits: LIMITS,
  mounts: MOUNTS,
};
