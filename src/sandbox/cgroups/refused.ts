// Looks at the machine for the words of a refusal.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseCgroup } from "../../inspect/cgroup";
import { readSystemFile } from "../../inspect/procfs";
import type { SandboxError } from "../errors";
import type { Search } from "./find";
import { listControllers } from "./home";
import { controllerRefusal, type Machine } from "./refusal";
import type { CgroupLimit, Controller } from "./settings";

export async function machineOf({ own }: Search): Promise<Machine> {
  const { legacy } = parseCgroup((await readSystemFile("self/cgroup")) ?? "");
  const events = own && (await readFile(join(own.mountPoint, "cgroup.events")).catch(() => undefined));
  return {
    uid: process.getuid?.() ?? 0,
    atTop: own === undefined ? [] : await listControllers(own.mountPoint, "controllers"),
    old: legacy.flatMap(({ controllers }) => controllers.split(",")),
    inContainer: events !== undefined,
  };
}

/** What is said when a limit can't be kept for want of a controller. */
export async function refusalOf(limit: CgroupLimit, controller: Controller, search: Search): Promise<SandboxError> {
  return controllerRefusal(limit, controller, search, await machineOf(search));
}
