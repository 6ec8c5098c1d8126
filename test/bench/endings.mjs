// Ends: how long after the end of a process its callback runs, and how long a tree of processes takes to be gone.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { microseconds, within } from "./measure.mjs";

/** Microseconds from the last act of the process, which wrote the time into the file, until now. */
function sinceStamp(fd) {
  const now = process.hrtime.bigint();
  const bytes = Buffer.alloc(8);
  readSync(fd, bytes, 0, 8, 0);
  return Number(now - bytes.readBigInt64LE()) / 1000;
}

/**
 * From the end of a process until the callback. Node's process.hrtime reads CLOCK_MONOTONIC, as the program does.
 * @param {typeof import("../../src/api")} api
 * @param {import("./place.mjs").Place} place
 * @returns {import("./measure.mjs").Case[]}
 */
export function exitCases(api, { workspace, programs: { stamp } }) {
  const measure = async (what, start) => {
    const fd = openSync(join(workspace, "stamp"), "w+");
    try {
      return { total: await within(what, start(fd)) };
    } finally {
      closeSync(fd);
    }
  };
  const of = (id, label, start) => ({ id, label, run: () => measure(label, start) });
  return [
    of("exit-node", "child_process 'exit'", async (fd) => {
      const child = spawn(stamp, [], { stdio: ["ignore", fd, "ignore"] });
      return new Promise((resolve, reject) => {
        child.once("error", reject).once("exit", () => resolve(sinceStamp(fd)));
      });
    }),
    of("exit", "spawn(), exited", async (fd) => {
      const child = await api.spawn(stamp, [], { stdio: ["ignore", fd, "ignore"] });
      await child.exited;
      return sinceStamp(fd);
    }),
  ];
}

/**
 * Kill a sandbox with `count` processes in it: from the call until the last one is gone and PID 1 is reaped.
 * @param {typeof import("../../src/api")} api
 * @param {import("./place.mjs").Place} place
 * @param {number} count
 * @returns {Promise<number>} microseconds
 */
export async function killTree(api, { workspace, programs: { tree } }, count) {
  const command = { file: tree, args: [String(count)], stdio: ["ignore", "pipe", "ignore"] };
  const sandbox = await api.sandbox.run(command, "build", { workspace });
  try {
    const { stdout } = sandbox.process;
    const all = new Promise((resolve, reject) => {
      let there = 0;
      stdout.on("data", (chunk) => {
        there += chunk.length;
        if (there === count) resolve();
      });
      void sandbox.exited.then(({ code }) => reject(new Error(`The tree ended by itself, with ${code}.`)));
    });
    await within(`a tree of ${count} processes`, all);
    const begin = microseconds();
    const closed = once(stdout, "close");
    sandbox.kill("SIGKILL");
    // PID 1 is reaped after everybody inside (zap_pid_ns_processes); the pipe ends when the last one has closed it.
    await within("the end of the tree", Promise.all([sandbox.exited, closed]));
    return microseconds() - begin;
  } finally {
    sandbox.kill("SIGKILL");
  }
}
