// probe(): whether the kernel lets us do each thing that a sandbox needs, found by doing it in a child that ends at once.

import { release } from "node:os";
import { errnoName, OptionsError, SpawnError } from "./errors";
import type { FeatureName } from "./features";
import { holdNamespaces } from "./hold";
import { LANDLOCK_FS, LANDLOCK_NET, LANDLOCK_SCOPES, type Landlock, landlockWords, namesOf } from "./landlock";
import { landlockAbi } from "./landlock-abi";
import { deepFreeze } from "./seccomp/frozen";
import type { Seccomp } from "./seccomp/oci";
import { launch } from "./spawn";
import type { CloneFlag, Feature, SysProcAttr } from "./types";

/** One id, our own: what an ordinary user may map. */
function ownIds(): Pick<SysProcAttr, "uidMappings" | "gidMappings"> {
  const uid = process.geteuid?.() ?? 0;
  const gid = process.getegid?.() ?? 0;
  return {
    uidMappings: [{ containerID: uid, hostID: uid, size: 1 }],
    gidMappings: [{ containerID: gid, hostID: gid, size: 1 }],
  };
}

function inUserNamespace(flags: CloneFlag[], more: SysProcAttr = {}): SysProcAttr {
  return { cloneflags: ["CLONE_NEWUSER", ...flags], ...ownIds(), ...more, init: false };
}

const FILTER: Seccomp = deepFreeze<Seccomp>({
  defaultAction: "SCMP_ACT_ALLOW",
  syscalls: [{ names: ["add_key"], action: "SCMP_ACT_ERRNO" }],
});

/** In order: each needs those before it. */
const PROBES: readonly (readonly [feature: FeatureName, sys: () => SysProcAttr])[] = [
  ["process with a pidfd", () => ({})],
  ["user namespace", () => ({ cloneflags: ["CLONE_NEWUSER"] })],
  ["id maps", () => inUserNamespace([])],
  ["mount namespace", () => inUserNamespace(["CLONE_NEWNS"])],
  ["pid namespace", () => inUserNamespace(["CLONE_NEWPID"])],
  ["PID 1 of our own", () => ({ ...inUserNamespace(["CLONE_NEWPID"]), init: true })],
  ["network namespace with loopback", () => inUserNamespace(["CLONE_NEWNET"], { loopback: true })],
  ["uts namespace", () => inUserNamespace(["CLONE_NEWUTS"], { hostname: "probe" })],
  ["ipc namespace", () => inUserNamespace(["CLONE_NEWIPC"])],
  ["cgroup namespace", () => inUserNamespace(["CLONE_NEWCGROUP"])],
  // Below a PID 1, which forks: before Linux 6.2 it is not entered by execve(2).
  ["time namespace", () => ({ ...inUserNamespace(["CLONE_NEWTIME", "CLONE_NEWPID"]), init: true })],
  ["recursive read-only root", () => inUserNamespace(["CLONE_NEWNS"], { rootfs: { path: "/", readonly: true } })],
  [
    "proc file system",
    () =>
      inUserNamespace(["CLONE_NEWNS", "CLONE_NEWPID"], {
        rootfs: { path: "/", readonly: true },
        mounts: [{ destination: "/proc", type: "proc" }],
      }),
  ],
  [
    "devices and terminals",
    () =>
      inUserNamespace(["CLONE_NEWNS", "CLONE_NEWIPC"], { rootfs: {}, mounts: [{ destination: "/dev", type: "dev" }] }),
  ],
  [
    "overlay in a user namespace",
    () =>
      inUserNamespace(["CLONE_NEWNS"], {
        rootfs: {},
        mounts: [{ destination: "/etc", type: "copy-on-write", source: "/etc", options: ["nosuid", "nodev"] }],
      }),
  ],
  ["no_new_privs", () => ({ noNewPrivileges: true })],
  ["session keyring", () => ({ newSessionKeyring: true })],
  ["seccomp filter", () => ({ noNewPrivileges: true, seccomp: FILTER })],
];

async function attempt(feature: FeatureName, act: () => Promise<void>): Promise<Feature> {
  try {
    await act();
    return { feature, available: true };
  } catch (error) {
    if (!(error instanceof SpawnError)) throw error;
    // Refused before any system call: as in a chroot, where the rule itself says what to do.
    const remedy = error instanceof OptionsError ? error.message : error.remedy;
    const { code: errno, message: reason } = error;
    return { feature, available: false, errno, reason, ...(remedy === undefined ? {} : { remedy }) };
  }
}

function tryFeature(feature: FeatureName, sys: SysProcAttr): Promise<Feature> {
  return attempt(feature, async () => {
    const child = await launch("exit", { stdio: "ignore", sys });
    await child.exited;
  });
}

/** Whether a second process may join the namespaces of another by its pidfd (setns(2), Linux 5.8). */
async function tryJoin(): Promise<Feature> {
  const nstype: CloneFlag[] = ["CLONE_NEWUSER", "CLONE_NEWUTS"];
  return attempt("joining namespaces", async () => {
    await using holder = await holdNamespaces({ sys: inUserNamespace(["CLONE_NEWUTS"]) });
    const child = await launch("exit", { stdio: "ignore", sys: { setns: [{ fd: holder.pidfd, nstype }] } });
    await child.exited;
  });
}

/** The layer is on a tmpfs, which keeps the attributes that overlayfs needs for it since Linux 6.6 (tmpfs(5), user xattrs). */
function overlayWords(): string | undefined {
  const [major = 0, minor = 0] = release().split(/[.-]/).map(Number);
  const keeps = major > 6 || (major === 6 && minor >= 6);
  return keeps ? undefined : "before Linux 6.6 folders that were there can't be removed or renamed in it";
}

/** All of Landlock that this kernel has, entered for real. */
async function tryLandlock(): Promise<Feature> {
  const abi = landlockAbi();
  const landlock: Landlock = {
    handledAccessFs: namesOf(LANDLOCK_FS),
    handledAccessNet: namesOf(LANDLOCK_NET),
    scoped: namesOf(LANDLOCK_SCOPES),
    rules: [{ path: "/", access: ["read_file"] }],
    minimumAbi: 1,
  };
  const found = await tryFeature("Landlock", { noNewPrivileges: true, landlock });
  // The rule that refuses it knows what to do; the kernel's own answer is the reason.
  if (abi <= 0) return { ...found, errno: errnoName(-abi).code };
  return { ...found, detail: landlockWords(abi) };
}

/** Whether the kernel tells us of what a filter refuses; without that the wall is the same, and nobody sees who ran into it. */
async function tryNotification(): Promise<Feature> {
  const feature = "seccomp notification";
  let tells = false;
  const tried = await attempt(feature, async () => {
    const sys = { noNewPrivileges: true, seccomp: FILTER };
    const child = await launch("exit", { stdio: "ignore", sys, onDenied: () => {} });
    tells = child.tellsDenials;
    await child.exited;
  });
  if (!tried.available || tells) return tried;
  const remedy =
    "Needs Linux 5.0, outside of any other sandbox or container runtime that is told of system calls itself (seccomp_unotify(2)). What is refused is the same without it; only the list of it is missing.";
  return { feature, available: false, remedy };
}

/**
 * Tries every feature of the kernel that is had without asking anybody; takes some milliseconds. Nothing is left behind.
 * Of FEATURES those of cgroups are not among them: who delegates one decides about them, and systemd may have to be asked,
 * which moves this process. The doctor's checkSystem() tries those too.
 * @param onTried called after each
 */
export async function probe(onTried: (feature: Feature) => void = () => {}): Promise<Feature[]> {
  const features: Feature[] = [];
  const note = (feature: Feature): void => {
    features.push(feature);
    onTried(feature);
  };
  for (const [feature, sys] of PROBES) {
    const found = await tryFeature(feature, sys());
    const detail = feature === "overlay in a user namespace" && found.available ? overlayWords() : undefined;
    note(detail === undefined ? found : { ...found, detail });
  }
  note(await tryNotification());
  note(await tryJoin());
  note(await tryLandlock());
  return features;
}
