// For each feature that probe() tries: what sandboxes use it for, what can't be had without it, and since when the kernel
// has it. Keyed by the names of features, so that one without an entry does not compile.

import type { FeatureName } from "../../spawner/features";

export interface Entry {
  readonly use: string;
  /** What can't be had without it, in the keys of a profile or in words. */
  readonly costs: string;
  /** Whether the profile `build` needs it. */
  readonly needed: boolean;
  /** The first Linux that has it as we use it. */
  readonly since: readonly [major: number, minor: number];
  /** What a kernel must have been built with. */
  readonly config?: string;
}

export const EVERY_PROFILE = "every profile";

const BY_EVERYBODY = { costs: EVERY_PROFILE, needed: true } as const;

export const ENTRIES: { readonly [K in FeatureName]: Entry } = {
  "process with a pidfd": {
    use: "starts a process and signals it without ever missing it",
    ...BY_EVERYBODY,
    since: [5, 2],
  },
  "user namespace": {
    use: "makes everything below possible without the super-user's rights",
    ...BY_EVERYBODY,
    since: [3, 8],
    config: "CONFIG_USER_NS",
  },
  "id maps": { use: "your files stay yours in the sandbox", ...BY_EVERYBODY, since: [3, 8] },
  "mount namespace": { use: "a file system view of its own", ...BY_EVERYBODY, since: [3, 8] },
  "pid namespace": {
    use: "no process outside is seen, all inside end together",
    ...BY_EVERYBODY,
    since: [3, 8],
    config: "CONFIG_PID_NS",
  },
  "PID 1 of our own": { use: "reaps, forwards signals, ends with the command", ...BY_EVERYBODY, since: [3, 19] },
  "network namespace with loopback": {
    use: "no network but its own loopback",
    costs: 'every profile but those with network: "host" (install)',
    needed: true,
    since: [3, 8],
    config: "CONFIG_NET_NS",
  },
  "uts namespace": { use: "a host name of its own", ...BY_EVERYBODY, since: [3, 8], config: "CONFIG_UTS_NS" },
  "ipc namespace": {
    use: "no shared memory or queues with programs outside",
    ...BY_EVERYBODY,
    since: [3, 8],
    config: "CONFIG_IPC_NS",
  },
  "cgroup namespace": {
    use: "its own cgroup looks like the root",
    ...BY_EVERYBODY,
    since: [4, 6],
    config: "CONFIG_CGROUPS",
  },
  "time namespace": {
    use: "clocks with an offset",
    costs: 'namespaces: [..., "time"]',
    needed: false,
    since: [5, 6],
    config: "CONFIG_TIME_NS",
  },
  "recursive read-only root": { use: "the host's files can't be changed", ...BY_EVERYBODY, since: [5, 2] },
  "proc file system": { use: "/proc shows the sandbox's processes only", ...BY_EVERYBODY, since: [5, 2] },
  "devices and terminals": { use: "a /dev and terminals of its own", ...BY_EVERYBODY, since: [5, 2] },
  "overlay in a user namespace": {
    use: "changes go to a layer that can be thrown away",
    costs: 'filesystem.workspace: "copy-on-write", filesystem.caches: "private"',
    needed: false,
    since: [5, 11],
    config: "CONFIG_OVERLAY_FS",
  },
  no_new_privs: { use: "sudo and the like gain nothing", ...BY_EVERYBODY, since: [3, 5] },
  "session keyring": {
    use: "keys of your session stay outside",
    ...BY_EVERYBODY,
    since: [2, 6],
    config: "CONFIG_KEYS",
  },
  "joining namespaces": {
    use: "a second program in a running sandbox",
    costs: "Open Terminal Inside",
    needed: false,
    since: [5, 8],
  },
  "seccomp filter": {
    use: "dangerous system calls are refused",
    costs: 'every profile but those with seccomp: "off"',
    needed: true,
    since: [3, 17],
    config: "CONFIG_SECCOMP_FILTER",
  },
  "seccomp notification": {
    use: "the kernel tells what the filter refused",
    costs: "denials of system calls are not listed",
    needed: false,
    since: [5, 5],
    config: "CONFIG_SECCOMP_FILTER",
  },
  Landlock: {
    use: "a second wall around files and network",
    costs: 'the second wall that landlock: "on" asks for',
    needed: false,
    // There since 5.13; before 5.19 it forbids every rename across folders, and so no profile uses it.
    since: [5, 19],
    config: "CONFIG_SECURITY_LANDLOCK",
  },
  cgroup: {
    use: "limits, pause and end of a sandbox as a whole",
    costs: "limits.memory, limits.swap, limits.pids, limits.cpus, limits.ioWeight",
    needed: false,
    since: [5, 7],
    config: "CONFIG_CGROUPS",
  },
  "memory controller": {
    use: "a limit of memory",
    costs: "limits.memory, limits.swap",
    needed: false,
    since: [4, 5],
    config: "CONFIG_MEMCG",
  },
  "pids controller": {
    use: "a limit of processes",
    costs: "limits.pids",
    needed: false,
    since: [4, 5],
    config: "CONFIG_CGROUP_PIDS",
  },
  "cpu controller": {
    use: "a share of the processors",
    costs: "limits.cpus",
    needed: false,
    since: [4, 15],
    config: "CONFIG_CFS_BANDWIDTH",
  },
  "io controller": {
    use: "a share of the disks",
    costs: "limits.ioWeight",
    needed: false,
    since: [4, 5],
    config: "CONFIG_BLK_CGROUP",
  },
};

/** Of a feature that a newer probe() tries and that has no entry here yet. */
export function entryOf(feature: string): Entry | undefined {
  return Object.hasOwn(ENTRIES, feature) ? ENTRIES[feature as FeatureName] : undefined;
}
