// What an attempt to get out of a sandbox is, and how it is judged.
//
// Each is a program that runs inside. Whether it got out is seen from outside, or by the secret of a bait in what it
// printed; the program's own word counts for nothing but to tell a refusal from an attempt that could not be made. And
// each has a control: the same program without a sandbox (or in a deliberately loose one) must succeed, so that a
// sandbox is never praised for what could not have failed.

import type { ArenaName } from "./arenas";
import type { Bait } from "./bait";

export const GROUPS = [
  "files",
  "secrets",
  "sockets",
  "processes",
  "terminal",
  "devices",
  "kernel",
  "namespaces",
  "mounts",
  "privileges",
  "cgroups",
  "survivors",
  "workspace",
] as const;

export type Group = (typeof GROUPS)[number];

export interface Attempt {
  readonly group: Group;
  /** What would be gained, to be read after "can't ...". */
  readonly name: string;
  /**
   * Lays what it is after, and says what to run: the attempt of the program in ./programs with its arguments. `inside`:
   * in a sandbox, whose PID 1 is not the machine's.
   */
  readonly lay: (bait: Bait, inside: boolean) => readonly string[] | Promise<readonly string[]>;
  /** Another program than ours. */
  readonly file?: (bait: Bait) => string;
  /** Where it must succeed; default: without any sandbox. */
  readonly control?: ArenaName;
  /** `bait`: only root can lay it, so that nothing is tried as somebody else. `control`: only root's control succeeds. */
  readonly root?: "bait" | "control";
  /** Only an ordinary user has something to gain. */
  readonly onlyUser?: boolean;
  /** Only these profiles promise it. */
  readonly only?: readonly ArenaName[];
  /** What an escape is, as seen from outside; by default, that the secret was printed. */
  readonly seen?: (bait: Bait, run: Run) => boolean | Promise<boolean>;
  /** Variables of whoever starts the sandbox. */
  readonly env?: (bait: Bait) => Record<string, string>;
  /** Open file descriptors that whoever starts the sandbox has been left with, from 3 on. */
  readonly descriptors?: (bait: Bait) => number[];
  /** Started from a terminal. */
  readonly terminal?: boolean;
  /** The starter is killed as soon as the program has said its first line. */
  readonly crash?: boolean;
  /**
   * About the network: `kept` from profile `install` too, or `given` to it by design. Else that profile, which differs in
   * nothing but the network, is not asked.
   */
  readonly network?: "kept" | "given";
  /** What Landlock alone does not hold, in words: said in docs/escape.md too. */
  readonly notAlone?: string;
  /** What the control is refused with where a machine or its kernel has no such thing; ENOSYS always. */
  readonly lacking?: readonly (keyof typeof import("node:os").constants.errno)[];
}

/** What came of running a program. */
export interface Run {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Standard output, then standard error; of a terminal, all it showed. */
  readonly output: string;
}

export type Verdict = "held" | "escaped" | "could not run";

/** What a program printed when it was refused: see programs/attempt.h. */
const REFUSAL = /^refused: .*: (\d+) /m;

/** The errno that ended it; undefined when it was not refused. */
export function refusal({ output }: Run): number | undefined {
  const [, number] = REFUSAL.exec(output) ?? [];
  return number === undefined ? undefined : Number(number);
}

/** A filter that ends the program has held. */
function killedByFilter({ signal, code }: Run): boolean {
  const SIGSYS = 31;
  return signal === "SIGSYS" || code === 128 + SIGSYS;
}

export async function judge(attempt: Attempt, bait: Bait, run: Run): Promise<Verdict> {
  const escaped = attempt.seen ? await attempt.seen(bait, run) : run.output.includes(bait.secret);
  if (escaped) return "escaped";
  // What is seen from outside only may have succeeded on something of the sandbox's own.
  const didNothing = attempt.seen !== undefined && (run.code === 0 || attempt.crash === true);
  return refusal(run) !== undefined || killedByFilter(run) || didNothing ? "held" : "could not run";
}
