// A profile, a command and the facts of the machine become spawn options. Pure: looks at nothing, runs nothing.

import type { CloneFlag, Mount, SpawnOptions, SysProcAttr } from "../spawner/types";
import { OF_NETWORK } from "./capabilities";
import { commandOptions, ownSession } from "./command-options";
import { ProfileError } from "./errors";
import type { HostFacts } from "./host";
import { guardedPaths, layout, type Place, placeOf } from "./layout";
import { holdsOthers, maskedPaths } from "./masks";
import { rlimits, workingDirectory } from "./process-options";
import { parseDuration } from "./quantities";
import type { NamespaceName, ResolvedProfile } from "./schema";
import { filterOf } from "./seccomp/rule";
import type { RunContext, SandboxCommand } from "./types";
import { landlockOf } from "./wall";

const FLAGS: Readonly<Record<NamespaceName, CloneFlag>> = {
  user: "CLONE_NEWUSER",
  mount: "CLONE_NEWNS",
  pid: "CLONE_NEWPID",
  ipc: "CLONE_NEWIPC",
  uts: "CLONE_NEWUTS",
  cgroup: "CLONE_NEWCGROUP",
  net: "CLONE_NEWNET",
  time: "CLONE_NEWTIME",
};

/** What is read-only in every OCI container. */
const READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/** Namespaces without which nothing that a profile promises about files and about the end of a sandbox can be kept. */
const NEEDED: readonly (readonly [NamespaceName, string])[] = [
  ["user", "without it the sandbox would need the super-user's rights"],
  ["mount", "without it no path can be hidden"],
  ["pid", "without it the sandbox's processes can't be ended together"],
];

function cloneflags(profile: ResolvedProfile): CloneFlag[] {
  const { namespaces, network } = profile;
  const refuse = (message: string): never => {
    throw new ProfileError([{ path: "namespaces", message }]);
  };
  for (const [name, why] of namespaces ? NEEDED : []) {
    if (!namespaces?.includes(name)) {
      refuse(`"${name}" can't be left out: ${why}`);
    }
  }
  if (namespaces && namespaces.includes("net") === (network === "host")) {
    refuse(
      network === "host"
        ? '"net" can\'t be new with network "host": a new network namespace has no way out. Leave one of them out'
        : `"net" is needed for network "${network}": add it, or set network to "host"`,
    );
  }
  const all: readonly NamespaceName[] = [
    "user",
    "mount",
    "pid",
    "ipc",
    "uts",
    "cgroup",
    ...(network === "host" ? [] : (["net"] as const)),
  ];
  return (namespaces ?? all).map((name) => FLAGS[name]);
}

/**
 * 'nofollow': the sources are real paths, so a link in one was put there since, by a task that runs at the same time, to
 * have something else mounted.
 */
const BIND_OPTIONS = ["nosuid", "nodev", "nofollow"];

/** The file systems of the kernel and of the sandbox's own, which every sandbox has. */
const OWN_MOUNTS: readonly Mount[] = [
  { destination: "/proc", type: "proc", options: ["nosuid", "nodev", "noexec"] },
  { destination: "/dev", type: "dev" },
];

const KERNEL_OPTIONS = ["ro", "nosuid", "nodev", "noexec", "optional"];

/**
 * A new /sys for a new network namespace: the host's shows the host's interfaces, with their addresses. Where the kernel
 * refuses it, in containers whose /sys is partly masked, the host's stays, read-only.
 */
const NETWORK_MOUNTS: readonly Mount[] = [{ destination: "/sys", type: "sysfs", options: KERNEL_OPTIONS }];

/**
 * The host's cgroups are covered. Programs look up their limits in their own (a Java machine sizes its heap by it), so that
 * is shown: the root of the sandbox's cgroup namespace is the sandbox's cgroup, or where it has none the editor's. Not where
 * that is the root of all, as everything else would be below it. ("optional": a kernel without cgroups has no such folder.)
 */
function cgroupMounts(flags: readonly CloneFlag[], { cgroup, inRootCgroup }: HostFacts): Mount[] {
  const destination = "/sys/fs/cgroup";
  const isOwn = flags.includes("CLONE_NEWCGROUP") && (cgroup !== undefined || !inRootCgroup);
  return [
    { destination, type: "tmpfs", options: KERNEL_OPTIONS, mode: 0o555 },
    ...(isOwn ? [{ destination, type: "cgroup2", options: KERNEL_OPTIONS } as const] : []),
  ];
}

/**
 * Where old hierarchies are mounted beside cgroup2, a new cgroup namespace sees their roots as "/../..", and Java up to 18
 * fails on that, with a NullPointerException in all that asks for the machine's memory, as Gradle does (JDK-8286212). So
 * it is told that no controller is on, which is what the sandbox can see of them; cgroups(7), /proc/cgroups.
 */
const NO_CONTROLLERS = ["#subsys_name\thierarchy\tnum_cgroups\tenabled"]
  .concat(["cpuset", "cpu", "cpuacct", "blkio", "memory", "pids"].map((name) => `${name}\t0\t1\t0`))
  .join("\n");

function oldCgroupMounts(flags: readonly CloneFlag[], { inOldCgroups }: HostFacts): Mount[] {
  if (!inOldCgroups || !flags.includes("CLONE_NEWCGROUP")) return [];
  const source = "/dev/.cgroups";
  return [
    { destination: source, type: "file", data: `${NO_CONTROLLERS}\n`, mode: 0o444 },
    { destination: "/proc/cgroups", type: "bind", source, options: ["inside", "ro", "nosuid", "nodev", "noexec"] },
  ];
}

function tmpfsMode(path: string, facts: HostFacts): number {
  if (facts.temporaryFolders.includes(path)) {
    return 0o1777;
  }
  return path === facts.home ? 0o700 : 0o755;
}

function mountOf(place: Place, facts: HostFacts): Mount {
  const { path, access, source = path } = place;
  switch (access) {
    case "private":
    case "hidden":
      return { destination: path, type: "tmpfs", options: ["nosuid", "nodev"], mode: tmpfsMode(path, facts) };
    case "link":
      return { destination: path, type: "symlink", source };
    case "read":
      return { destination: path, type: "bind", source, options: ["rbind", "ro", ...BIND_OPTIONS] };
    case "copy":
      return { destination: path, type: "copy-on-write", source, options: BIND_OPTIONS };
    case "keep":
      if (place.source === undefined) {
        return { destination: path, type: "bind", source, options: ["rbind", "inside", "nosuid", "nodev"] };
      }
      return { destination: path, type: "bind", source, options: ["rbind", "rw", ...BIND_OPTIONS] };
    case "write":
      return { destination: path, type: "bind", source, options: ["rbind", "rw", ...BIND_OPTIONS] };
  }
}

/** A bind and not a read-only path, because it must exist: one that has vanished since would be left unguarded. */
function guardMount({ path, kind }: { path: string; kind: string }): Mount[] {
  if (kind === "missing") return [];
  return [{ destination: path, type: "bind", source: path, options: ["rbind", "ro", ...BIND_OPTIONS] }];
}

/** Every set, so that they outlive an execve of a program that has none of its own (capabilities(7), ambient). */
function capabilities({
  capabilities: granted,
  network,
}: ResolvedProfile): Pick<SysProcAttr, "capabilities" | "ambientCaps"> {
  const worthless = network === "host" ? granted.findIndex((name) => OF_NETWORK.includes(name)) : -1;
  if (worthless >= 0) {
    throw new ProfileError([
      {
        path: `capabilities[${worthless}]`,
        message: `${granted[worthless]} allows nothing with network "host": that network is not the sandbox's own. Leave it out, or set network to "loopback"`,
      },
    ]);
  }
  const set = [...granted];
  return {
    capabilities: { bounding: set, effective: set, permitted: set, inheritable: set },
    ...(set.length === 0 ? {} : { ambientCaps: set }),
  };
}

/** What programs find in the empty home folder: their settings without what is secret in them. */
function settingsMounts(places: readonly Place[], facts: HostFacts): Mount[] {
  return facts.settings
    .filter(({ path }) => placeOf(places, path).access === "private")
    .map(({ path, content }) => ({ destination: path, type: "file", data: content, mode: 0o600 }));
}

/**
 * Spawn options for a command under a profile.
 * @param facts from readHostFacts(context, {profile, command})
 * @throws ProfileError, SandboxError when it can't be made as asked
 */
export function compile(
  command: SandboxCommand,
  profile: ResolvedProfile,
  _context: RunContext,
  facts: HostFacts,
): SpawnOptions {
  const places = layout(profile, facts);
  const flags = cloneflags(profile);
  const masked = maskedPaths(profile, places, facts);
  const wallTime = profile.limits.wallTime === undefined ? undefined : parseDuration(profile.limits.wallTime);
  const limits = rlimits(profile, facts);
  const guarded = guardedPaths(places, facts);
  const landlock = landlockOf(profile, places, facts);
  const filter = filterOf(profile.seccomp, profile.capabilities);
  const mounted = places.filter((place) => place.access !== "hidden" || holdsOthers(place, places));
  return {
    cwd: workingDirectory(command, places, facts),
    ...commandOptions(command, profile, facts),
    ...(wallTime === undefined ? {} : { timeout: wallTime }),
    sys: {
      cloneflags: flags,
      uidMappings: [{ containerID: facts.uid, hostID: facts.uid, size: 1 }],
      gidMappings: [{ containerID: facts.gid, hostID: facts.gid, size: 1 }],
      ...ownSession(command),
      pdeathsig: "SIGKILL",
      ...(limits.length === 0 ? {} : { rlimits: limits }),
      ...(facts.cgroup === undefined ? {} : { cgroupFD: facts.cgroup }),
      ...(flags.includes("CLONE_NEWUTS") ? { hostname: "sandbox" } : {}),
      ...(flags.includes("CLONE_NEWNET") ? { loopback: profile.network === "loopback" } : {}),
      rootfs: { path: "/", readonly: true, options: ["nosuid", "nodev"] },
      mounts: [
        ...OWN_MOUNTS,
        ...(flags.includes("CLONE_NEWNET") ? NETWORK_MOUNTS : []),
        ...cgroupMounts(flags, facts),
        ...oldCgroupMounts(flags, facts),
        ...mounted.map((place) => mountOf(place, facts)),
        ...guarded.flatMap(guardMount),
        ...settingsMounts(places, facts),
      ],
      maskedPaths: masked,
      readonlyPaths: [...READ_ONLY],
      ...capabilities(profile),
      noNewPrivileges: true,
      ...(landlock === undefined ? {} : { landlock }),
      newSessionKeyring: true,
      ...(filter === undefined ? {} : { seccomp: filter }),
      init: true,
    },
  };
}
