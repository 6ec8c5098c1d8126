// Facts about this process that decide what the kernel will let it do. Each is read from /proc when a rule first asks
// for it; what cannot be read is taken to allow everything, because then only the kernel knows.

import * as fs from "node:fs";
import * as os from "node:os";
import { CAPABILITIES, type Capability } from "./capabilities";
import { landlockAbi } from "./landlock-abi";
import { type OpenFilesLimit, openFilesLimit } from "./open-files-limit";
import { limitIn } from "./proc-limits";

/** Ids that exist in a user namespace: `size` of them from `first` on. */
export interface IdRange {
  readonly first: number;
  readonly size: number;
}

/** Who is asking. */
export interface Caller {
  /** Effective ids. */
  readonly uid: number;
  readonly gid: number;
  /** Real, effective and saved ids: what anybody may become without a capability (setresuid(2)). */
  readonly uids: readonly number[];
  readonly gids: readonly number[];
  readonly effective: ReadonlySet<Capability>;
  readonly permitted: ReadonlySet<Capability>;
  readonly inheritable: ReadonlySet<Capability>;
  /** For certain: its root is no mount. One whose root is a mount below the real root can't be told. */
  readonly chrooted: boolean;
  /** Ids mapped in our own user namespace. */
  readonly uidRanges: readonly IdRange[];
  readonly gidRanges: readonly IdRange[];
  /** Whether our own user namespace allows setgroups(2). */
  readonly setgroups: boolean;
  /** RLIMIT_NOFILE, and what it was before Node raised it. */
  readonly openFiles: OpenFilesLimit;
  /** Our hard limit, Infinity for none. */
  hardLimit(type: string): number;
  /** /proc/sys/fs/nr_open: no RLIMIT_NOFILE goes beyond it. */
  readonly maxOpenFiles: number;
  /** Seconds that the kernel's own clocks show, without the offsets of our time namespace. */
  readonly clocks: Readonly<Record<"monotonic" | "boottime", number>>;
  /** The newest ABI of the kernel's Landlock; 0, or minus an errno, where there is none. */
  readonly landlockAbi: number;
  /**
   * Whether execve(2) enters a time namespace that was unshared; before Linux 6.2 only the next fork does (kernel commit
   * 2b5f9dad32ed, "fs/exec: switch timens when a task gets a new mm").
   */
  readonly execEntersTime: boolean;
  /** What one of our fds points to, as /proc/self/fd shows it ('net:[4026531840]'); undefined when it is not open. */
  fdTarget(fd: number): string | undefined;
}

type Ids = Pick<Caller, "uids" | "gids">;
type Sets = Pick<Caller, "effective" | "permitted" | "inheritable">;

const EVERY_ID: readonly IdRange[] = [{ first: 0, size: 0xffff_ffff }];
const EVERYTHING: ReadonlySet<Capability> = new Set(CAPABILITIES);

function readProc(name: string): string | undefined {
  try {
    return fs.readFileSync(`/proc/${name}`, "utf8");
  } catch {
    return undefined;
  }
}

function capabilitySet(mask: string | undefined): ReadonlySet<Capability> {
  if (mask === undefined) return EVERYTHING;
  const bits = BigInt(`0x${mask}`);
  return new Set(CAPABILITIES.filter((_, i) => ((bits >> BigInt(i)) & 1n) === 1n));
}

function readStatus(uid: number, gid: number): Ids & Sets {
  const status = readProc("self/status") ?? "";
  const field = (name: string): string | undefined => new RegExp(`^${name}:\\t(.*)$`, "m").exec(status)?.[1];
  const ids = (name: string, own: number): number[] => field(name)?.split("\t").slice(0, 3).map(Number) ?? [own];
  return {
    uids: ids("Uid", uid),
    gids: ids("Gid", gid),
    effective: capabilitySet(field("CapEff")),
    permitted: capabilitySet(field("CapPrm")),
    inheritable: capabilitySet(field("CapInh")),
  };
}

function readRanges(name: string): readonly IdRange[] {
  const lines = readProc(name)?.trim();
  if (lines === undefined) return EVERY_ID;
  return lines.split("\n").flatMap((line) => {
    const [first, , size] = line.trim().split(/\s+/).map(Number);
    return first === undefined || size === undefined ? [] : [{ first, size }];
  });
}

/** current_chrooted() of the kernel, as far as it shows: after chroot(2) no mount is at "/" (proc_pid_mountinfo(5)). */
function readChrooted(): boolean {
  const mounts = readProc("self/mountinfo");
  return mounts !== undefined && mounts !== "" && !/^\S+ \S+ \S+ \S+ \/ /m.test(mounts);
}

/** time_namespaces(7): what our own clocks are ahead of the kernel's, in seconds. */
function readClockOffset(clock: string): number {
  const line = new RegExp(`^${clock}\\s+(-?\\d+)`, "m").exec(readProc("self/timens_offsets") ?? "");
  return Number(line?.[1] ?? 0);
}

/** A release that can't be read is taken for a newer one. */
function isAtLeast(release: string, major: number, minor: number): boolean {
  const [, first = major, second = minor] = (/^(\d+)\.(\d+)/.exec(release) ?? []).map(Number);
  return first > major || (first === major && second >= minor);
}

const cache = new Map<string, unknown>();

/** Facts that don't change while this process lives, or only with its ids, which are then part of the key. */
function once<T>(key: string, read: () => T): T {
  if (!cache.has(key)) cache.set(key, read());
  return cache.get(key) as T;
}

class ThisProcess implements Caller {
  readonly uid = process.geteuid?.() ?? 0;
  readonly gid = process.getegid?.() ?? 0;

  #read: (Ids & Sets) | undefined;

  get #status(): Ids & Sets {
    if (this.#read === undefined) {
      // Nothing in Node changes capabilities but a change of user does.
      const key = `status ${process.getuid?.()} ${this.uid} ${process.getgid?.()} ${this.gid}`;
      this.#read = once(key, () => readStatus(this.uid, this.gid));
    }
    return this.#read;
  }
  get uids(): readonly number[] {
    return this.#status.uids;
  }
  get gids(): readonly number[] {
    return this.#status.gids;
  }
  get effective(): ReadonlySet<Capability> {
    return this.#status.effective;
  }
  get permitted(): ReadonlySet<Capability> {
    return this.#status.permitted;
  }
  get inheritable(): ReadonlySet<Capability> {
    return this.#status.inheritable;
  }
  get chrooted(): boolean {
    return once("chrooted", readChrooted);
  }
  get uidRanges(): readonly IdRange[] {
    return once("uid_map", () => readRanges("self/uid_map"));
  }
  get gidRanges(): readonly IdRange[] {
    return once("gid_map", () => readRanges("self/gid_map"));
  }
  get setgroups(): boolean {
    return once("setgroups", () => readProc("self/setgroups")?.trim() !== "deny");
  }
  get clocks(): Caller["clocks"] {
    const monotonic = Number(process.hrtime.bigint() / 1_000_000_000n) - readClockOffset("monotonic");
    const uptime = Number(/^\d+/.exec(readProc("uptime") ?? "")?.[0] ?? Number.POSITIVE_INFINITY);
    return { monotonic, boottime: uptime - readClockOffset("boottime") };
  }
  get openFiles(): OpenFilesLimit {
    return openFilesLimit();
  }
  get maxOpenFiles(): number {
    return Number(readProc("sys/fs/nr_open") ?? Number.POSITIVE_INFINITY);
  }

  get landlockAbi(): number {
    return landlockAbi();
  }

  get execEntersTime(): boolean {
    return isAtLeast(os.release(), 6, 2);
  }

  hardLimit(type: string): number {
    return limitIn(readProc("self/limits") ?? "", type)?.hard ?? Number.POSITIVE_INFINITY;
  }

  fdTarget(fd: number): string | undefined {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return undefined;
    }
  }
}

/** This process as it is now. */
export function currentCaller(): Caller {
  return new ThisProcess();
}
