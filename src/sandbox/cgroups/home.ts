// A cgroup in which the sandboxes' cgroups can be made, and the controllers that it hands on to them.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Controller } from "./settings";

/** How it was come by, in the order of preference. */
export type HomeKind = "delegated" | "systemd" | "root";

/** The errno of an error of Node. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "EIO";
}

/** Controllers that a cgroup may have (cgroup.controllers), or that its children have (cgroup.subtree_control). */
export async function listControllers(directory: string, file: "controllers" | "subtree_control"): Promise<string[]> {
  const text = await readFile(join(directory, `cgroup.${file}`), "utf8").catch(() => "");
  return text.split(/\s+/).filter(Boolean);
}

export class CgroupHome {
  constructor(
    readonly kind: HomeKind,
    readonly directory: string,
  ) {}

  /**
   * Turns on controllers for the cgroups that are made here.
   * @returns those that can't be turned on, with the errno: ENOENT when this cgroup has not got it itself; EBUSY when it
   * has processes of its own ("no internal processes")
   */
  async turnOn(wanted: readonly Controller[]): Promise<ReadonlyMap<Controller, string>> {
    const refused = new Map<Controller, string>();
    const on = await listControllers(this.directory, "subtree_control");
    const isOccupied = await this.#isOccupied();
    for (const controller of wanted) {
      if (on.includes(controller)) continue;
      if (isOccupied) {
        refused.set(controller, "EBUSY");
        continue;
      }
      try {
        // One at a time: of several in one write, one that is refused would take the others with it.
        await writeFile(join(this.directory, "cgroup.subtree_control"), `+${controller}`);
      } catch (error) {
        refused.set(controller, codeOf(error));
      }
    }
    return refused;
  }

  /**
   * Whether it has processes of its own, and is not the root of all, where that does no harm. The kernel refuses only
   * memory and io then: with a controller that counts threads (cpu, cpuset, pids) it makes the cgroup "domain threaded",
   * and no process can be born in those below it any more (EOPNOTSUPP; cgroups(7), "thread mode").
   */
  async #isOccupied(): Promise<boolean> {
    const read = (file: string) => readFile(join(this.directory, file), "utf8").catch(() => "");
    const [type, members] = await Promise.all([read("cgroup.type"), read("cgroup.procs")]); // the root of all has no type
    return type !== "" && members.trim() !== "";
  }
}
