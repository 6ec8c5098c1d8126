// Facts that tell one cause of a refusal from another. Read only when something is asked of them, and pure: the same
// machine gives the same facts.

import { parseMountinfo } from "../../inspect/mounts";
import { type Distribution, distributionOf } from "./distribution";
import type { Machine } from "./machine";

/** Who made the container that we are in, as far as it says so. */
export type Container = "docker" | "podman" | "kubernetes" | "lxc" | "systemd-nspawn" | "other";

export interface SystemFacts {
  readonly distribution: Distribution;
  /** uname -r, and its first two numbers. */
  readonly release: string;
  readonly kernel: readonly [major: number, minor: number];
  readonly uid: number;
  /** CAP_SYS_ADMIN in the initial user namespace: what holds ordinary users back does not hold us. */
  readonly privileged: boolean;
  readonly executable: string;
  /** A knob below /proc/sys, by its dotted name. */
  sysctl(name: string): string | undefined;
  /** Whether a file or folder exists, for what differs within one distribution. */
  exists(path: string): boolean;
  /** Whether a seccomp filter is on this very process, and whether this kernel has seccomp at all. */
  readonly seccomp: "off" | "filter" | "missing" | "unknown";
  /** What AppArmor or SELinux calls this process. */
  readonly label: string | undefined;
  readonly selinux: boolean;
  /** Security modules in their order; undefined where securityfs can't be seen. */
  readonly modules: readonly string[] | undefined;
  readonly container: Container | undefined;
  /** Made from a devcontainer.json. */
  readonly devContainer: boolean;
  /** How the editor itself was packaged and shut in. */
  readonly package: "flatpak" | "snap" | undefined;
  /** A kernel that only looks like Linux, or WSL 2, which is one with a command line of its own. */
  readonly host: "WSL1" | "WSL2" | "gVisor" | undefined;
  readonly wslDistribution: string | undefined;
  readonly chrooted: boolean;
  /** Folders and files of /proc on which something else is mounted or which are read-only: a new /proc is refused then. */
  readonly maskedProc: readonly string[];
  readonly hidepid: boolean;
  readonly cgroup: "v2" | "hybrid" | "v1" | "none";
  /** Where our own cgroup2 is, as /proc/self/cgroup has it. */
  readonly ownCgroup: string;
  /** The systemd unit that runs us, outside of user@.service: 'code-server@me.service'. */
  readonly systemUnit: string | undefined;
  readonly systemd: boolean;
  readonly commandLine: readonly string[];
}

function statusField(machine: Machine, name: string): string | undefined {
  return new RegExp(`^${name}:\\s*(.*)$`, "m").exec(machine.read("/proc/self/status") ?? "")?.[1];
}

const CAP_SYS_ADMIN = 21n;

function isPrivileged(machine: Machine): boolean {
  const effective = BigInt(`0x${statusField(machine, "CapEff") ?? "0"}`);
  const isInitial = /^\s*0\s+0\s+4294967295\s*$/.test(machine.read("/proc/self/uid_map") ?? "");
  return isInitial && ((effective >> CAP_SYS_ADMIN) & 1n) === 1n;
}

function seccompOf(machine: Machine): SystemFacts["seccomp"] {
  if (machine.read("/proc/self/status") === undefined) return "unknown";
  const mode = statusField(machine, "Seccomp");
  if (mode === undefined) return "missing";
  return mode === "0" ? "off" : "filter";
}

/** systemd's container interface (container=, /run/host/container-manager), and the marks of those older than it. */
function containerOf(machine: Machine): Container | undefined {
  const { environment } = machine;
  const said = machine.read("/run/systemd/container") ?? machine.read("/run/host/container-manager");
  const name = (environment.container ?? said ?? "").trim();
  if (environment.KUBERNETES_SERVICE_HOST !== undefined) return "kubernetes";
  if (machine.exists("/run/.containerenv") || name === "podman") return "podman";
  if (machine.exists("/.dockerenv") || name === "docker") return "docker";
  if (name === "systemd-nspawn") return name;
  if (name.startsWith("lxc")) return "lxc";
  return name === "" || name === "flatpak" || name.startsWith("wsl") ? undefined : "other";
}

function hostOf(machine: Machine): SystemFacts["host"] {
  const version = machine.read("/proc/version") ?? "";
  if (/microsoft/i.test(version)) return /WSL2|microsoft-standard/.test(version) ? "WSL2" : "WSL1";
  // gVisor reports a version of its own making with this date (pkg/sentry/syscalls/linux/linux64.go).
  return version.includes("Sun Jan 10 15:06:54 PST 2016") ? "gVisor" : undefined;
}

function packageOf(machine: Machine): SystemFacts["package"] {
  if (machine.exists("/.flatpak-info")) return "flatpak";
  return machine.environment.SNAP !== undefined && /\/snap\//.test(machine.executable) ? "snap" : undefined;
}

/** Lines of mountinfo with their mount options, which parseMountinfo() leaves out. */
function procOptions(machine: Machine): { readonly: boolean; hidepid: boolean } {
  const line = /^\S+ \S+ \S+ \/ \/proc (\S+) .*- proc \S+ (\S+)$/m.exec(machine.read("/proc/self/mountinfo") ?? "");
  return {
    readonly: line?.[1]?.split(",").includes("ro") === true,
    hidepid: /(^|,)hidepid=(?!0|off)/.test(line?.[2] ?? ""),
  };
}

function maskedProc(machine: Machine): string[] {
  const mounts = parseMountinfo(machine.read("/proc/self/mountinfo") ?? "");
  // binfmt_misc is an automount on an empty folder: it hides nothing (mount_too_revealing() skips those).
  const over = mounts.filter(({ mountPoint }) => /^\/proc\/(?!sys\/fs\/binfmt_misc)/.test(mountPoint));
  return [
    ...new Set([...over.map(({ mountPoint }) => mountPoint), ...(procOptions(machine).readonly ? ["/proc"] : [])]),
  ];
}

/** current_chrooted() of the kernel, as far as it shows: after chroot(2) no mount is at "/" (proc_pid_mountinfo(5)). */
function isChrooted(machine: Machine): boolean {
  const mounts = machine.read("/proc/self/mountinfo");
  return mounts !== undefined && mounts !== "" && !/^\S+ \S+ \S+ \S+ \/ /m.test(mounts);
}

function cgroupOf(machine: Machine): SystemFacts["cgroup"] {
  const mounts = parseMountinfo(machine.read("/proc/self/mountinfo") ?? "");
  const v2 = mounts.some(({ type }) => type === "cgroup2");
  const v1 = mounts.some(({ type, mountPoint }) => type === "cgroup" && mountPoint.startsWith("/sys/fs/cgroup/"));
  if (v1) return v2 ? "hybrid" : "v1";
  return v2 ? "v2" : "none";
}

function ownCgroup(machine: Machine): string {
  return /^0::(.*)$/m.exec(machine.read("/proc/self/cgroup") ?? "")?.[1] ?? "/";
}

export function readFacts(machine: Machine): SystemFacts {
  const release = (machine.read("/proc/sys/kernel/osrelease") ?? "").trim();
  const [major = 0, minor = 0] = release.split(/[.-]/).map(Number);
  const cgroup = ownCgroup(machine);
  const label = machine.read("/proc/self/attr/current")?.replaceAll("\0", "").trim();
  return {
    distribution: distributionOf(machine),
    release,
    kernel: [major, minor],
    uid: machine.uid,
    privileged: isPrivileged(machine),
    executable: machine.executable,
    sysctl: (name) => machine.read(`/proc/sys/${name.replaceAll(".", "/")}`)?.trim(),
    exists: (path) => machine.exists(path),
    seccomp: seccompOf(machine),
    label: label === "" ? undefined : label,
    selinux: machine.read("/sys/fs/selinux/enforce")?.trim() === "1",
    modules: machine.read("/sys/kernel/security/lsm")?.trim().split(","),
    container: containerOf(machine),
    devContainer: machine.environment.REMOTE_CONTAINERS === "true" || machine.environment.CODESPACES === "true",
    package: packageOf(machine),
    host: hostOf(machine),
    wslDistribution: machine.environment.WSL_DISTRO_NAME,
    chrooted: isChrooted(machine),
    maskedProc: maskedProc(machine),
    hidepid: procOptions(machine).hidepid,
    cgroup: cgroupOf(machine),
    ownCgroup: cgroup,
    systemUnit: /^\/system\.slice\/(?:[^/]+\.slice\/)*([^/]+\.service)/.exec(cgroup)?.[1],
    systemd: machine.exists("/run/systemd/system"),
    commandLine: (machine.read("/proc/cmdline") ?? "").trim().split(/\s+/),
  };
}
