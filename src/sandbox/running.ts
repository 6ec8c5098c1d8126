// A sandbox that runs: what is known of it, what can be done to it, and its end.

import { closeSync } from "node:fs";
import { processes } from "../inspect/processes";
import type { CgroupFigures } from "../inspect/types";
import {
  type ExitStatus,
  type Process,
  pidfdDuplicate,
  SpawnError,
  type SpawnOptions,
  signalNamespace,
  spawn,
} from "../spawner";
import type { AloneWorld } from "./alone";
import { caretakers } from "./caretakers";
import { limitReached, type SandboxCgroup } from "./cgroups";
import type { Denial, DenialLog } from "./denials";
import { SandboxError } from "./errors";
import { HintReader, onHost } from "./hint-reader";
import { type Finding, hintOf, pathOf } from "./hints";
import type { HostFacts } from "./host";
import { compileJoin } from "./join";
import { layout, type Place } from "./layout";
import type { ResolvedProfile } from "./schema";
import { FOREIGN_CALL } from "./seccomp/told";
import type { EndedSandbox, Isolation, Sandbox, SandboxCommand, SandboxStats } from "./types";
import { createdProtectedPaths } from "./workspace";

let count = 0;

/** Words for a tree item: the command line, with its white space drawn together. */
function nameOf(command: SandboxCommand): string {
  return command.name ?? [command.file, ...(command.args ?? [])].join(" ").replace(/\s+/g, " ").trim();
}

/**
 * What to know when the super-user's editor opens somebody else's folder, as dev containers do: root in a sandbox has no
 * capability, so the permission bits hold for it too.
 */
function foreignWorkspace({ uid, gid, workspace, workspaceOwner }: HostFacts): string | undefined {
  if (uid !== 0 || workspaceOwner === undefined || workspaceOwner.uid === uid) {
    return undefined;
  }
  const isWritable = (workspaceOwner.mode & (workspaceOwner.gid === gid ? 0o020 : 0o002)) !== 0;
  return isWritable
    ? undefined
    : `${workspace} belongs to user ${workspaceOwner.uid}, and root in a sandbox has no right over the files of others: the task could not write there. Run the editor as that user, or give the folder to root (chown -R root).`;
}

/** What was started, and what it was started with. */
export interface Started {
  readonly process: Process;
  readonly options: SpawnOptions;
  readonly facts: HostFacts;
  readonly log: DenialLog;
  readonly cgroup: SandboxCgroup | undefined;
  /** Where Landlock alone holds it. */
  readonly alone?: AloneWorld;
}

export class RunningSandbox implements Sandbox {
  readonly id: string;
  readonly name: string;
  readonly profile: string;
  readonly workspace: string;
  readonly startedAt = new Date();
  readonly exited: Promise<ExitStatus>;
  readonly ended: Promise<EndedSandbox>;
  #over = false;
  readonly #listeners = new Set<() => void>();
  readonly #hints: HintReader;
  #frozen = false;
  readonly process: Process;
  readonly isolation: Isolation;
  private readonly facts: HostFacts;
  private readonly options: SpawnOptions;
  private readonly cgroup: SandboxCgroup | undefined;
  private readonly log: DenialLog;
  private readonly alone: AloneWorld | undefined;
  /** Further commands that are in no namespace of the first one's, and must be ended with it. */
  readonly #beside = new Set<Process>();

  constructor(
    { process, facts, options, cgroup, log, alone }: Started,
    command: SandboxCommand,
    readonly resolvedProfile: ResolvedProfile,
  ) {
    this.process = process;
    this.isolation = alone === undefined ? "namespaces" : "landlock";
    this.facts = facts;
    this.options = options;
    this.cgroup = cgroup;
    this.log = log;
    this.alone = alone;
    // Unique beyond this extension host: after a reload the tree may still remember the ids of the one before.
    this.id = `sandbox-${globalThis.process.pid}-${++count}`;
    this.name = nameOf(command);
    this.profile = resolvedProfile.name;
    this.workspace = facts.workspace;
    let places: readonly Place[] | undefined;
    const explain = async (finding: Finding): Promise<Denial | undefined> => {
      const path = pathOf(finding, facts, command.cwd ?? facts.workspace);
      places ??= layout(resolvedProfile, facts);
      const shown = { profile: resolvedProfile, places, facts, isolation: this.isolation };
      return hintOf(finding, shown, path, path === undefined ? undefined : await onHost(path));
    };
    log.onDidChange(() => this.#changed());
    this.#hints = new HintReader(explain, (hint) => this.log.add([hint]));
    this.exited = process.exited.then((status) => this.#end(status));
    this.ended = this.exited.then((status) => this.#report(status));
  }

  async #end(status: ExitStatus): Promise<ExitStatus> {
    this.#over = true;
    const { reason: _, ...how } = status;
    const reason = limitReached(status, this.resolvedProfile.limits, this.cgroup?.events());
    await Promise.all(
      [...this.#beside].map((process) => {
        process.kill("SIGKILL");
        return process.exited;
      }),
    );
    // What can't be removed is left to the next editor, which looks for it; the command has ended in any case.
    await this.cgroup?.remove().catch(() => {});
    await this.alone?.remove().catch(() => {});
    return { ...how, ...(reason === undefined ? {} : { reason }) };
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  get frozen(): boolean {
    return this.#frozen && !this.#over;
  }

  async #report(status: ExitStatus): Promise<EndedSandbox> {
    const { facts } = this;
    const denials = this.log;
    const endedAt = new Date();
    if (status.signal === "SIGSYS" && this.options.sys?.seccomp !== undefined) this.log.add([FOREIGN_CALL]);
    const created = await createdProtectedPaths(facts.protected);
    const owner = this.resolvedProfile.filesystem.workspace === "readwrite" ? foreignWorkspace(facts) : undefined;
    const { id, name, profile, isolation, workspace, startedAt } = this;
    return {
      id,
      name,
      profile,
      isolation,
      workspace,
      startedAt,
      endedAt,
      status,
      // The last lines of its output, and with them the last hints, can be read after the exit.
      get denials() {
        return denials.all;
      },
      warnings: [
        ...(owner === undefined ? [] : [owner]),
        ...created.map(
          (path) =>
            `The task made ${path}, which the editor or git acts upon outside of any sandbox. Look at it before you go on.`,
        ),
      ],
    };
  }

  kill(signal: NodeJS.Signals = "SIGTERM"): boolean {
    if (this.#over) {
      return false;
    }
    for (const process of this.#beside) signalNamespace(process, signal);
    // The end of PID 1 is the end of its namespace; every other signal has to be handed to each process.
    if (signal !== "SIGKILL") return signalNamespace(this.process, signal);
    const sent = this.process.kill("SIGKILL");
    this.cgroup?.kill();
    return sent;
  }

  async terminate(graceMs: number): Promise<ExitStatus> {
    if (this.kill("SIGTERM")) {
      const timer = setTimeout(() => this.kill("SIGKILL"), graceMs);
      void this.exited.then(() => clearTimeout(timer));
      // A stopped process takes notice of a signal only once it goes on.
      if (this.#frozen) await this.thaw();
      this.kill("SIGCONT");
    }
    return this.exited;
  }

  async freeze(): Promise<void> {
    if (this.#over) return;
    this.#frozen = true;
    if (this.cgroup === undefined) this.kill("SIGSTOP");
    else await this.cgroup.setFrozen(true);
    this.#changed();
  }

  async thaw(): Promise<void> {
    if (this.#over) return;
    if (this.cgroup === undefined) this.kill("SIGCONT");
    else await this.cgroup.setFrozen(false);
    this.#frozen = false;
    this.#changed();
  }

  async exec(command: Omit<SandboxCommand, "name">): Promise<Process> {
    const ended = new SandboxError("sandbox", this.workspace, `"${this.name}" has ended.`, "Start it again.");
    if (this.#over) {
      throw ended;
    }
    if (this.alone !== undefined) return this.#startBeside(this.alone, command, ended);
    // A copy: ours is closed when the sandbox ends, and its number may then be another sandbox's.
    const pidfd = pidfdDuplicate(this.process.pidfd);
    let cgroup: number | undefined;
    try {
      cgroup = this.cgroup && pidfdDuplicate(this.cgroup.fd);
      const options = compileJoin(command, this.resolvedProfile, this.facts, pidfd, this.options, cgroup);
      return await spawn(command.file, command.args ?? [], options);
    } catch (error) {
      throw this.#over && error instanceof SpawnError && error.code === "ESRCH" ? ended : error;
    } finally {
      closeSync(pidfd);
      if (cgroup !== undefined) closeSync(cgroup);
    }
  }

  async #startBeside(world: AloneWorld, command: Omit<SandboxCommand, "name">, ended: SandboxError): Promise<Process> {
    const { timeout: _, ...options } = world.compile(command);
    const { onDenied } = this.options;
    const started = await spawn(command.file, command.args ?? [], {
      ...options,
      ...(onDenied === undefined ? {} : { onDenied }),
    });
    this.#beside.add(started);
    void started.exited.then(() => this.#beside.delete(started));
    if (!this.#over) return started;
    started.kill("SIGKILL");
    await started.exited;
    throw ended;
  }

  get denials(): readonly Denial[] {
    return this.log.all;
  }

  observe(output: string): Promise<void> {
    return this.#hints.read(output);
  }

  onDidChange(listener: () => void): { dispose(): void } {
    // Wrapped, so that the same function may listen twice and stop once.
    const entry = (): void => listener();
    this.#listeners.add(entry);
    return { dispose: () => void this.#listeners.delete(entry) };
  }

  async figures(): Promise<CgroupFigures | undefined> {
    return this.cgroup?.figures();
  }

  async stats(): Promise<SandboxStats> {
    const [inside, cgroup] = this.#over
      ? [[], undefined]
      : await Promise.all([processes(this.process.pid), this.figures()]);
    const ours = caretakers(inside, this.process.pid, this.isolation);
    const others = inside.filter(({ pid }) => !ours.has(pid));
    return {
      processes: others.length,
      cpuTime: others.reduce((sum, { cpuTime }) => sum + cpuTime, 0),
      rss: others.reduce((sum, { rss }) => sum + rss, 0),
      ...(cgroup === undefined ? {} : { cgroup }),
    };
  }
}
