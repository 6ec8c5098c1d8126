// What a sandbox is to the rest of the extension: the shapes of section 5 of the design, without behaviour.

import type { CgroupFigures } from "../inspect/types";
import type { ExitStatus, Process, StdioEntry, TerminalOptions } from "../spawner/types";
import type { Denial } from "./denials";
import type { HostFacts } from "./host";
import type { ResolvedProfile } from "./schema";

/**
 * What holds a sandbox: namespaces, with everything else as further walls; or Landlock alone, which is less, where
 * namespaces are refused and the profile allows it (`fallback`).
 */
export type Isolation = "namespaces" | "landlock";

export type WorkspaceAccess = "readwrite" | "readonly" | "copy-on-write";

export interface SandboxCommand {
  /** Looked up on the sandbox's PATH, inside its root. */
  file: string;
  args?: readonly string[];
  /** Default: the workspace. Must be visible inside the sandbox. */
  cwd?: string;
  /** What the profile's environment rule then filters. Default: process.env. */
  env?: Record<string, string | undefined>;
  stdio?: "pipe" | "ignore" | "inherit" | StdioEntry[];
  terminal?: TerminalOptions;
  /** Shown in the tree; default: the command line. */
  name?: string;
}

export interface RunContext {
  /** Absolute path of the folder the sandbox may work in. */
  workspace: string;
  /** Default: os.homedir(). */
  home?: string;
}

/**
 * Whether a sandbox may be made of a profile and of the machine as it is; throws when it may not. "asked": somebody had to
 * be asked, which takes time in which the machine may have changed, so it is called again with what is true now.
 */
export type Consent = (profile: ResolvedProfile, facts: HostFacts) => Promise<"known" | "asked">;

export interface SandboxStats {
  /** Processes alive inside, PID 1 of ours left out. */
  processes: number;
  /** Seconds of CPU used by those that live. */
  cpuTime: number;
  /** Sum of resident sizes, bytes (shared pages counted in each). */
  rss: number;
  /** What its cgroup counts and limits; absent without one. */
  cgroup?: CgroupFigures;
}

export interface Sandbox {
  /** Unique for the life of the editor; stable, so that it can be a tree item's id. */
  readonly id: string;
  readonly name: string;
  readonly profile: string;
  readonly isolation: Isolation;
  readonly workspace: string;
  readonly startedAt: Date;
  readonly process: Process;
  /** As process.exited, with the limit that ended it, once nothing of it is left. Never rejects. */
  readonly exited: Promise<ExitStatus>;
  /** Between freeze() and thaw(). */
  readonly frozen: boolean;
  /** Send a signal to every process inside; SIGKILL ends them all. Default: SIGTERM. False once it has ended. */
  kill(signal?: NodeJS.Signals): boolean;
  /** SIGTERM to all, SIGKILL after `graceMs`; resolves when the last process is gone. */
  terminate(graceMs: number): Promise<ExitStatus>;
  /**
   * Stops every process inside: by its cgroup, which nothing in it can notice or undo; without one by SIGSTOP. A signal
   * but SIGKILL waits until it is thawed.
   */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  stats(): Promise<SandboxStats>;
  /** What its cgroup counts, and its limits, without a look at the processes; undefined without one, or once it has ended. */
  figures(): Promise<CgroupFigures | undefined>;
  /** What it refused so far, in the order of the first time; at most a hundred. */
  readonly denials: readonly Denial[];
  /**
   * Takes what its programs print, in pieces of any length: what they say was refused becomes a hint in `denials`.
   * @returns when the hints of all that was taken so far are there; never rejects
   */
  observe(output: string): Promise<void>;
  /** Calls back when `denials` has changed, at most ten times a second. */
  onDidChange(listener: () => void): { dispose(): void };
  /**
   * Runs one more command inside: in the same namespaces, with the same rules for its variables and no more privileges. It
   * ends with the sandbox at the latest. Under Landlock alone there is no world to join: it is a second one with the same
   * rules and the same folders, whose processes can't signal the first one's.
   * @throws SandboxError when the sandbox has ended; OptionsError, SpawnError
   */
  exec(command: Omit<SandboxCommand, "name">): Promise<Process>;
  /** What is known once it has ended, after `exited`. Never rejects. */
  readonly ended: Promise<EndedSandbox>;
}

/** A sandbox that refused something: one that runs, or one that has ended. */
export type DenialOwner = Pick<EndedSandbox, "id" | "name" | "profile" | "workspace" | "denials">;

export interface EndedSandbox {
  readonly id: string;
  readonly name: string;
  readonly profile: string;
  readonly isolation: Isolation;
  readonly workspace: string;
  readonly startedAt: Date;
  readonly endedAt: Date;
  readonly status: ExitStatus;
  /** Hints may still be added in the moments after the end. */
  readonly denials: readonly Denial[];
  /** What the user should look at: protected paths that the task made where there were none. */
  readonly warnings: readonly string[];
}
