// Spawns what it is told on its standard input and prints what came of each, as JSON. It is a process of its own, so
// that system calls can be refused to it, and mounts made around it.

import { text } from "node:stream/consumers";
import { api, type Options, ownIds, run } from "../spawner-world";

export interface Request {
  readonly line: string;
  readonly options: Options;
}

export interface Answer {
  readonly stdout?: string;
  readonly stderr?: string;
  /** What the spawn was rejected with. */
  readonly error?: { readonly message: string; readonly code: string; readonly remedy?: string };
}

/** Whoever runs this maps itself: an ordinary user may be root in a user namespace here. */
function mapped({ sys = {}, ...others }: Options): Options {
  return { ...others, sys: sys.cloneflags?.includes("CLONE_NEWUSER") ? { ...sys, ...ownIds() } : sys };
}

async function answer({ line, options }: Request): Promise<Answer> {
  try {
    const { stdout, stderr } = await run("sh", ["-c", line], mapped(options));
    return { stdout, stderr };
  } catch (error) {
    if (!(error instanceof api.SpawnError)) throw error;
    const { message, code, remedy } = error;
    return { error: { message, code, ...(remedy === undefined ? {} : { remedy }) } };
  }
}

async function main(): Promise<void> {
  const requests: Request[] = JSON.parse(await text(process.stdin));
  const answers: Answer[] = [];
  for (const request of requests) answers.push(await answer(request));
  console.log(JSON.stringify(answers));
}

void main();
