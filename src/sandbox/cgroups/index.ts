// The cgroup of a sandbox: made when its limits need one, and otherwise where it costs next to nothing, because one is
// killed and frozen as a whole and counts what is in it.

import { readSystemFile } from "../../inspect/procfs";
import { SandboxError } from "../errors";
import type { Limits } from "../schema";
import { cheapHome, homeWith } from "./find";
import { CgroupHome } from "./home";
import { heededWeights } from "./io-weight";
import { machineOf, refusalOf } from "./refused";
import { SandboxCgroup } from "./sandbox-cgroup";
import { type CgroupSetting, cgroupSettings, neededControllers } from "./settings";

export { limitReached } from "./events";
export { ownCgroup } from "./own";
export { SandboxCgroup } from "./sandbox-cgroup";

/** Why a file of the cgroup could not be written. */
function settingRefusal(settings: readonly CgroupSetting[], error: unknown): SandboxError {
  const path = error instanceof Error && "path" in error ? String(error.path) : "";
  const message = error instanceof Error ? error.message : String(error);
  if (path.endsWith("/memory.swap.max")) {
    return new SandboxError(
      "limit",
      "limits.memory",
      `limits.memory can't be kept: this machine has swap, and the kernel does not count who uses it (${message}).`,
      "Boot with the kernel parameter swapaccount=1, or turn swap off (sudo swapoff -a).",
    );
  }
  const limit = settings.find(({ file }) => path.endsWith(`/${file}`))?.limit ?? settings[0]?.limit ?? "memory";
  return new SandboxError(
    "limit",
    `limits.${limit}`,
    `limits.${limit} can't be kept: the kernel refused it (${message}).`,
    `Change it, or leave limits.${limit} out.`,
  );
}

/** A kernel that does not count swap (swapaccount=0) has no memory.swap.max, and without swap none is needed. */
async function whereThereIsNoSwap(settings: readonly CgroupSetting[]): Promise<CgroupSetting[]> {
  const swaps = ((await readSystemFile("swaps")) ?? "").trim().split("\n").slice(1);
  return settings.map((setting) =>
    setting.file === "memory.swap.max" && swaps.length === 0 ? { ...setting, optional: true } : setting,
  );
}

async function limited(settings: readonly CgroupSetting[]): Promise<SandboxCgroup> {
  const needed = neededControllers(settings);
  const found = await homeWith([...needed.keys()]);
  if (!(found instanceof CgroupHome)) {
    const { atTop } = await machineOf(found);
    const [controller, limit] = [...needed].find(([name]) => !atTop.includes(name)) ?? [...needed][0] ?? [];
    if (controller === undefined || limit === undefined) throw new Error("No limit needs a controller.");
    throw await refusalOf(limit, controller, found);
  }
  const heeded = await heededWeights(await whereThereIsNoSwap(settings));
  try {
    return await SandboxCgroup.make(found, heeded);
  } catch (error) {
    throw settingRefusal(settings, error);
  }
}

/**
 * The cgroup for a sandbox, with its limits. The caller removes it.
 * @returns undefined when no limit needs one and none can be had cheaply
 * @throws SandboxError that names the limit, the controller that is missing and what to do
 */
export async function makeCgroup(limits: Limits): Promise<SandboxCgroup | undefined> {
  const settings = cgroupSettings(limits);
  if (settings.length > 0) return limited(settings);
  try {
    const home = await cheapHome();
    return home && (await SandboxCgroup.make(home, []));
  } catch {
    // The number of cgroups is limited, too (cgroup.max.descendants), and ours may be gone. Nobody asked for one.
    await cheapHome(true);
    return undefined;
  }
}
