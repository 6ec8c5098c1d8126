// Turns planned steps into the block of memory that the child will run: a header, the steps, and behind them their
// strings in the order in which the steps name them (native/plan/plan.h). The addon's own table says what each takes.

import type { Addon } from "./addon";
import type { PlannedStep } from "./planned-step";

const MAGIC = 0x6e616c70;
const HEADER_SIZE = 16;
const STEP_SIZE = 56;
const WORD = 8;

/** Grows as it is written to; every value is little-endian. */
class Block {
  #bytes: Buffer;
  #length: number;

  constructor(length: number) {
    this.#bytes = Buffer.alloc(Math.max(4096, length * 2));
    this.#length = length;
  }

  get length(): number {
    return this.#length;
  }

  /** Adds `size` zero bytes and returns where they begin. */
  reserve(size: number): number {
    const offset = this.#length;
    this.#length += size;
    if (this.#length > this.#bytes.length) {
      const larger = Buffer.alloc(this.#length * 2);
      this.#bytes.copy(larger);
      this.#bytes = larger;
    }
    return offset;
  }

  align(): void {
    this.reserve((WORD - (this.#length % WORD)) % WORD);
  }

  word(offset: number, value: bigint | number): void {
    if (typeof value === "number" && value >= 0 && value <= 0xffff_ffff) {
      this.half(offset, value); // nearly always; the rest is zero already
    } else {
      this.#bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), offset);
    }
  }

  half(offset: number, value: number): void {
    this.#bytes.writeUInt32LE(value, offset);
  }

  text(value: string): number {
    const offset = this.reserve(Buffer.byteLength(value) + 1);
    this.#bytes.write(value, offset);
    return offset;
  }

  bytes(value: Uint8Array): number {
    this.align();
    const offset = this.reserve(WORD + value.length);
    this.word(offset, value.length);
    this.#bytes.set(value, offset + WORD);
    return offset;
  }

  vector(values: readonly string[]): number {
    this.align();
    const offset = this.reserve(WORD * (values.length + 2));
    this.word(offset, values.length);
    for (const [i, value] of values.entries()) this.word(offset + WORD * (i + 1), this.text(value));
    return offset;
  }

  done(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

function encodeArgument(block: Block, kind: string, value: PlannedStep["args"][number]): bigint | number | undefined {
  if (kind === "i" && (typeof value === "number" || typeof value === "bigint")) return value;
  if (kind === "s" && typeof value === "string") return block.text(value);
  if (kind === "b" && value instanceof Uint8Array) return block.bytes(value);
  if (kind === "v" && Array.isArray(value)) return block.vector(value);
  return undefined;
}

/**
 * @param firstStep number of the first of these steps within the whole plan
 * @throws Error when a step and the addon's table disagree: then this file and the addon are of different builds
 */
export function encode(addon: Addon, steps: readonly PlannedStep[], firstStep: number): Uint8Array {
  const block = new Block(HEADER_SIZE + steps.length * STEP_SIZE);
  block.half(0, MAGIC);
  block.half(4, steps.length);
  block.half(8, firstStep);
  for (const [i, step] of steps.entries()) {
    const at = HEADER_SIZE + i * STEP_SIZE;
    const operation = addon.operations[step.op];
    if (operation === undefined || operation.signature.length !== step.args.length) {
      throw new Error(`The addon does not know the step ${step.op} with ${step.args.length} arguments.`);
    }
    block.half(at, operation.code);
    for (const [j, value] of step.args.entries()) {
      const word = encodeArgument(block, operation.signature.charAt(j), value);
      if (word === undefined) throw new Error(`Argument ${j} of the step ${step.op} is of the wrong type.`);
      block.word(at + WORD * (j + 1), word);
    }
  }
  return block.done();
}
