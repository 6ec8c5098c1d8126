// The measuring program in C (programs/limit.cc), asked for one measurement at a time.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { within } from "./measure.mjs";

export class Limit {
  #process;
  #lines;

  /** @param {import("./place.mjs").Place} place */
  constructor({ programs }) {
    this.#process = spawn(programs.limit, [programs.nothing], { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  /**
   * @param {string} command see programs/limit.cc
   * @returns {Promise<number[]>} microseconds, and what else was measured
   */
  async measure(command) {
    this.#process.stdin.write(`${command}\n`);
    const line = await within(`the C program's "${command}"`, this.#lines.next());
    const values = line.done ? [] : line.value.split(" ").map(Number);
    if (!(values[0] >= 0)) throw new Error(`The C program could not do "${command}".`);
    return values;
  }

  close() {
    this.#process.stdin.end();
  }
}
