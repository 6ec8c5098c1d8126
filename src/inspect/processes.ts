// The processes of a sandbox, from the outside. Polled once a second while the tree is shown, so it reads three small
// files a process of the sandbox and one link a process of the machine, all off the event loop.
//
// Who belongs to it: the descendants of its PID 1 (a process whose parent dies is handed to PID 1, so none gets away),
// and what joined its PID namespace by setns(2), whose parent lies outside, with its descendants. The first are found
// through /proc/PID/task/TID/children or, where the kernel has no such file, through every process's parent; the
// second through the link ns/pid, which never changes in a process's life (setns and unshare move only its children).

import {
  AccessError,
  childrenOf,
  hasChildrenFile,
  listPids,
  parseStat,
  parseStatus,
  readProcessBytes,
  readProcessFile,
  readProcessLink,
} from "./procfs";
import { commandLine, visible } from "./text";
import type { ProcessInfo } from "./types";

/** sysconf(_SC_CLK_TCK): USER_HZ is 100 on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Bytes of a command line that are shown. */
const COMMAND_LIMIT = 4096;

/** Reads in flight at a time: enough to keep libuv's four threads busy, few enough to leave others room. */
const CONCURRENCY = 8;

async function forEach<T>(items: readonly T[], visit: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const item = items[next++];
      if (item !== undefined) {
        await visit(item);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, items.length) }, worker));
}

/** What one look at the whole machine gives; shared by all sandboxes that are asked about in the same turn. */
interface Machine {
  /** Link ns/pid by pid; without those that may not be read. */
  readonly namespaces: ReadonlyMap<number, string>;
  /** Children by pid, where the kernel does not tell them. */
  readonly children: ReadonlyMap<number, readonly number[]> | undefined;
}

async function look(): Promise<Machine> {
  const namespaces = new Map<number, string>();
  const children = (await hasChildrenFile()) ? undefined : new Map<number, number[]>();
  await forEach(await listPids(), async (pid) => {
    try {
      const link = await readProcessLink(pid, "ns/pid");
      if (link !== undefined) {
        namespaces.set(pid, link);
      }
    } catch (error) {
      if (!(error instanceof AccessError)) {
        throw error;
      }
    }
    if (children) {
      const parent = parseStat((await readProcessFile(pid, "stat")) ?? "")?.parentPid;
      if (parent !== undefined) {
        const siblings = children.get(parent);
        siblings ? siblings.push(pid) : children.set(parent, [pid]);
      }
    }
  });
  return { namespaces, children };
}

let nextLook: Promise<Machine> | undefined;

/** Callers of the same turn share one look; a later caller never gets one that began before its call. */
function machine(): Promise<Machine> {
  nextLook ??= Promise.resolve().then(() => {
    nextLook = undefined;
    return look();
  });
  return nextLook;
}

async function describe(pid: number, level: number): Promise<ProcessInfo | undefined> {
  const [statText, statusText, cmdline] = await Promise.all([
    readProcessFile(pid, "stat"),
    readProcessFile(pid, "status"),
    readProcessBytes(pid, "cmdline", COMMAND_LIMIT),
  ]);
  const stat = parseStat(statText ?? "");
  if (stat === undefined || statusText === undefined) {
    return undefined;
  }
  const status = parseStatus(statusText);
  const numbers = (key: string): number[] => (status.get(key) ?? "").split(/\s+/).map(Number);
  const name = visible(stat.name);
  // NSpid has an entry for each PID namespace from the reader's inwards: one in a nested namespace has more. One with
  // fewer is not in the sandbox: the pid was given to somebody else since it was listed.
  const insidePid = numbers("NSpid")[level];
  if (insidePid === undefined) {
    return undefined;
  }
  return {
    pid,
    insidePid,
    parentPid: stat.parentPid,
    command: commandLine(cmdline ?? Buffer.alloc(0), cmdline?.length === COMMAND_LIMIT) ?? `[${name}]`,
    name,
    state: stat.state,
    startTime: stat.startTime,
    uid: numbers("Uid")[1] ?? 0,
    gid: numbers("Gid")[1] ?? 0,
    // "1640 kB", whose unit is fixed (proc_pid_status(5)); a zombie has no such line.
    rss: (numbers("VmRSS")[0] ?? 0) * 1024,
    cpuTime: stat.cpuTicks / TICKS_PER_SECOND,
    threads: stat.threads,
  };
}

/** How many PID namespaces a process is inside of, from the reader's on: 0 in his own. */
function pidLevel(status: string): number {
  return (parseStatus(status).get("NSpid") ?? "").split(/\s+/).length - 1;
}

/**
 * The processes of a sandbox, PID 1 first, then by pid.
 * @param initPid outside pid of its PID 1
 * @returns empty once it has ended
 * @throws AccessError when the kernel does not let us see into the sandbox
 */
export async function processes(initPid: number): Promise<ProcessInfo[]> {
  const [own, seen, status] = await Promise.all([
    readProcessFile(process.pid, "status"),
    machine(),
    readProcessFile(initPid, "status"),
  ]);
  if (status === undefined) {
    return [];
  }
  const level = pidLevel(status);
  // A "sandbox" without a PID namespace of its own is its tree alone: by the link it would be the whole machine. What looks
  // after it shows its links to nobody.
  const namespace = level > pidLevel(own ?? "") ? await readProcessLink(initPid, "ns/pid") : undefined;
  const members = new Set<number>();
  const add = async (pid: number): Promise<void> => {
    if (!members.has(pid)) {
      members.add(pid);
      await forEach(seen.children ? (seen.children.get(pid) ?? []) : await childrenOf(pid), add);
    }
  };
  await add(initPid);
  if (namespace !== undefined) {
    await forEach(
      [...seen.namespaces].filter(([, link]) => link === namespace).map(([pid]) => pid),
      add,
    );
  }
  const infos: ProcessInfo[] = [];
  await forEach([...members], async (pid) => {
    const info = await describe(pid, level);
    if (info) {
      infos.push(info);
    }
  });
  return infos.sort((a, b) => Number(b.pid === initPid) - Number(a.pid === initPid) || a.pid - b.pid);
}
