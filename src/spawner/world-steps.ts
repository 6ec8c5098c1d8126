// What fills new namespaces: names, network, the file system, clocks.

import { mountAttributes, mountSteps } from "./mount-steps";
import { about, type PlannedStep, step } from "./planned-step";
import type { SysProcAttr } from "./types";

function rootSteps(sys: SysProcAttr, newIpc: boolean): PlannedStep[] {
  const { rootfs, mounts = [], maskedPaths = [], readonlyPaths = [] } = sys;
  const steps: PlannedStep[] = [];
  if (rootfs?.path !== undefined) {
    const options = [...(rootfs.options ?? []), ...(rootfs.readonly === true ? ["ro"] : [])];
    const how = options.length > 0 ? ` (${options.join(",")})` : "";
    steps.push(
      about(
        rootfs.path,
        step("root_bind", "rootfs", `${rootfs.path}, recursively${how}`, rootfs.path, mountAttributes(options)),
      ),
    );
  } else if (rootfs !== undefined) {
    steps.push(step("root_tmpfs", "rootfs", "a fresh tmpfs", ["mode=755"]));
  }
  steps.push(...mounts.flatMap((mount) => mountSteps(mount, newIpc)));
  steps.push(...maskedPaths.map((path) => about(path, step("mask", "mask", path, path))));
  steps.push(...readonlyPaths.map((path) => about(path, step("readonly", "read-only", path, path))));
  if (rootfs !== undefined) {
    if (rootfs.path === undefined && rootfs.readonly === true) {
      steps.push(step("root_readonly", "read-only", "/"));
    }
    steps.push(step("pivot_root", "pivot_root", "into the new root; the old one is unmounted"));
  }
  return steps;
}

/** Needs the capabilities that a new user namespace gives. */
export function worldSteps(sys: SysProcAttr): PlannedStep[] {
  const flags = [...(sys.cloneflags ?? []), ...(sys.unshareflags ?? [])];
  const steps: PlannedStep[] = [];
  if (sys.hostname !== undefined) steps.push(step("hostname", "hostname", sys.hostname, sys.hostname));
  if (sys.domainname !== undefined) steps.push(step("domainname", "domainname", sys.domainname, sys.domainname));
  if (sys.loopback === true) steps.push(step("loopback", "loopback", "lo up"));
  // Files of /proc, before the root changes: the new one may have no /proc, or one that is read-only.
  for (const [clock, offset] of Object.entries(sys.timeOffsets ?? {})) {
    if (offset === undefined) continue;
    const line = `${clock} ${offset.secs} ${offset.nanosecs}`;
    steps.push(step("time_offset", "time offset", line, `${line}\n`));
  }
  if (sys.oomScoreAdj !== undefined) {
    steps.push(step("oom_score_adj", "oom_score_adj", String(sys.oomScoreAdj), String(sys.oomScoreAdj)));
  }
  if (flags.includes("CLONE_NEWNS")) {
    steps.push(step("propagation", "propagation", "/ private, recursively"));
    steps.push(...rootSteps(sys, flags.includes("CLONE_NEWIPC")));
  }
  if (sys.chroot !== undefined) steps.push(about(sys.chroot, step("chroot", "chroot", sys.chroot, sys.chroot)));
  return steps;
}
