// Cgroups for tests of the spawner: in the top of the hierarchy as root, in what is delegated to us as anybody else.

import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { waitUntil } from "../support/processes";
import { skipBecause } from "../support/skip";
import { isRoot } from "./spawner-world";

const MOUNTS = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"];

/** Where cgroup2 is mounted; skips where it is not. */
export function cgroupMount(context: Mocha.Context): string {
  const mount = MOUNTS.find((path) => existsSync(join(path, "cgroup.procs")));
  return mount ?? skipBecause(context, "there is no cgroup2 here");
}

/** Our own cgroup's folder; skips where it is not to be seen. */
function ownCgroup(context: Mocha.Context): string {
  const path = /^0::(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8"))?.[1] ?? "";
  const folder = join(cgroupMount(context), path);
  return existsSync(folder) ? folder : skipBecause(context, "our cgroup is not among those that are mounted");
}

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

let base: string | undefined;

/** Where we may make cgroups and enter them; skips where there is none. */
function delegated(context: Mocha.Context): string {
  if (base !== undefined) return base;
  if (isRoot) {
    base = cgroupMount(context);
    return base;
  }
  const own = ownCgroup(context);
  if (!mayWrite(join(own, "cgroup.procs"))) skipBecause(context, "no cgroup is delegated to this user");
  // A cgroup with processes of its own can't turn on controllers for those in it: go to a leaf.
  const leaf = join(own, "tests");
  mkdirSync(leaf);
  writeFileSync(join(leaf, "cgroup.procs"), String(process.pid));
  base = own;
  return base;
}

export class TestCgroup {
  readonly fd: number;

  private constructor(readonly path: string) {
    this.fd = openSync(path, "r");
  }

  /**
   * A new one, with what the controllers are set to: `{"pids.max": "8"}`. Skips where there is no place for it, or no
   * such controller.
   */
  static make(context: Mocha.Context, settings: Readonly<Record<string, string>> = {}): TestCgroup {
    const parent = delegated(context);
    for (const file of Object.keys(settings)) {
      const controller = file.split(".")[0] ?? "";
      if (controller === "cgroup") continue;
      const there = readFileSync(join(parent, "cgroup.controllers"), "utf8").split(/\s+/);
      if (!there.includes(controller)) skipBecause(context, `the ${controller} controller is not in ${parent}`);
      writeFileSync(join(parent, "cgroup.subtree_control"), `+${controller}`);
    }
    const path = join(parent, `sandbox-test-${process.pid}`);
    mkdirSync(path);
    const made = new TestCgroup(path);
    for (const [file, value] of Object.entries(settings)) made.write(file, value);
    return made;
  }

  write(file: string, value: string): void {
    writeFileSync(join(this.path, file), value);
  }

  /** Value of a key in a file of "key value" lines. */
  figure(file: string, key: string): number {
    const value = new RegExp(`^${key} (\\d+)$`, "m").exec(readFileSync(join(this.path, file), "utf8"))?.[1];
    return Number(value);
  }

  members(): number[] {
    return readFileSync(join(this.path, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
  }

  /** Ends what is in it, and removes it. */
  async remove(): Promise<void> {
    closeSync(this.fd);
    this.write("cgroup.kill", "1");
    await waitUntil("the cgroup is empty", () => this.figure("cgroup.events", "populated") === 0);
    rmdirSync(this.path);
  }
}
