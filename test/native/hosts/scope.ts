// An editor with one sandbox whose memory is limited: says where both are in the hierarchy of cgroups as a line of JSON,
// and ends the sandbox when its own input ends.

import { readFileSync } from "node:fs";
import { cgroupFolder } from "../../support/cgroups";
import { api } from "../sandbox-world";

async function main(): Promise<void> {
  const context = { workspace: process.env.WORKSPACE ?? "", home: process.env.HOME ?? "" };
  const before = cgroupFolder(process.pid);
  const command = { file: "sleep", args: ["1000"], stdio: "ignore" } as const;
  const sandbox = await api.sandbox.run(command, { extends: "build", limits: { memory: "64M" } }, context);
  const folder = cgroupFolder(sandbox.process.pid);
  const limit = readFileSync(`${folder}/memory.max`, "utf8").trim();
  console.log(JSON.stringify({ before, after: cgroupFolder(process.pid), sandbox: folder, limit }));
  process.stdin.resume().once("end", () => void sandbox.terminate(0));
}

void main();
