// Finds the cgroup in which sandboxes' cgroups are made: one that was delegated to us, one that systemd hands over, or,
// as root, the top of the hierarchy.

import { mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { holdNamespaces } from "../../spawner";
import { CgroupHome, codeOf, type HomeKind } from "./home";
import { nextName, removeLeftovers } from "./names";
import { isWritable, type OwnCgroup, ownCgroup } from "./own";
import { SandboxCgroup } from "./sandbox-cgroup";
import type { Controller } from "./settings";
import { askSystemd } from "./systemd";

/** One place that was looked at, and why it does not do. */
export interface Attempt {
  readonly kind: HomeKind;
  /** Its folder, where there is one. */
  readonly directory?: string;
  /** In words. */
  readonly why: string;
  readonly errno: string;
}

/** What was looked at, for the words of a refusal. */
export interface Search {
  readonly own: OwnCgroup | undefined;
  readonly attempts: readonly Attempt[];
}

const isRoot = (): boolean => process.getuid?.() === 0;

/**
 * A unit may hand on what was delegated to it; a slice belongs to the manager, who may turn its controllers off again at
 * any time, and user@.service is the manager's own.
 */
function mayHoldOurs(parent: string): boolean {
  const name = basename(parent);
  if (/^user@\d+\.service$/.test(name) || name.endsWith(".slice")) return false;
  // Root may write everywhere, which says nothing about whose it is.
  return !isRoot() || /\.(scope|service)$/.test(name);
}

/** Our own cgroup, or the one around it where our processes were put into a leaf, as delegation asks for. */
async function delegated(own: OwnCgroup): Promise<CgroupHome | undefined> {
  const { directory, mountPoint } = own;
  if (directory === undefined || own.inRoot) return undefined;
  const parent = dirname(directory);
  if (directory !== mountPoint && mayHoldOurs(parent) && (await isWritable(parent))) {
    return new CgroupHome("delegated", parent);
  }
  return (await isWritable(directory)) ? new CgroupHome("delegated", directory) : undefined;
}

/** The top of the hierarchy, which may hand controllers on in spite of its processes; where it can be seen and written. */
async function atTheTop(own: OwnCgroup): Promise<CgroupHome | undefined> {
  const isTop = own.inRoot || !(await readFile(join(own.mountPoint, "cgroup.events")).then(Boolean, () => false));
  return isTop && isRoot() && (await isWritable(own.mountPoint)) ? new CgroupHome("root", own.mountPoint) : undefined;
}

/** Whether a process of ours can be born in a cgroup there. Tried for real, with one that ends at once. */
async function canBeEntered(home: CgroupHome): Promise<boolean> {
  await removeLeftovers(home.directory);
  let cgroup: SandboxCgroup | undefined;
  try {
    cgroup = await SandboxCgroup.make(home, []);
    const holder = await holdNamespaces({ sys: { cgroupFD: cgroup.fd } });
    await holder.release();
    return true;
  } catch {
    return false;
  } finally {
    await cgroup?.remove();
  }
}

const entered = new Map<string, Promise<boolean>>();

function enterable(home: CgroupHome): Promise<boolean> {
  const known = entered.get(home.directory) ?? canBeEntered(home);
  entered.set(home.directory, known);
  return known;
}

/** Moves us into a leaf below our own cgroup, when nobody else is in it: then it can hand controllers on. */
async function stepAside(home: CgroupHome, own: OwnCgroup): Promise<boolean> {
  if (home.directory !== own.directory) return false;
  const members = await readFile(join(home.directory, "cgroup.procs"), "utf8").catch(() => "");
  if (members.trim() !== String(process.pid)) return false;
  const leaf = join(home.directory, nextName());
  await mkdir(leaf);
  try {
    await writeFile(join(leaf, "cgroup.procs"), String(process.pid));
    return true;
  } catch {
    await rmdir(leaf);
    return false;
  }
}

type Refused = Pick<Attempt, "why" | "errno">;

/** @returns why a home does not do; undefined when it does */
async function wantsOf(home: CgroupHome, needed: readonly Controller[], own: OwnCgroup): Promise<Refused | undefined> {
  if (!(await enterable(home))) return { why: "no process can be born in a cgroup there", errno: "EACCES" };
  let refused = await home.turnOn(needed);
  if ([...refused.values()].includes("EBUSY") && (await stepAside(home, own))) refused = await home.turnOn(needed);
  if (refused.size === 0) return undefined;
  const words = [...refused].map(
    ([controller, code]) => `the ${controller} controller ${WHY[code] ?? `can't be turned on (${code})`}`,
  );
  return { why: words.join(", "), errno: [...refused.values()][0] ?? "EIO" };
}

const WHY: Readonly<Record<string, string>> = {
  ENOENT: "has not reached it",
  EBUSY: "can't be handed on, because it has processes of its own (EBUSY)",
  EACCES: "may not be handed on by you (EACCES)",
};

let scope: Promise<CgroupHome> | undefined;

/** systemd is asked once; after a refusal, which the user may have mended, again. */
function fromSystemd(own: OwnCgroup): Promise<CgroupHome> {
  scope ??= askSystemd(own).catch((error: unknown) => {
    scope = undefined;
    throw error;
  });
  return scope;
}

/** Turned on where it can be, for the figures that they give. */
const WELCOME: readonly Controller[] = ["memory", "pids"];

async function findCheaply(): Promise<CgroupHome | undefined> {
  const own = await ownCgroup(true);
  if (own === undefined) return undefined;
  const home = (await delegated(own)) ?? (await atTheTop(own));
  if (home === undefined || !(await enterable(home))) return undefined;
  await home.turnOn(WELCOME);
  return home;
}

let cheap: Promise<CgroupHome | undefined> | undefined;

/**
 * A home that can be had without asking anybody, or that systemd has given already; undefined where there is none.
 * @param again the one that was found is no good any more
 */
export async function cheapHome(again = false): Promise<CgroupHome | undefined> {
  if (again) cheap = undefined;
  cheap ??= findCheaply();
  return (await scope?.catch(() => undefined)) ?? cheap;
}

/**
 * A home that has the controllers.
 * @returns what was tried when there is none
 */
export async function homeWith(needed: readonly Controller[]): Promise<CgroupHome | Search> {
  const own = await ownCgroup(true);
  const attempts: Attempt[] = [];
  if (own === undefined) return { own, attempts };
  const places: readonly (readonly [HomeKind, (own: OwnCgroup) => Promise<CgroupHome | undefined>, none: string])[] = [
    ["delegated", delegated, "it is not delegated to you"],
    ["systemd", fromSystemd, ""],
    ["root", atTheTop, isRoot() ? "it can't be written" : "only root may use it"],
  ];
  for (const [kind, find, none] of places) {
    try {
      const home = await find(own);
      const refused = home === undefined ? { why: none, errno: "EACCES" } : await wantsOf(home, needed, own);
      if (home !== undefined && refused === undefined) return home;
      const directory = home?.directory ?? (kind === "root" ? own.mountPoint : own.directory);
      if (refused !== undefined) attempts.push({ kind, ...refused, ...(directory === undefined ? {} : { directory }) });
    } catch (error) {
      attempts.push({ kind, why: error instanceof Error ? error.message : String(error), errno: codeOf(error) });
    }
  }
  return { own, attempts };
}
