// Stands for the editor in the escape suite: a process with its own variables, open files and terminal, that runs a
// command in a sandbox.
//
//   node launch.js PROFILE WORKSPACE HOME COMMAND ARGUMENT...

import { LIBRARY } from "../support/library";
import { PROFILES } from "./profiles";

const api: typeof import("../../src/api") = require(LIBRARY);

async function main([profile = "", workspace = "", home = "", file = "", ...args]: string[]): Promise<void> {
  const sandbox = await api.sandbox.run({ file, args, stdio: "inherit" }, PROFILES[profile] ?? profile, {
    workspace,
    home,
  });
  if (Object.hasOwn(PROFILES, profile) && sandbox.isolation !== "landlock")
    throw new Error("Namespaces were to be had.");
  const { code, signal } = await sandbox.exited;
  if (signal !== null) console.error(`ended by ${signal}`);
  process.exitCode = code ?? 128 + (signal === "SIGSYS" ? 31 : 0);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 125;
});
