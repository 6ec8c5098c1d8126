// Compiles spawn options into the plan: the steps in the order in which the child will run them. Pure, so that explain()
// can show what would be done. The order is the kernel's; the reason stands beside each part.

import * as os from "node:os";
import { capabilityMask } from "./capabilities";
import { mountAttributes, mountSteps } from "./mount-steps";
import type { OpenFilesLimit } from "./open-files-limit";
import type { PlannedStep } from "./planned-step";
import { rlimitSteps } from "./rlimit-steps";
import { CLONE_FLAGS, type CloneFlag, type IdMapping, type SpawnOptions, type Step, type SysProcAttr } from "./types";

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
  readonly helper?: { readonly mode: "pid1" | "run"; readonly steps: readonly PlannedStep[] };
  readonly cloneFlags: number;
  /** Written from outside while the child waits. */
  readonly maps?: { setgroups: string; uidMap: string; gidMap: string };
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
function namespaceWords(flags: readonly CloneFlag[]): string {
  const words = flags.map((flag) => flag.replace("CLONE_NEW", "").toLowerCase().replace(/^ns$/, "mount"));
  return words.length === 0 ? "no new namespaces" : `new ${words.join(", ")} namespace${words.length > 1 ? "s" : ""}`;
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

/** Session and terminal: of the command, not of a PID 1 before it. After the fds, because terminals are named by them. */
function sessionSteps(options: SpawnOptions): PlannedStep[] {
  const sys = options.sys ?? {};
  const ctty = sys.ctty ?? 0;
  const steps: PlannedStep[] = [];
  if (sys.setsid === true || options.terminal !== undefined) steps.push(step("setsid", "setsid", "a new session"));
  if (sys.setpgid === true || sys.foreground === true) {
    steps.push(step("setpgid", "setpgid", sys.pgid ? `group ${sys.pgid}` : "a new group", sys.pgid ?? 0));
  }
  if (sys.noctty === true) steps.push(step("notty", "controlling terminal", "none"));
  if (sys.setctty === true || options.terminal !== undefined) {
    steps.push(step("ctty", "controlling terminal", `fd ${ctty}`, ctty));
  }
  if (sys.foreground === true) steps.push(step("foreground", "foreground", `group of fd ${ctty}`, ctty));
  if (sys.realTimeLimit !== undefined) {
    steps.push(step("itimer", "itimer", `SIGALRM after ${sys.realTimeLimit} ms`, sys.realTimeLimit));
  }
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

/**
 * The plan for valid options.
 * @param caller decides whether the child may write its own id maps
 */
export function compile(ending: Ending, options: SpawnOptions, caller: Caller): Plan {
  const sys = options.sys ?? {};
  const { cloned, unshared } = splitTime(sys);
  const { steps: idMaps, maps } = mapSteps(sys, caller);
  const limits = rlimitSteps(sys, caller.openFiles);
  const mapsAfterUnshare = unshared.includes("CLONE_NEWUSER");
  const signal = sys.pdeathsig;
  const pdeathsig =
    signal === undefined ? [] : [step("pdeathsig", "parent-death signal", signal, os.constants.signals[signal])];

  const child: PlannedStep[] = [
    step("handlers", "signals", "every handler back to the default"),
    // Once now, so that a child that hangs in its own set-up goes with us, and again where it will last.
    ...pdeathsig,
    ...(mapsAfterUnshare ? [] : idMaps),
    ...(unshared.length > 0 ? [step("unshare", "unshare", namespaceWords(unshared), flagMask(unshared))] : []),
    ...(mapsAfterUnshare ? idMaps : []),
    ...worldSteps(sys),
    ...limits.early,
    ...credentialSteps(sys),
  ];
  if (options.cwd !== undefined) child.push(about(options.cwd, step("chdir", "cwd", options.cwd, options.cwd)));
  if (options.terminal !== undefined) {
    const { columns, rows } = options.terminal;
    child.push(step("terminal", "terminal", `/dev/ptmx, ${columns} columns, ${rows} rows`, columns, rows));
  }
  // After the credentials, which clear it; before the fds, which close the pidfd that it looks at.
  child.push(...pdeathsig);
  child.push(step("fds", "fds", "stdio in place, everything else closed"));

  // Signals stay blocked until here: one that arrived earlier would end the child without a word.
  const last: PlannedStep[] = [...sessionSteps(options), ...limits.late];
  last.push(step("sigmask", "signals", "unblocked"));
  if (ending === "park") last.push(step("park", "park", "hold the namespaces"));
  else if (ending === "exit") last.push(step("exit", "exit", "end here", 0));
  else last.push(execStep(ending.file, ending.args, options));

  const mode = ending === "park" ? "run" : hasInit(sys) ? "pid1" : undefined;
  const detail = [namespaceWords(cloned), ...(sys.cgroupFD === undefined ? [] : [`cgroup of fd ${sys.cgroupFD}`])];
  const plan: Plan = {
    parent: [
      { name: "prepare", detail: "pipes, fds and memory for the child" },
      { name: "clone3", detail: detail.join(", ") },
    ],
    child,
    cloneFlags: flagMask(cloned),
    ...(maps === undefined ? {} : { maps }),
  };
  if (mode === undefined) return { ...plan, child: [...child, ...last] };
  const helper = mode === "pid1" ? "our PID 1, which runs the rest" : "the helper, which runs the rest";
  return { ...plan, child: [...child, step("init", "exec", helper)], helper: { mode, steps: last } };
}
