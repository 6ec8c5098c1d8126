// Runs one attempt in one arena, on a bait of its own, and judges it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { LIBRARY, LIBRARY_VARIABLE } from "../support/library";
import { ALONE, ARENAS, type ArenaName, OTHERS, OURS } from "./arenas";
import { type Attempt, judge, type Run, type Verdict } from "./attempt";
import { Bait } from "./bait";

const api: typeof import("../../src/api") = require(LIBRARY);

/** No attempt takes a second on a machine that is idle; this is for one that is not. */
const LIMIT_MS = 55_000;

const OURS_AND_OTHERS: ReadonlySet<ArenaName> = new Set([...OURS, ...ALONE, ...OTHERS]);

export interface Result {
  readonly verdict: Verdict;
  readonly run: Run;
}

/** What whoever starts the sandbox has in its environment, beside what the attempt is about. */
function environment(attempt: Attempt, bait: Bait): Record<string, string> {
  const launcher = { [LIBRARY_VARIABLE]: dirname(LIBRARY) };
  return { PATH: process.env.PATH ?? "", HOME: bait.home, LANG: "C.UTF-8", ...launcher, ...attempt.env?.(bait) };
}

async function runWithPipes(attempt: Attempt, bait: Bait, [file = "", ...args]: string[]): Promise<Run> {
  const child = spawn(file, args, {
    cwd: bait.home,
    env: environment(attempt, bait),
    stdio: ["ignore", "pipe", "pipe", ...(attempt.descriptors?.(bait) ?? [])],
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
  });
  let [out, err] = ["", ""];
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
    out += chunk;
    if (attempt.crash && out.includes("\n")) child.kill("SIGKILL");
  });
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    err += chunk;
  });
  const closed = once(child, "close");
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  // What outlives it holds the pipes open; in all others everything that was printed is waited for.
  if (attempt.group === "survivors") await Promise.race([closed, delay(500)]);
  else await closed;
  child.stdout?.destroy();
  child.stderr?.destroy();
  return { code, signal, output: out + err };
}

async function runOnTerminal(attempt: Attempt, bait: Bait, [file = "", ...args]: string[]): Promise<Run> {
  const child = await api.spawn(file, args, {
    cwd: bait.home,
    env: environment(attempt, bait),
    terminal: { columns: 80, rows: 24 },
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
  });
  const [output, status] = await Promise.all([child.terminal ? text(child.terminal.output) : "", child.exited]);
  // As text it is the same on every line but for the carriage returns.
  return {
    code: status.code,
    signal: status.signal as NodeJS.Signals | null,
    output: output.replaceAll("\r\n", "\n"),
  };
}

/** An attempt that is about its starter needs one of its own; the rest is started here, as an editor starts many. */
function isAboutStarter({ env, descriptors, terminal, crash, group }: Attempt): boolean {
  return env !== undefined || descriptors !== undefined || terminal === true || crash === true || group === "survivors";
}

/** Several times cheaper than by the launcher, most of whose time goes into loading the library. */
async function runHere(profile: string, bait: Bait, [file = "", ...args]: string[]): Promise<Run> {
  const { process: inside, exited } = await api.sandbox.run({ file, args }, profile, bait);
  const limit = setTimeout(() => inside.kill("SIGKILL"), LIMIT_MS);
  try {
    inside.stdin?.end();
    const output = await Promise.all([inside.stdout, inside.stderr].map((stream) => (stream ? text(stream) : "")));
    const { code, signal } = await exited;
    return { code, signal: signal as NodeJS.Signals | null, output: output.join("") };
  } finally {
    clearTimeout(limit);
  }
}

function runCommand(attempt: Attempt, arena: ArenaName, bait: Bait, command: string[]): Promise<Run> {
  if (OURS.some((profile) => profile === arena) && !isAboutStarter(attempt)) return runHere(arena, bait, command);
  const line = ARENAS[arena].wrap(bait, command);
  return (attempt.terminal ? runOnTerminal : runWithPipes)(attempt, bait, line);
}

export async function runAttempt(attempt: Attempt, arena: ArenaName): Promise<Result> {
  const bait = new Bait();
  try {
    const words = await attempt.lay(bait, OURS_AND_OTHERS.has(arena));
    const command = [attempt.file?.(bait) ?? bait.program, ...words];
    const run = await runCommand(attempt, arena, bait, command);
    return { verdict: await judge(attempt, bait, run), run };
  } finally {
    await bait.remove();
  }
}
