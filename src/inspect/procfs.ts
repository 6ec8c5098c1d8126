// The one module that touches /proc. Everything here reads; nothing is written. A process may end between any two
// reads, so a file that is gone is an answer (undefined) and not an error; a refusal is an error of its own kind,
// because "you may not see it" must never be shown as "there is none".

import { readFileSync } from "node:fs";
import { access, open, readdir, readFile, readlink } from "node:fs/promises";

/** The kernel refused to show a file of another process; ptrace(2), "Ptrace access mode checking". */
export class AccessError extends Error {
  override readonly name = "AccessError";

  constructor(
    readonly path: string,
    readonly code: string,
  ) {
    super(
      `${path} can't be read: ${code}. The process belongs to another user, or to a user namespace this one does not own.`,
    );
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** ENOENT before the process is there or after it was reaped; ESRCH when it ended after open(2). */
function isGone(error: unknown): boolean {
  const code = codeOf(error);
  return code === "ENOENT" || code === "ESRCH";
}

async function whenThere<T>(path: string, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    const code = codeOf(error);
    if (isGone(error)) {
      return undefined;
    }
    if (code === "EACCES" || code === "EPERM") {
      throw new AccessError(path, code);
    }
    throw error;
  }
}

/**
 * A file of a process as text. Bytes that are not UTF-8 become U+FFFD.
 * @returns undefined once the process is gone
 * @throws AccessError
 */
export async function readProcessFile(pid: number, file: string): Promise<string | undefined> {
  const path = `/proc/${pid}/${file}`;
  return whenThere(path, () => readFile(path, "utf8"));
}

/**
 * At most `limit` bytes from the beginning of a file of a process. A command line may be megabytes long.
 * @returns undefined once the process is gone
 * @throws AccessError
 */
export async function readProcessBytes(pid: number, file: string, limit: number): Promise<Buffer | undefined> {
  const path = `/proc/${pid}/${file}`;
  return whenThere(path, async () => {
    const handle = await open(path, "r");
    try {
      const buffer = Buffer.alloc(limit);
      let length = 0;
      while (length < limit) {
        const { bytesRead } = await handle.read(buffer, length, limit - length, null);
        if (bytesRead === 0) {
          break;
        }
        length += bytesRead;
      }
      return buffer.subarray(0, length);
    } finally {
      await handle.close();
    }
  });
}

/**
 * A link of a process, such as "ns/pid" ("pid:[4026531836]").
 * @returns undefined once the process is gone
 * @throws AccessError
 */
export async function readProcessLink(pid: number | "self", file: string): Promise<string | undefined> {
  const path = `/proc/${pid}/${file}`;
  return whenThere(path, () => readlink(path));
}

/** Every pid that this process can see. */
export async function listPids(): Promise<number[]> {
  const pids: number[] = [];
  for (const name of await readdir("/proc")) {
    const pid = Number(name);
    if (Number.isInteger(pid) && pid > 0) {
      pids.push(pid);
    }
  }
  return pids;
}

let childrenFileThere: Promise<boolean> | undefined;

/** Whether the kernel has /proc/PID/task/TID/children: CONFIG_PROC_CHILDREN, which small kernels leave out. */
export function hasChildrenFile(): Promise<boolean> {
  childrenFileThere ??= access(`/proc/${process.pid}/task/${process.pid}/children`).then(
    () => true,
    () => false,
  );
  return childrenFileThere;
}

/**
 * Pids of the children of all threads of a process, proc_pid_children(5). Not a snapshot: the man page warns that it
 * may leave out some while they come and go. Empty once the process is gone.
 */
export async function childrenOf(pid: number): Promise<number[]> {
  const threads = (await whenThere(`/proc/${pid}/task`, () => readdir(`/proc/${pid}/task`))) ?? [];
  const lists = await Promise.all(threads.map((thread) => readProcessFile(pid, `task/${thread}/children`)));
  return lists.flatMap((list) => (list ?? "").split(" ").filter(Boolean).map(Number));
}

/**
 * The start time of a process, read without giving up the turn: between this check and the use of a pidfd nothing else
 * of ours runs. Clock ticks after boot.
 * @returns undefined once the process is gone
 */
export function startTimeSync(pid: number): string | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"))?.startTime;
  } catch (error) {
    if (isGone(error)) {
      return undefined;
    }
    throw error;
  }
}

/** A file of the system or of this process ("net/unix", "self/mountinfo"); undefined where it can't be read. */
export async function readSystemFile(file: string): Promise<string | undefined> {
  try {
    return await readFile(`/proc/${file}`, "utf8");
  } catch (error) {
    if (codeOf(error) === undefined) {
      throw error;
    }
    return undefined;
  }
}

export interface Stat {
  readonly name: string;
  readonly state: string;
  readonly parentPid: number;
  /** Clock ticks. */
  readonly cpuTicks: number;
  readonly threads: number;
  readonly startTime: string;
}

/**
 * The line of /proc/PID/stat. The name stands in parentheses and may itself hold spaces, parentheses and what looks
 * like the rest of the line, so the last ')' ends it. The kernel writes newline and backslash in it as "\n" and "\\"
 * (proc_task_name in fs/proc/array.c).
 */
export function parseStat(text: string): Stat | undefined {
  const open = text.indexOf("(");
  const close = text.lastIndexOf(")");
  if (open < 0 || close < open) {
    return undefined;
  }
  const name = text.slice(open + 1, close).replace(/\\(n|\\)/g, (_, code: string) => (code === "n" ? "\n" : "\\"));
  // Field 3 of proc_pid_stat(5) is the first after the name.
  const fields = text
    .slice(close + 1)
    .trim()
    .split(" ");
  const field = (number: number): string | undefined => fields[number - 3];
  const [state, startTime] = [field(3), field(22)];
  if (state === undefined || startTime === undefined) {
    return undefined;
  }
  return {
    name,
    state,
    parentPid: Number(field(4)),
    cpuTicks: Number(field(14)) + Number(field(15)),
    threads: Number(field(20)),
    startTime,
  };
}

/** "Key:\tvalue" lines of /proc/PID/status, without the white space around the value. */
export function parseStatus(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) {
      values.set(line.slice(0, colon), line.slice(colon + 1).trim());
    }
  }
  return values;
}
