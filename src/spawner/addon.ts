// The one file that touches the addon: finds it beside the bundle, loads it on first use, and types its face.

import * as fs from "node:fs";
import { createRequire } from "node:module";
import * as path from "node:path";

/** Numbers from the child's error record, or from the parent's side of the spawn. */
export interface NativeFailure {
  step: number;
  index: number;
  errno: number;
  /** Number of the system call; 0 when none failed. */
  syscall: number;
}

export interface NativeChild {
  pid: number;
  pidfd: number;
  /** Our end of each stdio entry, -1 where there is none. */
  fds: number[];
  terminal: number;
  /** With NativeRequest.trace: for traceeWait() and traceeRequest(). */
  tracee?: object;
  /** The signal of its first stop; 0 when it ended before. */
  signal?: number;
  /** With NativeRequest.answers, where the kernel tells: for openListener(). */
  denials?: object;
}

export interface NativeExit {
  errno?: number;
  /** The status word of wait(2). */
  status: number;
  userTime: number;
  systemTime: number;
  maxRss: number;
  wallTime: number;
}

export interface NativeStop {
  errno: number;
  /** What stopped it; 0 when it has ended. */
  signal: number;
}

export interface NativeRequest {
  plan: Uint8Array;
  /** Run by the helper executable once the plan has executed it. */
  helperPlan?: Uint8Array;
  /** The helper runs the whole plan: it gets what the child would need for that. */
  helperSetsUp: boolean;
  cloneFlags: number;
  cgroupFd: number;
  terminal: boolean;
  maps?: { setgroups: string; uidMap: string; gidMap: string };
  stdio: number[];
  /** Fds of ours that steps name by their place in this list. */
  extraFds: number[];
  trace: boolean;
  /** The plan has a filter that tells of what it refuses, and somebody wants to know: what those calls get. */
  answers?: NativeAnswers;
}

/** A system call filter, with numbers for all names (native/seccomp_filter.h). */
export interface NativeFilter {
  /** SCMP_ARCH_*, beside this machine's own. */
  architectures: number[];
  foreignAction: number;
  defaultAction: number;
  newerAreMissing: boolean;
  /** Asked one after the other. */
  parts: {
    syscall: number;
    action: number;
    args: { index: number; op: number; value: number | bigint; valueTwo: number | bigint }[];
  }[][];
}

/** The errnos that refused calls get when somebody is told of them. */
export interface NativeAnswers {
  readonly others: number;
  readonly bySyscall: readonly (readonly [syscall: number, errno: number])[];
}

export interface NativeDenial {
  syscall: number;
  /** A socket's family, an ioctl's request, the flags of a clone; 0 where no argument says more. */
  argument: number;
  /** Of the process that tried first. */
  command: string;
  count: number;
}

/** Entries of NativeRequest.stdio that are no fd. */
export const STDIO = { closed: -1, null: -2, pipe: -3 } as const;

export interface Addon {
  readonly operations: Readonly<Record<string, { code: number; signature: string }>>;
  readonly syscallNames: Readonly<Record<number, string>>;
  /** `exited` is called once the child, if there is one, has ended; its pidfd is closed by then. */
  spawn(
    request: NativeRequest,
    done: (result: NativeFailure | NativeChild) => void,
    exited: (exit: NativeExit) => void,
  ): object;
  /** To be told of fds that are wrapped in streams now; before, they are closed if this thread is terminated. */
  taken(fds: readonly number[]): void;
  cancel(spawn: object): void;
  /** A process that is left to its parent to reap; takes over the pidfd. */
  watch(pidfd: number, exited: (exit: NativeExit) => void): void;
  setHelper(executable: Uint8Array, file: string): void;
  pidfdOpen(pid: number): number;
  pidfdSendSignal(pidfd: number, signal: number, broadcast: boolean): void;
  /** Takes over the master; the callback gets null at the end. After terminalClose() the others do nothing. */
  openTerminal(master: number, output: (chunk: Buffer | null) => void): object;
  terminalRead(terminal: object, reading: boolean): void;
  terminalWrite(terminal: object, data: Uint8Array): void;
  terminalResize(terminal: object, columns: number, rows: number): void;
  terminalClose(terminal: object): void;
  /** It was reaped: waits and requests find nothing any more. */
  traceeForget(tracee: object): void;
  traceeWait(tracee: object, stopped: (stop: NativeStop) => void): void;
  traceeRequest(
    tracee: object,
    what: "continue" | "detach",
    signal: number,
    done: (result: { errno: number }) => void,
  ): void;
  /** The newest ABI of the kernel's Landlock, or minus an errno. */
  landlockAbi(): number;
  duplicate(fd: number): number;
  /** struct sock_filter[] */
  compileFilter(filter: NativeFilter): Uint8Array;
  /** Negative for one that only other architectures have; undefined for a name that libseccomp does not know. */
  syscallNumber(name: string): number | undefined;
  syscallName(number: number): string | undefined;
  knownSyscalls(): string[];
  /** `denied` is called when there is something to take, and not again before it is taken. */
  openListener(denials: object, denied: () => void): object;
  listenerTake(listener: object): NativeDenial[];
  /** What is refused from now on fails with ENOSYS, and nobody is told. */
  listenerClose(listener: object): void;
}

let loaded: Addon | undefined;

/**
 * The addon, loaded on first use.
 * @throws Error that says why it cannot be loaded here
 */
export function addon(): Addon {
  if (loaded !== undefined) return loaded;
  if (process.platform !== "linux") {
    throw new Error(`Sandboxes are made of Linux namespaces; this is ${process.platform}.`);
  }
  const folder = path.join(__dirname, "native");
  const file = path.join(folder, "spawner.node");
  let native: Addon;
  try {
    native = createRequire(file)(file) as Addon; // the real require: webpack rewrites the bare word
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot load ${file} on ${process.arch}: ${why}. Install the build for this platform.`);
  }
  const helper = path.join(folder, "sandbox-init");
  native.setHelper(fs.readFileSync(helper), helper);
  loaded = native;
  return native;
}
