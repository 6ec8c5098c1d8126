// What the tests of held namespaces and of joining share.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { LIBRARY, LIBRARY_NODE } from "../support/library";
import { api, type Sys } from "./spawner-world";

export type Flag = NonNullable<Sys["cloneflags"]>[number];

/** Everything that the process has, in one setns(2) by its pidfd. */
export const joining = (fd: number, ...nstype: Flag[]): Sys => ({ setns: [{ fd, nstype }] });

/** The only child of a process. */
export function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim());
}

/** Runs a script in a Node of its own, kills it once it has printed a line, and returns what that line says. */
export async function killedHost(script: string): Promise<unknown> {
  const program = `
    const api = require(${JSON.stringify(LIBRARY)});
    (async () => { ${script} })().then((result) => console.log(JSON.stringify(result)));`;
  const host = await api.spawn(LIBRARY_NODE, ["-e", program], { stdio: ["pipe", "pipe", "inherit"] });
  assert.ok(host.stdout);
  const line = await host.stdout[Symbol.asyncIterator]().next();
  host.kill("SIGKILL");
  await host.exited;
  return JSON.parse(String(line.value));
}
