// Resource limits as /proc/PID/limits shows them (proc_pid_limits(5)).

export interface Limit {
  readonly soft: number;
  readonly hard: number;
}

const TITLES: Readonly<Record<string, string>> = {
  RLIMIT_CPU: "Max cpu time",
  RLIMIT_FSIZE: "Max file size",
  RLIMIT_DATA: "Max data size",
  RLIMIT_STACK: "Max stack size",
  RLIMIT_CORE: "Max core file size",
  RLIMIT_RSS: "Max resident set",
  RLIMIT_NPROC: "Max processes",
  RLIMIT_NOFILE: "Max open files",
  RLIMIT_MEMLOCK: "Max locked memory",
  RLIMIT_AS: "Max address space",
  RLIMIT_LOCKS: "Max file locks",
  RLIMIT_SIGPENDING: "Max pending signals",
  RLIMIT_MSGQUEUE: "Max msgqueue size",
  RLIMIT_NICE: "Max nice priority",
  RLIMIT_RTPRIO: "Max realtime priority",
  RLIMIT_RTTIME: "Max realtime timeout",
};

/** A limit by its name in getrlimit(2), Infinity for none; undefined when the table does not have it. */
export function limitIn(table: string, type: string): Limit | undefined {
  const title = TITLES[type];
  if (title === undefined) return undefined;
  const [, soft, hard] = new RegExp(`^${title} +(\\S+) +(\\S+)`, "m").exec(table) ?? [];
  if (soft === undefined || hard === undefined) return undefined;
  const number = (word: string): number => (word === "unlimited" ? Number.POSITIVE_INFINITY : Number(word));
  return { soft: number(soft), hard: number(hard) };
}
