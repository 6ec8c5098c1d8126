// The same starts from a process with much memory resident: fork(2) copies page tables and so grows with it, vfork does
// not. Two processes, one with and one without, measure in turn. Run by itself (fork()), this file is such a process.

import { fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { within } from "./measure.mjs";
import { ownCases } from "./starts.mjs";

const GIGABYTE = 2 ** 30;
const CHUNK = 2 ** 26;

/** Gigabytes of memory that are free to be used. */
export function availableMemory() {
  const [, kilobytes = "0"] = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8")) ?? [];
  return (Number(kilobytes) * 1024) / GIGABYTE;
}

/** A process with `gigabytes` of Buffers, asked for one measurement at a time. */
export class ResidentProcess {
  #child;
  #ended;
  /** Whoever waits for the next message. */
  #receive = () => undefined;

  /** @param {string} api path of dist/api.js @param {import("./place.mjs").Place} place @param {number} gigabytes */
  constructor(api, place, gigabytes) {
    this.#child = fork(fileURLToPath(import.meta.url), [JSON.stringify({ api, place, gigabytes })]);
    this.#child.on("message", (message) => this.#receive(message));
    this.#ended = once(this.#child, "exit");
    void this.#ended.then(([code]) => this.#receive({ error: `The process with resident memory ended with ${code}.` }));
  }

  /** Wait until its memory is filled. */
  async ready() {
    await this.#answer("the process with resident memory", () => undefined);
  }

  /** @param {string} id of a case of ownCases() @returns {Promise<import("./measure.mjs").Sample>} */
  async measure(id) {
    return this.#answer(id, () => this.#child.send(id));
  }

  async #answer(what, ask) {
    const received = new Promise((resolve) => {
      this.#receive = resolve;
    });
    ask();
    const { error, sample } = await within(what, received);
    if (error !== undefined) throw new Error(error);
    return sample;
  }

  async close() {
    if (this.#child.connected) this.#child.disconnect();
    await within("the process with resident memory", this.#ended);
  }
}

/** The other side: fill the memory, then do what comes. */
function serve({ api, place, gigabytes }) {
  const cases = new Map(ownCases(createRequire(import.meta.url)(api), place).map((one) => [one.id, one]));
  const held = Array.from({ length: Math.round((gigabytes * GIGABYTE) / CHUNK) }, () => Buffer.alloc(CHUNK, 1));
  process.on("message", async (id) => {
    try {
      process.send({ sample: await cases.get(id).run() });
    } catch (error) {
      process.send({ error: String(error) });
    }
  });
  // The parent has ended, or needs us no more.
  process.on("disconnect", () => {
    held.length = 0;
    process.exit();
  });
  process.send({});
}

if (process.argv[1] === fileURLToPath(import.meta.url)) serve(JSON.parse(process.argv[2]));
