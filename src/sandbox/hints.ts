// What was probably refused, concluded from what a program printed: an error message of the C library, of Node, of Python,
// with a path or an address in it, held against what the sandbox shows. Only ever a hint: the program may print what it
// likes. Pure.
//
// What Landlock refuses could be told, but only through the audit log (records 1423 and 1424, Linux 6.15): off unless somebody
// has turned it on, to be read with CAP_AUDIT_READ over the whole machine, and not to be asked for where unknown programs are
// run, which could flood it (LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON in linux/landlock.h).

import { dirname } from "node:path";
import type { Denial } from "./denials";
import type { HostFacts } from "./host";
import { guardedPaths, isVisible, type Place, placeOf } from "./layout";
import { expand, isInside } from "./paths";
import type { ResolvedProfile } from "./schema";
import { CREDENTIALS } from "./toolchains";
import type { Isolation } from "./types";
import { isSystemFolder } from "./workspace";

/** What a line says, before anything is known of the sandbox. */
export type Finding =
  | { readonly error: "EROFS" | "EACCES" | "ENOENT"; readonly path: string }
  | { readonly error: "ENETUNREACH" | "EAI_AGAIN"; readonly what: string };

/** One of these is in every line that could be a finding: looked for first, as most output has none. */
export const NEEDLES = [
  "ead-only file system",
  "ermission denied",
  "o such file or directory",
  "etwork is unreachable",
  "ENETUNREACH",
  "EAI_AGAIN",
  "ame resolution",
  "not resolve host",
] as const;

const FILE_ERRORS = [
  ["EROFS", /\bread-only file system\b/i],
  ["EACCES", /\bpermission denied\b/i],
  ["ENOENT", /\bno such file or directory\b/i],
] as const;

/** A path in quotes (coreutils, Node, Python), else the last word before the colon in front of the message (cat, sh). */
function pathIn(line: string, message: RegExp): string | undefined {
  const quoted = /['"‘`]((?:\/|~\/|\.{0,2}\/?)[^'"’`]+)['"’`]/.exec(line)?.[1];
  if (quoted !== undefined) return quoted;
  const before = line.slice(0, line.search(message));
  return /([^\s:]+):\s*$/.exec(before)?.[1];
}

/** What a line of output says was refused; undefined for all that says nothing of the kind. */
export function findingIn(line: string): Finding | undefined {
  const host = /(?:could not resolve host:?|getaddrinfo EAI_AGAIN)\s+([\w.-]+)/i.exec(line)?.[1];
  if (host !== undefined) return { error: "EAI_AGAIN", what: `resolve ${host}` };
  if (/EAI_AGAIN|temporary failure in name resolution/i.test(line))
    return { error: "EAI_AGAIN", what: "resolve a host name" };
  const address = /ENETUNREACH\s+([\da-f.:]+)/i.exec(line)?.[1];
  if (address !== undefined) return { error: "ENETUNREACH", what: `connect ${address}` };
  if (/ENETUNREACH|network is unreachable/i.test(line)) return { error: "ENETUNREACH", what: "connect" };
  for (const [error, message] of FILE_ERRORS) {
    if (!message.test(line)) continue;
    const path = pathIn(line, message);
    return path === undefined ? undefined : { error, path };
  }
  return undefined;
}

/** What is at a path outside of the sandbox, as the editor finds it. */
export interface OnHost {
  /** 'refused' where the editor itself may not read it. */
  readonly is: "missing" | "refused" | "there";
  /** Whether the editor may write to it, or make it where it is missing. */
  readonly canWrite: boolean;
}

/** The sandbox that a finding is held against. */
export interface Shown {
  readonly profile: ResolvedProfile;
  readonly places: readonly Place[];
  readonly facts: HostFacts;
  readonly isolation: Isolation;
}

/** Keys and passwords: a line that a program prints must not lead anybody to show them. */
function isSecret(path: string, { home, secrets }: HostFacts): boolean {
  return [...secrets, ...CREDENTIALS.map((name) => `${home}/${name}`)].some((secret) => isInside(path, secret));
}

function networkHint(what: string, { network }: ResolvedProfile): Denial | undefined {
  if (network === "host") return undefined;
  return { by: "network", certainty: "hint", what, rule: "network", count: 1, allow: { network: "host" } };
}

/** A path that could not be written to because it is seen read-only. */
function writeHint(path: string, { profile, places, facts, isolation }: Shown, at: OnHost) {
  const hint = { by: "filesystem", certainty: "hint", what: path, path, count: 1 } as const;
  const { access } = placeOf(places, path);
  if (guardedPaths(places, facts).some((guarded) => isInside(path, guarded.path))) {
    return { ...hint, rule: "filesystem" };
  }
  // What is the sandbox's own elsewhere is nowhere under Landlock alone: its own is in a folder beside.
  const own: readonly Place["access"][] = isolation === "landlock" ? ["private", "copy"] : [];
  if (access !== "read" && access !== "hidden" && !own.includes(access)) return undefined;
  if (isInside(path, facts.workspace)) {
    return profile.filesystem.workspace === "readonly"
      ? ({ ...hint, rule: "filesystem.workspace", allow: { filesystem: { workspace: "readwrite" } } } as const)
      : undefined;
  }
  // What is to be made can't be shown: the folder can that it would be made in, unless it is everybody's.
  const target = at.is === "missing" ? dirname(path) : path;
  const isOffered = !isSystemFolder(target) && !isInside(facts.home, target) && !isSecret(target, facts);
  return { ...hint, rule: "filesystem.write", ...(isOffered ? { allow: { filesystem: { write: [target] } } } : {}) };
}

/** A path that is there outside and can't be seen inside. */
function readHint(path: string, { profile, places, facts }: Shown) {
  if (isVisible(places, path)) return undefined;
  const hint = { by: "filesystem", certainty: "hint", what: path, path, count: 1 } as const;
  const hiding = profile.filesystem.hide.some((text) => isInside(path, expand(text, facts.home, facts.workspace)));
  if (hiding) return { ...hint, rule: "filesystem.hide" };
  const isOffered = path !== facts.home && !isSecret(path, facts);
  return { ...hint, rule: "filesystem.read", ...(isOffered ? { allow: { filesystem: { read: [path] } } } : {}) };
}

/**
 * The path that a finding is about, absolute; undefined when it is about none.
 * @param cwd where the command was started: relative paths are taken from there
 */
export function pathOf(finding: Finding, { home }: HostFacts, cwd: string): string | undefined {
  return "path" in finding ? expand(finding.path, home, cwd) : undefined;
}

/**
 * What the sandbox probably did, when a finding can be of its making.
 * @param path from pathOf
 * @param at what is there on the host
 */
export function hintOf(
  finding: Finding,
  shown: Shown,
  path: string | undefined,
  at: OnHost | undefined,
): Denial | undefined {
  if ("what" in finding) return networkHint(finding.what, shown.profile);
  // The permission bits refuse the user outside as well: no doing of the sandbox.
  if (path === undefined || at === undefined || at.is === "refused") return undefined;
  const hidden = at.is === "there" ? readHint(path, shown) : undefined;
  switch (finding.error) {
    case "EROFS":
      return writeHint(path, shown, at);
    case "ENOENT":
      return hidden;
    case "EACCES":
      // Landlock has one word for all; of a mount that is read-only the kernel says so.
      return hidden ?? (shown.isolation === "landlock" && at.canWrite ? writeHint(path, shown, at) : undefined);
  }
}
