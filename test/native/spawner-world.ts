// What the spawner's tests share: the built library, running a command to its end, and counting what is open or alive.

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { text } from "node:stream/consumers";
import { LIBRARY } from "../support/library";

/** The built library, as another program would load it. */
export const api: typeof import("../../src/api") = require(LIBRARY);

export type Options = NonNullable<Parameters<typeof api.spawn>[2]>;
export type Sys = NonNullable<Options["sys"]>;
type CloneFlag = NonNullable<Sys["cloneflags"]>[number];

export const isRoot = process.getuid?.() === 0;

/** The one id that everybody may map: their own. */
export function ownIds(): Pick<Sys, "uidMappings" | "gidMappings"> {
  const uid = process.getuid?.() ?? 0;
  const gid = process.getgid?.() ?? 0;
  return {
    uidMappings: [{ containerID: uid, hostID: uid, size: 1 }],
    gidMappings: [{ containerID: gid, hostID: gid, size: 1 }],
  };
}

/** New namespaces in a user namespace of their own, as an ordinary user may make them. */
export function inNamespaces(flags: CloneFlag[], more: Sys = {}): { sys: Sys } {
  return { sys: { cloneflags: ["CLONE_NEWUSER", ...flags], ...ownIds(), pdeathsig: "SIGKILL", ...more } };
}

/** A root of its own with /proc and /dev, the host's files read-only below it. */
export const WHOLE_ROOT: Sys = {
  rootfs: { path: "/", readonly: true },
  mounts: [
    { destination: "/proc", type: "proc" },
    { destination: "/dev", type: "dev" },
    { destination: "/tmp", type: "tmpfs", mode: 0o1777 },
  ],
};

/** Without any namespace, but with an owner of all that it starts; where canOwn(). */
export const OWNED: Sys = {
  subreaper: true,
  noNewPrivileges: true,
  landlock: { scoped: ["signal"] },
  pdeathsig: "SIGKILL",
};

/** Whether this kernel's Landlock keeps signals in a tree: ABI 6. */
export async function canOwn(): Promise<boolean> {
  const landlock = (await api.probe()).find(({ feature }) => feature === "Landlock");
  return /signals/.test(landlock?.detail ?? "");
}

export interface Result {
  readonly status: Awaited<Awaited<ReturnType<typeof api.spawn>>["exited"]>;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. */
export async function run(file: string, args: string[] = [], options: Options = {}): Promise<Result> {
  const child = await api.spawn(file, args, options);
  const [status, stdout, stderr] = await Promise.all([
    child.exited,
    child.stdout === null ? "" : text(child.stdout),
    child.stderr === null ? "" : text(child.stderr),
  ]);
  return { status, stdout, stderr };
}

/** Runs a shell line to its end. */
export const sh = (line: string, options: Options = {}): Promise<Result> => run("sh", ["-c", line], options);

/** The rejection of a promise that must not resolve. */
export async function rejection(promise: Promise<unknown>): Promise<InstanceType<typeof api.SpawnError>> {
  const value = await promise.then(
    () => new Error("It was not refused."),
    (error: unknown) => error,
  );
  if (value instanceof api.SpawnError) return value;
  throw value;
}

/** What each open fd of this process points to. */
export function openFds(): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [`${fd} ${readlinkSync(`/proc/self/fd/${fd}`)}`];
    } catch {
      return []; // the one that read the list
    }
  });
}

/** Whether it keeps a scope of systemd's for us (cgroups/systemd.ts): asked for once, it stays as long as we do. */
function keepsScope(pid: string): boolean {
  try {
    const [command, cgroup] = ["cmdline", "cgroup"].map((file) => readFileSync(`/proc/${pid}/${file}`, "utf8"));
    return command === "cat\0" && /\/sandbox-tasks-[\d-]+\.scope\/sandbox-tasks-[\d-]+$/m.test(cgroup ?? "");
  } catch {
    return false; // it has ended since
  }
}

/** Our children that are not reaped, zombies too; but for one that keeps a scope. */
export function children(): string[] {
  const all = readdirSync("/proc/self/task").flatMap((task) => {
    try {
      return readFileSync(`/proc/self/task/${task}/children`, "utf8").split(" ").filter(Boolean);
    } catch {
      return []; // a thread that has ended since
    }
  });
  return all.filter((pid) => !keepsScope(pid));
}

/** Whether execve(2) enters a time namespace that was unshared, as another program finds it; Linux 6.1 does not. */
export function execEntersTime(): boolean {
  const line = ["--user", "--map-root-user", "--time", "readlink", "/proc/self/ns/time"];
  const inside = execFileSync("unshare", line, { encoding: "utf8" }).trim();
  return inside !== readlinkSync("/proc/self/ns/time");
}
