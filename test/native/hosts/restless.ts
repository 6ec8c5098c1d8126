// A program that starts processes of every kind without a pause, to be killed by host-killed.test.ts at a moment that
// suits nobody. It says "spawned" once the first is there.

import { setTimeout as delay } from "node:timers/promises";
import { api, canOwn, inNamespaces, isRoot, type Options, OWNED, WHOLE_ROOT } from "../spawner-world";

/** Two processes, one of them in a session of its own. */
const TREE: [string, string[]] = ["/bin/sh", ["-c", "setsid sleep 1000 & sleep 1000"]];
const LIFE_MS = 30;

async function live(file: string, args: string[], options: Options): Promise<void> {
  const child = await api.spawn(file, args, options);
  child.terminal?.output.resume();
  process.stdout.write("spawned\n");
  await delay(Math.random() * LIFE_MS);
  child.kill("SIGKILL");
  await child.exited;
}

const sandbox = inNamespaces(["CLONE_NEWPID", "CLONE_NEWNS"], WHOLE_ROOT);
const many = [{ containerID: 0, hostID: 100_000, size: 65_536 }];

async function joined(): Promise<void> {
  await using holder = await api.holdNamespaces(inNamespaces(["CLONE_NEWNET", "CLONE_NEWUTS"]));
  await live("/bin/sleep", ["1000"], {
    sys: { setns: [{ fd: holder.pidfd, nstype: ["CLONE_NEWUSER", "CLONE_NEWNET"] }], pdeathsig: "SIGKILL" },
  });
}

const KINDS: readonly (() => Promise<void>)[] = [
  () => live("/bin/sleep", ["1000"], { sys: { pdeathsig: "SIGKILL" } }),
  () => live(...TREE, inNamespaces(["CLONE_NEWPID"])),
  () => live(...TREE, sandbox),
  () => live(...TREE, { ...sandbox, terminal: { columns: 80, rows: 24 } }),
  () => live("/bin/sleep", ["1000"], { sys: { pdeathsig: "SIGKILL" }, terminal: { columns: 80, rows: 24 } }),
  async () => {
    const holder = await api.holdNamespaces(inNamespaces(["CLONE_NEWNS", "CLONE_NEWIPC"]));
    await delay(Math.random() * LIFE_MS);
    await holder.release();
  },
  joined,
];

/** Where there is an owner of a tree without a PID namespace. */
const OF_OWNERS: readonly (() => Promise<void>)[] = [
  () => live(...TREE, { sys: OWNED }),
  () => live(...TREE, { sys: OWNED, terminal: { columns: 80, rows: 24 } }),
];

/** Only root may map ids that are not its own; written from outside by another thread. */
const OF_ROOT: readonly (() => Promise<void>)[] = [
  () => live(...TREE, inNamespaces(["CLONE_NEWPID", "CLONE_NEWNS"], { uidMappings: many, gidMappings: many })),
];

async function forever(kind: () => Promise<void>): Promise<void> {
  for (;;) await kind();
}

async function main(): Promise<void> {
  const kinds = [...KINDS, ...((await canOwn()) ? OF_OWNERS : []), ...(isRoot ? OF_ROOT : [])];
  await Promise.all(kinds.map(forever));
}

void main();
