// A profile in plain words: the `detail` of a task and the tooltip in the tree. Says what is enforced, nothing more.

import type { ResolvedProfile } from "./schema";
import { describeSeccomp } from "./seccomp/rule";

const NETWORK: Readonly<Record<ResolvedProfile["network"], string>> = {
  none: "no network",
  loopback: "no network but its own loopback",
  // Local ones too: abstract Unix sockets (X11's, D-Bus's) belong to the network namespace, unix(7).
  host: "the host's network and local services",
};

const WORKSPACE: Readonly<Record<ResolvedProfile["filesystem"]["workspace"], string>> = {
  readwrite: "workspace writable",
  readonly: "workspace read-only",
  "copy-on-write": "changes to the workspace thrown away",
};

function list(paths: readonly string[]): string {
  return paths.length <= 3 ? paths.join(", ") : `${paths.slice(0, 2).join(", ")} and ${paths.length - 2} more`;
}

/** One line: "workspace writable, host read-only, home hidden but for toolchains, no network but its own loopback". */
export function describeProfile(profile: ResolvedProfile): string {
  const { filesystem, limits, environment } = profile;
  const parts = [
    WORKSPACE[filesystem.workspace],
    "host read-only",
    "home hidden but for toolchains",
    filesystem.read.length > 0 ? `can read ${list(filesystem.read)}` : "",
    filesystem.write.length > 0 ? `can write ${list(filesystem.write)}` : "",
    filesystem.hide.length > 0 ? `can't see ${list(filesystem.hide)}` : "",
    filesystem.tmp === "shared" ? "the host's /tmp" : "",
    filesystem.caches === "writable" ? "package caches writable" : "",
    NETWORK[profile.network],
    profile.capabilities.length > 0 ? `with ${list(profile.capabilities)} inside` : "",
    profile.landlock === "off" ? "no second wall (Landlock)" : "",
    environment.inherit === "all" ? "the editor's whole environment" : "",
    describeSeccomp(profile.seccomp),
    profile.fallback === "landlock" ? "held by Landlock alone where namespaces are refused" : "",
    limits.wallTime === undefined ? "" : `ended after ${limits.wallTime}`,
    limits.memory === undefined ? "" : `at most ${limits.memory} of memory`,
    limits.swap === undefined ? "" : `and ${limits.swap} of swap`,
    limits.pids === undefined ? "" : `at most ${limits.pids} processes`,
    limits.cpus === undefined ? "" : `at most ${limits.cpus} CPUs`,
    limits.ioWeight === undefined ? "" : `disk weight ${limits.ioWeight}`,
    limits.cpuTime === undefined ? "" : `at most ${limits.cpuTime} of CPU a process`,
    limits.openFiles === undefined ? "" : `at most ${limits.openFiles} open files a process`,
    limits.fileSize === undefined ? "" : `files of at most ${limits.fileSize}`,
  ];
  return parts.filter(Boolean).join(", ");
}
