// Compiles spawn options into the plan: the steps in the order in which the child will run them. Pure, so that explain()
// can show what would be done. The order is the kernel's; the reason stands beside each part.

import * as os from "node:os";
import { capabilityMask } from "./capabilities";
import { mountAttributes, mountSteps } from "./mount-steps";
import type { OpenFilesLimit } from "./open-files-limit";
import type { PlannedStep } from "./planned-step";
import { type RlimitSteps, rlimitSteps } from "./rlimit-steps";
import {
  CLONE_FLAGS,
  type CloneFlag,
  type IdMapping,
  type SpawnOptions,
  type StdioEntry,
  type Step,
  type SysProcAttr,
} from "./types";

/** Who is asking: the ids of the process that spawns, and how many files it may open. */
export interface Caller {
  readonly uid: number;
  readonly gid: number;
  readonly openFiles: OpenFilesLimit;
}

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
  readonly maps?: { setgroups: string; uidMap: string; gidMap: string };
  /** Fds of ours that steps name by their place here. */
  readonly extraFds: readonly number[];
}

const DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin";

/** Every step of a plan in its order; the numbers in error records are indices into this. */
export function allSteps(plan: Plan): Step[] {
  return [...plan.parent, ...plan.child, ...(plan.helper?.steps ?? [])];
}

function step(op: string, name: string, detail: string, ...args: PlannedStep["args"]): PlannedStep {
  return { op, name, detail, args };
}

function about(path: string, planned: PlannedStep): PlannedStep {
  return { ...planned, path };
}

function flagMask(flags: readonly CloneFlag[]): number {
  return flags.reduce((mask, flag) => mask | CLONE_FLAGS[flag], 0);
}

/** "user, mount, pid": the namespaces in the words of namespaces(7). */
function typeWords(flags: readonly CloneFlag[]): string {
  return flags.map((flag) => flag.replace("CLONE_NEW", "").toLowerCase().replace(/^ns$/, "mount")).join(", ");
}

function namespaceWords(flags: readonly CloneFlag[]): string {
  return flags.length === 0 ? "no new namespaces" : `new ${typeWords(flags)} namespace${flags.length > 1 ? "s" : ""}`;
}

function mapText(mappings: readonly IdMapping[]): string {
  return mappings.map((line) => `${line.containerID} ${line.hostID} ${line.size}\n`).join("");
}

/** The kernel lets a process map itself exactly one id, its own (user_namespaces(7)); all else is written from outside. */
function isSelfWritable(mappings: readonly IdMapping[], own: number): boolean {
  const [only, more] = mappings;
  return only !== undefined && more === undefined && only.hostID === own && only.size === 1;
}

interface MapPlan {
  steps: PlannedStep[];
  maps?: Plan["maps"];
}

function mapSteps(sys: SysProcAttr, caller: Caller): MapPlan {
  const { uidMappings = [], gidMappings = [] } = sys;
  if (uidMappings.length === 0 && gidMappings.length === 0) return { steps: [] };
  const setgroups = sys.gidMappingsEnableSetgroups === true ? "" : "deny";
  const uidMap = mapText(uidMappings);
  const gidMap = mapText(gidMappings);
  const detail = `uid ${uidMap.trim().replaceAll("\n", ", ")}; gid ${gidMap.trim().replaceAll("\n", ", ")}`;
  // With setgroups(2) left allowed, not even its own group: that takes CAP_SETGID outside.
  if (setgroups !== "" && isSelfWritable(uidMappings, caller.uid) && isSelfWritable(gidMappings, caller.gid)) {
    return { steps: [step("map_self", "id-map", `${detail} (written by the child)`, setgroups, uidMap, gidMap)] };
  }
  return {
    steps: [step("map_wait", "id-map", `${detail} (written from outside)`)],
    maps: { setgroups, uidMap, gidMap },
  };
}

function rootSteps(sys: SysProcAttr, newIpc: boolean): PlannedStep[] {
  const { rootfs, mounts = [], maskedPaths = [], readonlyPaths = [] } = sys;
  const steps: PlannedStep[] = [];
  if (rootfs?.path !== undefined) {
    const options = [...(rootfs.options ?? []), ...(rootfs.readonly === true ? ["ro"] : [])];
    const how = options.length > 0 ? ` (${options.join(",")})` : "";
    steps.push(
      about(
        rootfs.path,
        step("root_bind", "rootfs", `${rootfs.path}, recursively${how}`, rootfs.path, mountAttributes(options)),
      ),
    );
  } else if (rootfs !== undefined) {
    steps.push(step("root_tmpfs", "rootfs", "a fresh tmpfs", ["mode=755"]));
  }
  steps.push(...mounts.flatMap((mount) => mountSteps(mount, newIpc)));
  steps.push(...maskedPaths.map((path) => about(path, step("mask", "mask", path, path))));
  steps.push(...readonlyPaths.map((path) => about(path, step("readonly", "read-only", path, path))));
  if (rootfs !== undefined) {
    if (rootfs.path === undefined && rootfs.readonly === true) {
      steps.push(step("root_readonly", "read-only", "/"));
    }
    steps.push(step("pivot_root", "pivot_root", "into the new root; the old one is unmounted"));
  }
  return steps;
}

/** Namespaces and what fills them; needs the capabilities that a new user namespace gives. */
function worldSteps(sys: SysProcAttr): PlannedStep[] {
  const flags = [...(sys.cloneflags ?? []), ...(sys.unshareflags ?? [])];
  const steps: PlannedStep[] = [];
  if (sys.hostname !== undefined) steps.push(step("hostname", "hostname", sys.hostname, sys.hostname));
  if (sys.domainname !== undefined) steps.push(step("domainname", "domainname", sys.domainname, sys.domainname));
  if (sys.loopback === true) steps.push(step("loopback", "loopback", "lo up"));
  if (flags.includes("CLONE_NEWNS")) {
    steps.push(step("propagation", "propagation", "/ private, recursively"));
    steps.push(...rootSteps(sys, flags.includes("CLONE_NEWIPC")));
  }
  if (sys.chroot !== undefined) steps.push(about(sys.chroot, step("chroot", "chroot", sys.chroot, sys.chroot)));
  for (const [clock, offset] of Object.entries(sys.timeOffsets ?? {})) {
    const line = `${clock} ${offset.secs} ${offset.nanosecs}`;
    steps.push(step("time_offset", "time offset", line, `${line}\n`));
  }
  return steps;
}

function groupBytes(groups: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(groups).buffer);
}

/** Users and capabilities, from most to least powerful: each needs what the next takes away. */
function credentialSteps(sys: SysProcAttr): PlannedStep[] {
  const { credential, capabilities, ambientCaps = [] } = sys;
  const steps: PlannedStep[] = [];
  if (sys.oomScoreAdj !== undefined) {
    steps.push(step("oom_score_adj", "oom_score_adj", String(sys.oomScoreAdj), String(sys.oomScoreAdj)));
  }
  if (sys.newSessionKeyring === true) steps.push(step("keyring", "keyring", "a new session keyring"));
  if (capabilities !== undefined) {
    const kept = capabilities.bounding ?? [];
    const shown = kept.length === 0 ? "none" : kept.join(", ");
    steps.push(step("bounding", "bounding set", shown, capabilityMask(kept)));
  }
  if (credential !== undefined) {
    if (capabilities !== undefined || ambientCaps.length > 0) {
      steps.push(step("keep_caps", "keep capabilities", "across the change of user"));
    }
    const groups = credential.groups ?? [];
    const denied = (sys.gidMappings ?? []).length > 0 && sys.gidMappingsEnableSetgroups !== true;
    if (credential.noSetGroups !== true && !(denied && groups.length === 0)) {
      steps.push(step("groups", "groups", groups.length === 0 ? "none" : groups.join(", "), groupBytes(groups)));
    }
    steps.push(step("gid", "gid", String(credential.gid), credential.gid));
    steps.push(step("uid", "uid", String(credential.uid), credential.uid));
  }
  if (capabilities !== undefined) {
    const sets = [capabilities.effective, capabilities.permitted, capabilities.inheritable].map((set) => set ?? []);
    const shown = ["effective", "permitted", "inheritable"].map((set, i) => `${set} ${sets[i]?.join(" ") || "none"}`);
    steps.push(step("capabilities", "capabilities", shown.join("; "), ...sets.map((set) => capabilityMask(set))));
  }
  if (ambientCaps.length > 0) {
    steps.push(step("ambient", "ambient set", ambientCaps.join(", "), capabilityMask(ambientCaps)));
  }
  if (sys.noNewPrivileges === true) steps.push(step("no_new_privs", "no_new_privs", "set"));
  if (sys.umask !== undefined) steps.push(step("umask", "umask", sys.umask.toString(8), sys.umask));
  return steps;
}

/** The fd of ours behind sys.ctty: what the child's fd of that number is a copy of, or else the number itself (as Go). */
function foregroundTerminal(options: SpawnOptions): number {
  const ctty = options.sys?.ctty ?? 0;
  const entry = stdioEntries(options)[ctty];
  if (typeof entry === "number") return entry;
  return ctty;
}

/**
 * Session, process group and foreground: of the command, not of a PID 1 before it.
 * @param terminal place of the foreground's terminal among the extra fds
 */
function groupSteps(options: SpawnOptions, terminal: number): PlannedStep[] {
  const sys = options.sys ?? {};
  const steps: PlannedStep[] = [];
  if (sys.setsid === true || options.terminal !== undefined) steps.push(step("setsid", "setsid", "a new session"));
  if (sys.setpgid === true || sys.foreground === true) {
    steps.push(step("setpgid", "setpgid", sys.pgid ? `group ${sys.pgid}` : "a new group", sys.pgid ?? 0));
  }
  if (sys.foreground === true) {
    steps.push(
      step("foreground", "foreground", `group of the terminal, our fd ${foregroundTerminal(options)}`, terminal),
    );
  }
  return steps;
}

/** What comes after the fds, because terminals are named by them, or as late as possible. */
function lastSteps(options: SpawnOptions, limits: RlimitSteps, ending: Ending): PlannedStep[] {
  const sys = options.sys ?? {};
  const ctty = sys.ctty ?? 0;
  const steps: PlannedStep[] = [];
  if (sys.noctty === true) steps.push(step("notty", "controlling terminal", "none"));
  if (sys.setctty === true || options.terminal !== undefined) {
    const fd = options.terminal === undefined ? ctty : 0;
    steps.push(step("ctty", "controlling terminal", `fd ${fd}`, fd));
  }
  if (sys.realTimeLimit !== undefined) {
    steps.push(step("itimer", "itimer", `SIGALRM after ${sys.realTimeLimit} ms`, sys.realTimeLimit));
  }
  steps.push(...limits.late);
  // Signals stay blocked until here: one that arrived earlier would end the child without a word. Tracing begins after
  // that, as a signal would stop it with nobody there to continue it.
  steps.push(step("sigmask", "signals", "unblocked"));
  if (sys.ptrace === true) steps.push(step("ptrace", "ptrace", "traced by the spawner, stops at its execve"));
  if (ending === "park") steps.push(step("park", "park", "hold the namespaces"));
  else if (ending === "exit") steps.push(step("exit", "exit", "end here", 0));
  else steps.push(execStep(ending.file, ending.args, options));
  return steps;
}

/** The environment as the child gets it: NAME=value. */
function environment(options: SpawnOptions): string[] {
  return Object.entries(options.env ?? process.env).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
}

/** Where execve is tried, in order, as execvp(3) does it: on the *child's* PATH. */
function candidates(file: string, options: SpawnOptions): string[] {
  if (file.includes("/")) return [file];
  const search = (options.env ?? process.env).PATH ?? DEFAULT_PATH;
  return search.split(":").map((folder) => (folder === "" ? `./${file}` : `${folder}/${file}`));
}

function execStep(file: string, args: readonly string[], options: SpawnOptions): PlannedStep {
  const argv = [options.argv0 ?? file, ...args];
  const searched = !file.includes("/");
  const detail = `${[file, ...args].join(" ")}${searched ? " (looked up on PATH)" : ""}`;
  return about(
    file,
    step("exec", "exec", detail, candidates(file, options), argv, environment(options), searched ? 1 : 0),
  );
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

/** stdio, an entry for each of the child's fds. */
export function stdioEntries(options: SpawnOptions): StdioEntry[] {
  // A terminal is opened by the child, from its own devpts. What the fds are until then must not be closed in the helper,
  // where something else would take their place.
  if (options.terminal !== undefined) return hasJoin(options) ? ["ignore", "ignore", "ignore"] : [null, null, null];
  const { stdio = "pipe" } = options;
  return Array.isArray(stdio) ? stdio : [stdio, stdio, stdio];
}

function hasJoin(options: SpawnOptions): boolean {
  return (options.sys?.setns ?? []).length > 0;
}

function parentDeathSignal(signal: NodeJS.Signals): PlannedStep {
  return step("pdeathsig", "parent-death signal", signal, os.constants.signals[signal]);
}

/** Everything between the clone and the command's own session: namespaces, root, privileges, working directory. */
function setupSteps(
  options: SpawnOptions,
  limits: RlimitSteps,
  unshared: readonly CloneFlag[],
  idMaps: readonly PlannedStep[],
): PlannedStep[] {
  const { sys = {}, cwd, terminal } = options;
  const mapsAfterUnshare = unshared.includes("CLONE_NEWUSER");
  const steps: PlannedStep[] = [
    ...(mapsAfterUnshare ? [] : idMaps),
    ...(unshared.length > 0 ? [step("unshare", "unshare", namespaceWords(unshared), flagMask(unshared))] : []),
    ...(mapsAfterUnshare ? idMaps : []),
    ...worldSteps(sys),
    ...limits.early,
    ...credentialSteps(sys),
  ];
  if (cwd !== undefined) steps.push(about(cwd, step("chdir", "cwd", cwd, cwd)));
  if (terminal !== undefined) {
    const { columns, rows } = terminal;
    steps.push(step("terminal", "terminal", `/dev/ptmx, ${columns} columns, ${rows} rows`, columns, rows));
  }
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
 * The plan for valid options.
 * @param caller decides whether the child may write its own id maps
 */
export function compile(ending: Ending, options: SpawnOptions, caller: Caller): Plan {
  const { sys = {}, terminal } = options;
  const { cloned, unshared } = splitTime(sys);
  const { steps: idMaps, maps } = mapSteps(sys, caller);
  const joins = hasJoin(options);
  const joinsPid = joins && (sys.setns ?? []).some(({ nstype }) => nstype.includes("CLONE_NEWPID"));
  const init = hasInit(sys);
  const withHelper = joins || init || ending === "park";

  const outer = sys.pdeathsig === undefined ? [] : [parentDeathSignal(sys.pdeathsig)];
  // In the child: of the editor's thread, or of the helper that forked it.
  const inner = joinsPid ? [parentDeathSignal("SIGKILL")] : outer;
  const extraFds = (sys.setns ?? []).map(({ fd }) => fd);
  const group = groupSteps(options, extraFds.length);
  if (sys.foreground === true) extraFds.push(foregroundTerminal(options));

  const handlers = step("handlers", "signals", "every handler back to the default");
  const fds = step("fds", "fds", "stdio in place, everything else closed");
  const limits = rlimitSteps(sys, caller.openFiles);
  const setup = setupSteps(options, limits, unshared, idMaps);
  const last = lastSteps(options, limits, ending);
  const fork = init ? [forkStep("the command; we are its PID 1", terminal !== undefined)] : [];
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

  const detail = [namespaceWords(cloned), ...(sys.cgroupFD === undefined ? [] : [`cgroup of fd ${sys.cgroupFD}`])];
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
