// Landlock's words (linux/landlock.h, without LANDLOCK_ACCESS_FS_ and its like, in small letters): the bit of each, and the
// ABI that brought it (landlock(7)). What the newest kernels have is here too; which of it this kernel has, only it knows.

interface Word {
  readonly bit: number;
  /** The first ABI that has it. */
  readonly abi: number;
}

/** Rights to files and directories. */
export const LANDLOCK_FS = {
  execute: { bit: 0, abi: 1 },
  write_file: { bit: 1, abi: 1 },
  read_file: { bit: 2, abi: 1 },
  read_dir: { bit: 3, abi: 1 },
  remove_dir: { bit: 4, abi: 1 },
  remove_file: { bit: 5, abi: 1 },
  make_char: { bit: 6, abi: 1 },
  make_dir: { bit: 7, abi: 1 },
  make_reg: { bit: 8, abi: 1 },
  make_sock: { bit: 9, abi: 1 },
  make_fifo: { bit: 10, abi: 1 },
  make_block: { bit: 11, abi: 1 },
  make_sym: { bit: 12, abi: 1 },
  /** To link or rename from one directory into another. Before ABI 2 nobody restricted may. */
  refer: { bit: 13, abi: 2 },
  truncate: { bit: 14, abi: 3 },
  /** ioctl(2) on devices that are opened from then on. */
  ioctl_dev: { bit: 15, abi: 5 },
  /** To connect to Unix sockets that others have bound to a path. */
  resolve_unix: { bit: 16, abi: 9 },
} as const satisfies Record<string, Word>;

/** Rights to ports. */
export const LANDLOCK_NET = {
  bind_tcp: { bit: 0, abi: 4 },
  connect_tcp: { bit: 1, abi: 4 },
  bind_udp: { bit: 2, abi: 10 },
  connect_send_udp: { bit: 3, abi: 10 },
} as const satisfies Record<string, Word>;

/** What is kept to processes that are as restricted, or more. */
export const LANDLOCK_SCOPES = {
  abstract_unix_socket: { bit: 0, abi: 6 },
  signal: { bit: 1, abi: 6 },
} as const satisfies Record<string, Word>;

/** Which denials reach the audit log (landlock_restrict_self(2)). */
export const LANDLOCK_FLAGS = {
  log_same_exec_off: { bit: 0, abi: 7 },
  log_new_exec_on: { bit: 1, abi: 7 },
  log_subdomains_off: { bit: 2, abi: 7 },
} as const satisfies Record<string, Word>;

export type LandlockFsAccess = keyof typeof LANDLOCK_FS;
export type LandlockNetAccess = keyof typeof LANDLOCK_NET;
export type LandlockScope = keyof typeof LANDLOCK_SCOPES;
export type LandlockFlag = keyof typeof LANDLOCK_FLAGS;

/** The Linux that brought each ABI, for messages; the kernels of some distributions have it earlier. */
const SINCE = ["5.13", "5.19", "6.2", "6.7", "6.10", "6.12", "6.15", "7.0", "7.1", "7.2"];

/** 'ABI 5, Linux 6.10' */
export function abiWords(abi: number): string {
  const since = SINCE[abi - 1];
  return `ABI ${abi}${since === undefined ? "" : `, Linux ${since}`}`;
}

/** What each ABI brought, in words. */
const BROUGHT = [
  "files",
  "renaming across folders",
  "truncation",
  "TCP ports",
  "ioctl on devices",
  "abstract sockets and signals",
  "choice of what is logged",
  "all threads at once",
  "Unix sockets by path",
  "UDP ports",
];

/** 'ABI 2, Linux 5.19: files, renaming across folders' */
export function landlockWords(abi: number): string {
  return `${abiWords(abi)}: ${BROUGHT.slice(0, abi).join(", ")}`;
}

/** The words of a table, in the kernel's order. */
export function namesOf<K extends string>(words: Readonly<Record<K, Word>>): [K, ...K[]] {
  return Object.keys(words) as [K, ...K[]];
}

/** Path and port rules, and what else a ruleset is made of. */
export interface Landlock {
  /** What is denied but where a rule allows it. Linking and renaming across directories always is, even if not handled. */
  handledAccessFs?: LandlockFsAccess[];
  handledAccessNet?: LandlockNetAccess[];
  scoped?: LandlockScope[];
  rules?: LandlockRule[];
  /** Rights to the terminal that options.terminal opens, by itself: its path is another's once it is closed. */
  terminal?: LandlockFsAccess[];
  ports?: { port: number; access: LandlockNetAccess[] }[];
  flags?: LandlockFlag[];
  /**
   * The oldest ABI that will do: what came later is left out where the kernel lacks it, and explain() says so. With 0 all
   * of Landlock is. Default: whatever is asked for must be there.
   */
  minimumAbi?: number;
}

/** Rights to a path and everything below it. */
export interface LandlockRule {
  /** Absolute, inside the child's root; it must be there. Of the rights, a file gets those that a file can have. */
  path: string;
  access: LandlockFsAccess[];
  /** 'optional': skip a path that is missing; 'nofollow': refuse a path with a symbolic link in it. */
  options?: ("optional" | "nofollow")[];
}

/** The words of a list that this kernel has, and those that it lacks. */
export function split<K extends string>(
  words: Readonly<Record<K, Word>>,
  list: readonly K[] = [],
  abi: number,
): { known: K[]; unknown: K[] } {
  return {
    known: list.filter((word) => words[word].abi <= abi),
    unknown: list.filter((word) => words[word].abi > abi),
  };
}

/** The sum of their bits. */
export function bits<K extends string>(words: Readonly<Record<K, Word>>, list: readonly K[]): number {
  return [...new Set(list)].reduce((mask, word) => mask + 2 ** words[word].bit, 0);
}

/**
 * Whether Landlock is left out as a whole: where it may be weaker and the kernel has none, and where the kernel is so old
 * that it would not be weaker but stricter than asked for, and keep programs from renaming files.
 */
export function isLeftOut({ handledAccessFs = [], minimumAbi }: Landlock, abi: number): boolean {
  if (minimumAbi === undefined || minimumAbi > abi) return false;
  return abi === 0 || (abi < LANDLOCK_FS.refer.abi && handledAccessFs.includes("refer"));
}
