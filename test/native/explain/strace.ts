// Runs a script under strace(1) and finds in its log what the child of the last spawn did until its command ran.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { makeTemp, removeTemp } from "../../support/temp";

/** What only costs time: the event loop's, the allocator's and the threads' own. */
const NOT_TRACED = "futex,epoll_wait,epoll_pwait,epoll_ctl,madvise,mprotect,munmap,brk,exit,rseq,set_robust_list";

export interface Traced {
  readonly stdout: string;
  /** clone3(2) as the parent called it. */
  readonly clone: string;
  /** Calls of the child, or of those that it made on the way to the command, in order: 'umask(027) = 022'. */
  readonly calls: readonly string[];
  /** Calls of the parent's threads from the clone on. */
  readonly parent: readonly string[];
}

interface Line {
  readonly pid: number;
  readonly call: string;
}

const UNFINISHED = " <unfinished ...>";

/** Joins what was interrupted by another process: 'dup3(1, <unfinished ...>' and '<... dup3 resumed>2, 0) = 2'. */
function wholeLines(log: string): Line[] {
  const begun = new Map<number, { pid: number; call: string }>();
  const lines: Line[] = [];
  for (const row of log.split("\n")) {
    const [, digits, rest] = /^(\d+) +(.*)$/.exec(row) ?? [];
    if (digits === undefined || rest === undefined) continue;
    const pid = Number(digits);
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)?.[1];
    const open = begun.get(pid);
    if (resumed !== undefined && open !== undefined) {
      open.call += resumed;
      begun.delete(pid);
    } else if (rest.endsWith(UNFINISHED)) {
      const line = { pid, call: rest.slice(0, -UNFINISHED.length) };
      begun.set(pid, line);
      lines.push(line);
    } else if (/^\w+\(/.test(rest)) {
      lines.push({ pid, call: rest });
    }
  }
  return lines;
}

const isThread = ({ call }: Line): boolean => /^clone3?\(.*CLONE_THREAD/.test(call);

/** @throws Error when the log shows no spawn */
export function childCalls(log: string): Omit<Traced, "stdout"> {
  const lines = wholeLines(log);
  const at = lines.findLastIndex(({ call }) => /^clone3\(.*CLONE_VFORK/.test(call));
  const clone = lines[at];
  if (clone === undefined) throw new Error("The log shows no spawn.");
  const after = lines.slice(at + 1);
  const threads = new Set(lines.slice(0, at + 1).map(({ pid }) => pid));
  // The threads that were started since are the parent's too: the one that writes id maps.
  for (const line of lines) if (isThread(line)) threads.add(Number(/= (\d+)$/.exec(line.call)?.[1]));
  const calls: string[] = [];
  const done = new Set<number>();
  let current: number | undefined;
  for (const { pid, call } of after) {
    if (threads.has(pid) || done.has(pid)) continue;
    current ??= pid;
    if (pid !== current) continue;
    calls.push(call);
    const guard = /^clone\(.*flags=0\) = (\d+)$/.exec(call)?.[1];
    // Who waits for the end of a tree's owner, and makes nothing.
    if (guard !== undefined) done.add(Number(guard));
    else if (call.startsWith("clone(")) {
      // The helper's child takes over; what the helper does from here on is to wait.
      done.add(current);
      current = undefined;
    }
    if (call.startsWith("execve(") && / = 0$/.test(call)) break;
  }
  return { clone: clone.call, calls, parent: after.filter(({ pid }) => threads.has(pid)).map(({ call }) => call) };
}

/** @param args of node */
export async function underStrace(args: readonly string[]): Promise<Traced> {
  const folder = makeTemp("strace");
  try {
    return await trace(args, join(folder, "log"));
  } finally {
    removeTemp(folder);
  }
}

async function trace(args: readonly string[], log: string): Promise<Traced> {
  const options = ["-f", "-a1", "-s512", "-o", log, "--seccomp-bpf", "-e", `trace=!${NOT_TRACED}`];
  const child = spawn("strace", [...options, process.execPath, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  const stdout = await text(child.stdout);
  const code = await ended;
  if (code !== 0) throw new Error(`strace ended with ${code}.`);
  return { stdout, ...childCalls(readFileSync(log, "utf8")) };
}
