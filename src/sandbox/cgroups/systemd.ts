// A cgroup that systemd hands over: a transient scope with Delegate=yes (systemd.scope(5), systemd.resource-control(5),
// https://systemd.io/CGROUP_DELEGATION), asked of the user's manager over D-Bus, or as root of the system's. It is made
// once an editor and goes with it: a scope ends with its last process.
//
// Who that process is: a parked program of ours, so that the editor stays where it is. Only where we couldn't enter the
// scope from outside, we ourselves: a process is born in another cgroup only below one that we may write
// (CLONE_INTO_CGROUP, clone(2)), and that of a login session (SSH) is not. The user's manager has us moved by the
// system's (AttachProcessesToUnit).

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseCgroup } from "../../inspect/cgroup";
import { readProcessFile } from "../../inspect/procfs";
import { dbus } from "../../load-dbus";
import { CgroupHome } from "./home";
import { nextName, scopeName } from "./names";
import type { OwnCgroup } from "./own";

/** Milliseconds for a bus or a manager that does not answer. */
const PATIENCE = 10_000;

const SYSTEMD = "org.freedesktop.systemd1";
const MANAGER = { destination: SYSTEMD, path: "/org/freedesktop/systemd1", interface: `${SYSTEMD}.Manager` };

type Bus = ReturnType<typeof connect>;

function connect() {
  if (process.getuid?.() === 0) return dbus().systemBus();
  const runtime = process.env.XDG_RUNTIME_DIR ?? `/run/user/${process.getuid?.()}`;
  const busAddress = process.env.DBUS_SESSION_BUS_ADDRESS ?? `unix:path=${runtime}/bus`;
  return dbus().sessionBus({ busAddress });
}

async function call(bus: Bus, message: ConstructorParameters<ReturnType<typeof dbus>["Message"]>[0]) {
  const { Message } = dbus();
  return (await bus.call(new Message(message)))?.body ?? [];
}

/** The cgroup of a unit or of the manager itself, "/user.slice/user-1000.slice/user@1000.service". */
async function controlGroupOfManager(bus: Bus): Promise<string> {
  const [value] = await call(bus, {
    ...MANAGER,
    interface: "org.freedesktop.DBus.Properties",
    member: "Get",
    signature: "ss",
    body: [MANAGER.interface, "ControlGroup"],
  });
  const group = value instanceof dbus().Variant ? value.value : undefined;
  return typeof group === "string" ? group : "";
}

/** Starts the scope and waits for the job's end: from then on the process is in it. */
async function startScope(bus: Bus, name: string, pid: number): Promise<void> {
  const { Variant } = dbus();
  const results = new Map<unknown, unknown>();
  let told: () => void = () => {};
  bus.on("message", ({ member, body }) => {
    if (member !== "JobRemoved") return;
    const [, job, , result] = body;
    results.set(job, result);
    told();
  });
  const rule = `type='signal',sender='${SYSTEMD}',interface='${MANAGER.interface}',member='JobRemoved'`;
  const daemon = {
    destination: "org.freedesktop.DBus",
    path: "/org/freedesktop/DBus",
    interface: "org.freedesktop.DBus",
  };
  await call(bus, { ...daemon, member: "AddMatch", signature: "s", body: [rule] });
  await call(bus, { ...MANAGER, member: "Subscribe" });
  const properties = [
    ["Description", new Variant("s", "Sandboxes of Sandbox Tasks")],
    ["PIDs", new Variant("au", [pid])],
    ["Delegate", new Variant("b", true)],
    // Else a scope that fails to stop stays listed for ever.
    ["CollectMode", new Variant("s", "inactive-or-failed")],
  ];
  const [job] = await call(bus, {
    ...MANAGER,
    member: "StartTransientUnit",
    signature: "ssa(sv)a(sa(sv))",
    body: [name, "fail", properties, []],
  });
  while (!results.has(job)) {
    await new Promise<void>((resolve) => {
      told = resolve;
    });
  }
  if (results.get(job) !== "done") throw new Error(`the job that starts ${name} ended with "${results.get(job)}"`);
}

/** A program that does nothing and ends when we do, however that is: its input ends then. */
async function parked(): Promise<{ pid: number; end(): Promise<void> }> {
  const child = spawn("cat", [], { stdio: ["pipe", "ignore", "ignore"] });
  await once(child, "spawn");
  child.unref();
  // An editor that has nothing else to do may end.
  if ("unref" in child.stdin && typeof child.stdin.unref === "function") child.stdin.unref();
  const ended = once(child, "exit");
  const end = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
  };
  return { pid: child.pid ?? 0, end };
}

async function scopeOf(pid: number, own: OwnCgroup, name: string): Promise<string> {
  const { path } = parseCgroup((await readProcessFile(pid, "cgroup")) ?? "");
  if (!path.endsWith(`/${name}`)) throw new Error(`${name} was started, but process ${pid} is in ${path || "none"}`);
  // The same part of the hierarchy is mounted as for our own.
  const base =
    own.directory === undefined
      ? ""
      : own.path.slice(0, own.path.length - (own.directory.length - own.mountPoint.length));
  return join(own.mountPoint, path.slice(base === "/" ? 0 : base.length));
}

async function askOn(bus: Bus, own: OwnCgroup): Promise<CgroupHome> {
  const name = scopeName();
  const manager = await controlGroupOfManager(bus);
  const isReachable = process.getuid?.() === 0 || manager === "" || own.path.startsWith(`${manager}/`);
  const member = isReachable ? await parked() : { pid: process.pid, end: async () => {} };
  try {
    await startScope(bus, name, member.pid);
    const directory = await scopeOf(member.pid, own, name);
    // Into a leaf: a cgroup with processes of its own can't hand controllers on.
    const leaf = join(directory, nextName());
    await mkdir(leaf);
    await writeFile(join(leaf, "cgroup.procs"), String(member.pid));
    return new CgroupHome("systemd", directory);
  } catch (error) {
    await member.end();
    throw error;
  }
}

/**
 * Has systemd make a scope for us.
 * @throws Error that says what it refused, in words
 */
export async function askSystemd(own: OwnCgroup): Promise<CgroupHome> {
  const bus = connect();
  let timer: NodeJS.Timeout | undefined;
  const failed = new Promise<never>((_, reject) => {
    // The bus tells what breaks the connection as an event, whoever waits for an answer.
    (bus as NodeJS.EventEmitter).on("error", reject);
    timer = setTimeout(() => reject(new Error(`no answer within ${PATIENCE / 1000} seconds`)), PATIENCE);
  });
  try {
    return await Promise.race([askOn(bus, own), failed]);
  } finally {
    clearTimeout(timer);
    bus.disconnect();
  }
}
