// Compiles spawn options into the plan: the steps in the order in which the child will run them. Pure, so that explain()
// can show what would be done. The order is the kernel's; the reason stands beside each part.

import * as os from "node:os";
import type { Caller } from "./caller";
import { credentialSteps } from "./credential-steps";
import { execStep } from "./exec-step";
import { type IdMaps, idMapSteps } from "./id-map-steps";
import { landlockSteps, subreaperStep } from "./landlock-steps";
import { about, type PlannedStep, step } from "./planned-step";
import { type RlimitSteps, rlimitSteps } from "./rlimit-steps";
import { seccompStep } from "./seccomp/step";
import { foregroundTerminal, groupSteps, hasJoin, terminalSteps } from "./session-steps";
import { CLONE_FLAGS, type CloneFlag, type SpawnOptions, type Step, type SysProcAttr } from "./types";
import { worldSteps } from "./world-steps";

/** The facts about the caller that a plan depends on. */
export type Asker = Pick<Caller, "uid" | "gid" | "openFiles" | "landlockAbi">;

export interface Plan {
  /** What we do ourselves before the child exists. */
  readonly parent: readonly Step[];
  readonly child: readonly PlannedStep[];
  /** Run by the helper executable, which the child's last step executes. */
  readonly helper?: {
    readonly steps: readonly PlannedStep[];
    /** The helper joins namespaces first, and so it is the one that sets everything up. */
    readonly setsUp: boolean;
  };
  readonly cloneFlags: number;
  /** Written from outside while the child waits. */
  readonly maps?: IdMaps;
  /** Fds of ours that steps name by their place here. */
  readonly extraFds: readonly number[];
}

/** Every step of a plan in its order; the numbers in error records are indices into this. */
export function allSteps(plan: Plan): Step[] {
  return [...plan.parent, ...plan.child, ...(plan.helper?.steps ?? [])];
}

/** A sum, as bitwise operators would make a negative number of CLONE_IO. What the spawner always sets is left to it. */
function flagMask(flags: readonly CloneFlag[]): number {
  return flags.reduce((mask, flag) => mask + (flag === "CLONE_CLEAR_SIGHAND" ? 0 : CLONE_FLAGS[flag]), 0);
}

/** "user, mount, pid": the namespaces in the words of namespaces(7). */
function typeWords(flags: readonly CloneFlag[]): string {
  return flags.map((flag) => flag.replace("CLONE_NEW", "").toLowerCase().replace(/^ns$/, "mount")).join(", ");
}

/** New namespaces, and other flags by their names. */
function flagWords(flags: readonly CloneFlag[]): string {
  const made = flags.filter((flag) => flag.startsWith("CLONE_NEW"));
  const words =
    made.length === 0 ? "no new namespaces" : `new ${typeWords(made)} namespace${made.length > 1 ? "s" : ""}`;
  return [words, ...flags.filter((flag) => !made.includes(flag))].join(", ");
}

/** What comes after the fds: because they name terminals, or because it is to be as late as possible. */
function lastSteps(options: SpawnOptions, limits: RlimitSteps, ending: Ending): PlannedStep[] {
  const sys = options.sys ?? {};
  const steps = terminalSteps(options);
  if (sys.realTimeLimit !== undefined) {
    steps.push(step("itimer", "itimer", `SIGALRM after ${sys.realTimeLimit} ms`, sys.realTimeLimit));
  }
  steps.push(...limits.late);
  // Signals stay blocked until here: one that arrived earlier would end the child without a word. Tracing begins after
  // that, as a signal would stop it with nobody there to continue it.
  steps.push(step("sigmask", "signals", "unblocked"));
  if (sys.ptrace === true) steps.push(step("ptrace", "ptrace", "traced by the spawner, stops at its execve"));
  if (sys.seccomp !== undefined) steps.push(seccompStep(sys.seccomp, options.onDenied !== undefined));
  if (ending === "park") steps.push(step("park", "park", "hold the namespaces"));
  else if (ending === "exit") steps.push(step("exit", "exit", "end here", 0));
  else steps.push(execStep(ending.file, ending.args, options));
  return steps;
}

/** Whether a PID 1 of ours comes before the command. */
export function hasInit(sys: SysProcAttr): boolean {
  return (sys.cloneflags ?? []).includes("CLONE_NEWPID") && sys.init !== false;
}

/** CLONE_NEWTIME is always unshared: only before its first process may the offsets be written (time_namespaces(7)). */
function splitTime(sys: SysProcAttr): { cloned: CloneFlag[]; unshared: CloneFlag[] } {
  const cloned = (sys.cloneflags ?? []).filter((flag) => flag !== "CLONE_NEWTIME");
  const time: CloneFlag[] = (sys.cloneflags ?? []).includes("CLONE_NEWTIME") ? ["CLONE_NEWTIME"] : [];
  return { cloned, unshared: [...time, ...(sys.unshareflags ?? [])] };
}

/** What the plan does at its end: execute a file, or one of the helper's own endings. */
export type Ending = { file: string; args: readonly string[] } | "park" | "exit";

function parentDeathSignal(signal: NodeJS.Signals): PlannedStep {
  return step("pdeathsig", "parent-death signal", signal, os.constants.signals[signal]);
}

/** Everything between the clone and the command's own session: namespaces, root, privileges, working directory. */
function setupSteps(
  options: SpawnOptions,
  limits: RlimitSteps,
  unshared: readonly CloneFlag[],
  idMaps: readonly PlannedStep[],
  restrictions: readonly PlannedStep[],
): PlannedStep[] {
  const { sys = {}, cwd, terminal } = options;
  const mapsAfterUnshare = unshared.includes("CLONE_NEWUSER");
  const steps: PlannedStep[] = [
    ...(mapsAfterUnshare ? [] : idMaps),
    ...(unshared.length > 0 ? [step("unshare", "unshare", flagWords(unshared), flagMask(unshared))] : []),
    ...(mapsAfterUnshare ? idMaps : []),
    ...worldSteps(sys),
    ...limits.early,
    ...credentialSteps(sys),
  ];
  // As the user that it is to belong to; and before Landlock, which may allow no device.
  if (terminal !== undefined) {
    const { columns, rows } = terminal;
    steps.push(step("terminal", "terminal", `/dev/ptmx, ${columns} columns, ${rows} rows`, columns, rows));
  }
  steps.push(...restrictions);
  if (cwd !== undefined) steps.push(about(cwd, step("chdir", "cwd", cwd, cwd)));
  return steps;
}

/** Joining, and a fork where the command must be born inside the PID namespace that was joined (setns(2)). */
function joinSteps(sys: SysProcAttr, outer: readonly PlannedStep[], keepTerminal: boolean): PlannedStep[] {
  const joins = sys.setns ?? [];
  const steps = joins.map(({ fd, nstype }, i) =>
    step("setns", "setns", `${typeWords(nstype)} of fd ${fd}`, i, flagMask(nstype)),
  );
  if (joins.some(({ nstype }) => nstype.includes("CLONE_NEWPID"))) {
    steps.push(...outer); // cleared by what joining a user namespace does to the capabilities
    steps.push(forkStep("into the PID namespace; the helper stays outside and looks after it", keepTerminal));
    // Whatever ends the helper ends the command.
    steps.push(parentDeathSignal("SIGKILL"));
  }
  return steps;
}

function forkStep(detail: string, keepTerminal: boolean): PlannedStep {
  return step("fork", "fork", detail, keepTerminal ? 1 : 0);
}

/**
 * What comes between the helper and the command that it looks after.
 * @param abi Landlock's, where the helper is the owner of a tree
 */
function forkSteps(
  init: boolean,
  abi: number | undefined,
  keepTerminal: boolean,
  landlock: readonly PlannedStep[],
): PlannedStep[] {
  if (init) return [forkStep("the command; we are its PID 1", keepTerminal), ...landlock];
  return abi === undefined
    ? []
    : [subreaperStep(abi), forkStep("the command; we are the owner of its tree", keepTerminal), ...landlock];
}

/**
 * The plan for valid options.
 * @param caller decides whether the child may write its own id maps
 */
export function compile(ending: Ending, options: SpawnOptions, caller: Asker): Plan {
  const { sys = {}, terminal } = options;
  const { cloned, unshared } = splitTime(sys);
  const { steps: idMaps, maps } = idMapSteps(sys, caller);
  const joins = hasJoin(options);
  const joinsPid = joins && (sys.setns ?? []).some(({ nstype }) => nstype.includes("CLONE_NEWPID"));
  const init = hasInit(sys);
  const owned = sys.subreaper === true;
  const withHelper = joins || init || owned || ending === "park";

  const outer = sys.pdeathsig === undefined ? [] : [parentDeathSignal(sys.pdeathsig)];
  // In the child: of the editor's thread, or of the helper that forked it.
  const inner = joinsPid ? [parentDeathSignal("SIGKILL")] : outer;
  const extraFds = (sys.setns ?? []).map(({ fd }) => fd);
  const group = groupSteps(options, extraFds.length);
  if (sys.foreground === true) extraFds.push(foregroundTerminal(options));

  const handlers = step("handlers", "signals", "every handler back to the default");
  const fds = step("fds", "fds", "stdio in place, everything else closed");
  const limits = rlimitSteps(sys, caller.openFiles);
  // Only asked of the kernel where it matters.
  const landlock = sys.landlock === undefined ? [] : landlockSteps(sys, caller.landlockAbi);
  // The command's alone, where a PID 1 of ours comes before it, which must reach, and signal, what is outside; or the
  // owner of its tree, which it must not reach.
  const setup = setupSteps(options, limits, unshared, idMaps, init || owned ? [] : landlock);
  const last = lastSteps(options, limits, ending);
  const fork = forkSteps(init, owned ? caller.landlockAbi : undefined, terminal !== undefined, landlock);
  // The parent-death signal is set once at the beginning, so that a child that hangs in its own set-up goes with us, and
  // again after the credentials, which clear it, and before the fds, which close the pidfd that it looks at.
  let child: PlannedStep[];
  let helper: PlannedStep[] = [];
  if (joins) {
    child = [handlers, ...outer, fds];
    helper = [...joinSteps(sys, outer, terminal !== undefined), ...setup, ...inner, ...fork, ...group, ...last];
  } else if (withHelper) {
    child = [handlers, ...outer, ...setup, ...inner, fds];
    helper = [...fork, ...group, ...last];
  } else {
    child = [handlers, ...outer, ...setup, ...inner, ...group, fds, ...last];
  }

  const detail = [flagWords(cloned), ...(sys.cgroupFD === undefined ? [] : [`cgroup of fd ${sys.cgroupFD}`])];
  return {
    parent: [
      { name: "prepare", detail: "pipes, fds and memory for the child" },
      { name: "clone3", detail: detail.join(", ") },
    ],
    child: withHelper ? [...child, step("helper", "exec", "the helper, which runs the rest")] : child,
    ...(withHelper ? { helper: { steps: helper, setsUp: joins } } : {}),
    cloneFlags: flagMask(cloned),
    ...(maps === undefined ? {} : { maps }),
    extraFds,
  };
}
