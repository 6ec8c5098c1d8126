// How fast output comes through: a large file of text, written by cat, read to its end in JavaScript.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { microseconds, within } from "./measure.mjs";

const LINE = `${"The quick brown fox jumps over the lazy dog. ".repeat(2).slice(0, 79)}\n`;

/** @param {import("./place.mjs").Place} place @param {number} megabytes @returns {string} path of the file */
export function makeText({ workspace }, megabytes) {
  const file = join(workspace, "text");
  writeFileSync(file, LINE.repeat(Math.round((megabytes * 1e6) / LINE.length)));
  return file;
}

/** Read a stream to its end. @param {import("node:stream").Readable} stream @returns {Promise<number>} bytes */
async function drain(stream) {
  let bytes = 0;
  stream.on("data", (chunk) => {
    bytes += chunk.length;
  });
  await once(stream, "end");
  return bytes;
}

async function throughput(what, start) {
  const begin = microseconds();
  const bytes = await within(what, start());
  return { total: microseconds() - begin, bytes };
}

/**
 * Samples have `bytes` besides.
 * @param {typeof import("../../src/api")} api
 * @param {import("./limit.mjs").Limit} limit
 * @param {string} file
 */
export function streamCases(api, limit, file) {
  const of = (id, label, start) => ({ id, label, run: () => throughput(label, start) });
  return [
    of("pipe-node", "pipe, child_process", async () => {
      const child = spawn("cat", [file], { stdio: ["ignore", "pipe", "ignore"] });
      const [bytes] = await Promise.all([drain(child.stdout), once(child, "exit")]);
      return bytes;
    }),
    of("pipe", "pipe, spawn()", async () => {
      const child = await api.spawn("cat", [file], { stdio: ["ignore", "pipe", "ignore"] });
      const [bytes] = await Promise.all([drain(child.stdout), child.exited]);
      return bytes;
    }),
    of("terminal", "terminal, spawn()", async () => {
      const child = await api.spawn("cat", [file], { terminal: { columns: 80, rows: 24 } });
      const [bytes] = await Promise.all([drain(child.terminal.output), child.exited]);
      return bytes;
    }),
    {
      id: "c-terminal",
      label: "in C: terminal, forkpty + read",
      run: async () => {
        const [total, bytes] = await limit.measure(`terminal ${file}`);
        return { total, bytes };
      },
    },
  ];
}
