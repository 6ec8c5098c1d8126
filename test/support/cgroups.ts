// Where a process is in the hierarchy of cgroup v2, as a folder of this machine.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Beside version 1, or alone. */
const MOUNTS = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"];

/** The folder of a process's cgroup (cgroups(7)). */
export function cgroupFolder(pid: number): string {
  const path = /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, "utf8"))?.[1] ?? "";
  const folder = MOUNTS.map((mount) => join(mount, path)).find((one) => existsSync(join(one, "cgroup.procs")));
  assert.ok(folder, `process ${pid} is in no cgroup v2 that is mounted: ${path}`);
  return folder;
}
