// Asks the manager around it for a scope, by a limit that can't be kept here, and says what became of it: as JSON.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { World } from "../sandbox-world";

const cgroupOf = (pid: number): string => /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, "utf8"))?.[1] ?? "";
const MOUNT = "/sys/fs/cgroup/unified";

async function main(): Promise<void> {
  const world = new World();
  try {
    const before = await world.start("sleep 1000");
    const refusal = await world.run("true", { extends: "build", limits: { memory: "64M" } }).then(
      () => "it ran",
      (error: Error) => error.message,
    );
    const after = await world.start("sleep 1000");
    const scope = cgroupOf(after.process.pid).split("/").slice(0, -1).join("/");
    await after.freeze();
    const frozen = (await after.figures())?.frozen;
    const paths = {
      before: cgroupOf(before.process.pid),
      after: cgroupOf(after.process.pid),
      self: cgroupOf(process.pid),
    };
    await after.terminate(0);
    const isGone = !existsSync(join(MOUNT, paths.after));
    const members = readFileSync(join(MOUNT, scope, "cgroup.procs"), "utf8");
    console.log(JSON.stringify({ refusal, scope, frozen, isGone, members, ...paths }));
  } finally {
    await world.remove();
  }
}

void main();
