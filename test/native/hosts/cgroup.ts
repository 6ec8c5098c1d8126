// An editor with one sandbox: says the folder of its cgroup, and ends it when its own input ends.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { api } from "../sandbox-world";

async function main(): Promise<void> {
  const context = { workspace: process.env.WORKSPACE ?? "", home: process.env.HOME ?? "" };
  const sandbox = await api.sandbox.run({ file: "sleep", args: ["1000"], stdio: "ignore" }, "build", context);
  const path = /^0::(.*)$/m.exec(readFileSync(`/proc/${sandbox.process.pid}/cgroup`, "utf8"))?.[1] ?? "";
  const folders = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].map((mount) => join(mount, path));
  console.log(folders.find((folder) => existsSync(join(folder, "cgroup.procs"))));
  process.stdin.resume().once("end", () => void sandbox.terminate(0));
}

void main();
