// The worker's line to the supervisor that it runs under (test/native/programs/inject.cc): synchronous, so that an
// order is in force before the spawn that it is meant for.

import { readSync, writeSync } from "node:fs";

const CONTROL_FD = 3;

/** A system call that was seen. */
export interface Call {
  /** 'child', 'child.1', 'spawner', 'writer', 'main'. */
  readonly role: string;
  readonly name: string;
  /** Injected: 0 none, -1 left hanging. */
  readonly errno: number;
  /** As unsigned 64-bit decimals. */
  readonly args: readonly string[];
}

const buffer = Buffer.alloc(1 << 20);

/** Sends a line and reads until a line that says it is the last. */
function ask(line: string, last: string): string {
  writeSync(CONTROL_FD, `${line}\n`);
  let answer = "";
  while (!answer.endsWith(`${last}\n`)) {
    const length = readSync(CONTROL_FD, buffer);
    if (length === 0) throw new Error("The supervisor is gone.");
    answer += buffer.toString("latin1", 0, length);
  }
  return answer.slice(0, -last.length - 1);
}

/** Let the `occurrence`-th call `name` ('*': any) of `role` fail with `errno`, or hang with -1; counted from now on. */
export function order(role: string, name: string, occurrence: number, errno: number): void {
  ask(`next ${role} ${name} ${occurrence} ${errno}`, "ok");
}

/** Let nothing fail, and count and record from now on. */
export function record(): void {
  order("-", "*", 0, 0);
}

function list(request: string): Call[] {
  const lines = ask(request, "end").split("\n").filter(Boolean);
  return lines.map((line): Call => JSON.parse(line));
}

/** The calls since the last order. */
export const calls = (): Call[] => list("log");

/** Those of them that failed or hang by order. */
export const injected = (): Call[] => list("injected");
