// What the readers of /proc and of cgroupfs give back. Plain data, so that it can be shown, compared and sent.

import type { IdMapping } from "../spawner/types";

export interface ProcessInfo {
  /** As the editor sees it. */
  readonly pid: number;
  /** As the processes of the sandbox see it. */
  readonly insidePid: number;
  /** Outside pid of the parent; lies outside the sandbox for its PID 1 and for what joined by setns(2). */
  readonly parentPid: number;
  /** The command line, arguments quoted where they have spaces, control characters made visible; "[name]" where there is none. */
  readonly command: string;
  /** comm, proc_pid_comm(5): at most 15 bytes. */
  readonly name: string;
  /** One letter, proc_pid_stat(5): R, S, D, Z, T, t, I, X. */
  readonly state: string;
  /** Clock ticks after boot, as the kernel prints them; with the pid it names a process for good. */
  readonly startTime: string;
  /** Effective ids, as the editor's user namespace sees them. */
  readonly uid: number;
  readonly gid: number;
  /** Resident size in bytes. */
  readonly rss: number;
  /** Seconds of CPU, user and system. */
  readonly cpuTime: number;
  readonly threads: number;
}

export const NAMESPACE_TYPES = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"] as const;
export type NamespaceType = (typeof NAMESPACE_TYPES)[number];

export interface NamespaceInfo {
  readonly type: NamespaceType;
  /** The number in the link /proc/PID/ns/TYPE; two processes are in the same namespace exactly when it is the same. */
  readonly inode: number;
  /** The editor is in the same one. */
  readonly shared: boolean;
}

/** The five sets of capabilities(7), by name. */
export interface CapabilityInfo {
  readonly effective: readonly string[];
  readonly permitted: readonly string[];
  readonly inheritable: readonly string[];
  readonly bounding: readonly string[];
  readonly ambient: readonly string[];
}

export interface IdMappingInfo {
  readonly uid: readonly IdMapping[];
  readonly gid: readonly IdMapping[];
  /** proc_pid_setgroups(5). */
  readonly setgroups: "allow" | "deny" | undefined;
}

export interface LimitInfo {
  /** As the kernel prints it: "Max open files". */
  readonly name: string;
  /** undefined: unlimited. */
  readonly soft: number | undefined;
  readonly hard: number | undefined;
  /** "bytes", "seconds", "processes", ...; empty where the kernel gives none. */
  readonly unit: string;
}

/** Figures of a cgroup v2 directory; one that the kernel or the controllers turned on do not offer is absent. */
export interface CgroupFigures {
  readonly populated?: boolean;
  readonly frozen?: boolean;
  readonly descendants?: number;
  /** Bytes. */
  readonly memoryCurrent?: number;
  readonly memoryPeak?: number;
  /** undefined also when it is "max". */
  readonly memoryMax?: number;
  /** Bytes, beyond the memory. */
  readonly swapCurrent?: number;
  readonly swapMax?: number;
  readonly pidsCurrent?: number;
  readonly pidsMax?: number;
  /** CPUs that it may use at a time. */
  readonly cpuMax?: number;
  /** Seconds. */
  readonly cpuTime?: number;
}

export interface CgroupInfo extends CgroupFigures {
  /** As in /proc/PID/cgroup: from the root of the reader's cgroup namespace. */
  readonly path: string;
  /** The v1 hierarchies, where there are any: controllers and path. */
  readonly legacy: readonly { readonly controllers: string; readonly path: string }[];
}

export type SeccompMode = "off" | "strict" | "filter";

export interface SecurityInfo {
  readonly seccomp: SeccompMode | undefined;
  readonly seccompFilters: number | undefined;
  readonly noNewPrivileges: boolean | undefined;
  /** What AppArmor, SELinux or Smack calls the process; undefined without one of them. */
  readonly label: string | undefined;
}

/** Stands for a value that the kernel refused to give. */
export interface Denied {
  readonly denied: true;
  /** What was refused, in words. */
  readonly message: string;
}

/** A value; undefined when the process has ended; Denied when the kernel refused. */
export type Reading<T> = T | undefined | Denied;

export interface ProcessDetails {
  readonly namespaces: Reading<readonly NamespaceInfo[]>;
  readonly capabilities: Reading<CapabilityInfo>;
  readonly idMappings: Reading<IdMappingInfo>;
  readonly limits: Reading<readonly LimitInfo[]>;
  readonly cgroup: Reading<CgroupInfo>;
  readonly security: Reading<SecurityInfo>;
}
