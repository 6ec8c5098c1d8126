// Whether a sandbox can have a cgroup of its own, and each limit that takes a controller: found as probe() finds the
// kernel's features, by making one, starting a process in it and removing it again.

import { launch } from "../../spawner/spawn";
import type { Feature } from "../../spawner/types";
import { makeCgroup, type SandboxCgroup } from "../cgroups";
import { SandboxError } from "../errors";
import type { Limits } from "../schema";

/** The least of each limit that lets a process that ends at once do so. */
const CONTROLLERS: readonly (readonly [feature: string, limits: Limits])[] = [
  ["memory controller", { memory: "64M" }],
  ["pids controller", { pids: 16 }],
  ["cpu controller", { cpus: 1 }],
  ["io controller", { ioWeight: 50 }],
];

async function startIn(cgroup: SandboxCgroup): Promise<void> {
  try {
    const child = await launch("exit", { stdio: "ignore", sys: { cgroupFD: cgroup.fd } });
    await child.exited;
  } finally {
    await cgroup.remove();
  }
}

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : "ENOTSUP";
}

async function attempt(feature: string, limits: Limits): Promise<Feature> {
  try {
    const cgroup = await makeCgroup(limits);
    if (cgroup === undefined) return { feature, available: false, errno: "EACCES" };
    await startIn(cgroup);
    return { feature, available: true };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const remedy = error instanceof SandboxError ? error.remedy : undefined;
    const reason = error.message.replace(remedy ?? "", "").trim();
    // A controller that is not there has no errno: the kernel was not even asked.
    return {
      feature,
      available: false,
      ...(error instanceof SandboxError ? {} : { errno: codeOf(error) }),
      reason,
      ...(remedy === undefined ? {} : { remedy }),
    };
  }
}

/** @param onTried called after each */
export async function probeCgroups(onTried: (feature: Feature) => void): Promise<Feature[]> {
  const controllers: Feature[] = [];
  for (const [feature, limits] of CONTROLLERS) controllers.push(await attempt(feature, limits));
  // The search for a controller may have got us a cgroup, from systemd, that was not there to be had before.
  const own = controllers.some(({ available }) => available)
    ? { feature: "cgroup", available: true }
    : await attempt("cgroup", {});
  const features = [own, ...controllers];
  for (const feature of features) onTried(feature);
  return features;
}
