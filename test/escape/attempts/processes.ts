// Other processes: the user's, outside, and the sandbox's own PID 1, which decides about its end.

import type { Attempt } from "../attempt";
import type { Bait, Victim } from "../bait";

/** An attempt on a process outside, by the number that it has there. */
function onVictim(name: string, words: (victim: Victim, bait: Bait) => string[], more: Partial<Attempt> = {}): Attempt {
  return { group: "processes", name, lay: async (bait) => words(await bait.victim(), bait), ...more };
}

/** An attempt on the sandbox's PID 1; the control has the process outside in its place. */
function onFirst(name: string, words: (pid: string, bait: Bait) => string[]): Attempt {
  const lay = async (bait: Bait, inside: boolean): Promise<string[]> =>
    words(inside ? "1" : String((await bait.victim()).pid), bait);
  return { group: "processes", name, lay };
}

const signalled = (bait: Bait): Promise<boolean> => bait.signalled();

export const processes: readonly Attempt[] = [
  onVictim("signal a process outside", ({ pid }) => ["signal-by-pid", `${pid}`], { seen: signalled }),
  onVictim("signal a process outside by pidfd", ({ pid }) => ["signal-by-pidfd", `${pid}`], { seen: signalled }),
  onVictim("have the kernel signal a process outside", ({ pid }) => ["signal-by-owner", `${pid}`], {
    seen: signalled,
  }),
  onVictim("trace a process outside", ({ pid }, { secret }) => ["trace", `${pid}`, secret]),
  onVictim("read the memory of a process outside", ({ pid, address }) => ["read-memory", `${pid}`, address]),
  onVictim("read it by /proc/PID/mem", ({ pid, address }) => ["read-memory-file", `${pid}`, address]),
  onVictim("take an open file from a process outside", ({ pid, fd }) => ["take-descriptor", `${pid}`, fd]),
  onVictim("compare itself with a process outside", ({ pid }, { secret }) => ["compare", `${pid}`, secret]),
  onVictim("limit a process outside", ({ pid }, { secret }) => ["change-limit", `${pid}`, secret]),
  onVictim("slow a process outside down", ({ pid }, { secret }) => ["change-priority", `${pid}`, secret]),
  onFirst("trace the sandbox's PID 1", (pid, { secret }) => ["trace", pid, secret]),
  onFirst("write the memory of the sandbox's PID 1", (pid, { secret }) => ["write-memory", pid, secret]),
  onFirst("write over the program of the sandbox's PID 1", (pid, { secret }) => ["overwrite-program", pid, secret]),
];
