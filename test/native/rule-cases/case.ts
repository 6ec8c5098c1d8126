// What a case of a rule is, and short ways to write options down.

import type { Caller } from "../../../src/spawner/caller";
import { CAPABILITIES } from "../../../src/spawner/capabilities";

export interface Case {
  /** The rule, as the title of a test. */
  readonly rule: string;
  readonly options: object;
  /** The option that is blamed, and the words that must be there. */
  readonly path: string;
  readonly words: RegExp;
  /** The same put right: nothing is said about it. */
  readonly sound?: object;
  readonly by?: Partial<Caller>;
  /** Lines for kernelSays() and the errno. */
  readonly kernel?: readonly [lines: string, errno: string];
}

const NO_CAPABILITIES = { effective: new Set<never>(), permitted: new Set<never>(), inheritable: new Set<never>() };

/** A caller with every right. */
export const ROOT: Caller = {
  uid: 0,
  gid: 0,
  uids: [0, 0, 0],
  gids: [0, 0, 0],
  effective: new Set(CAPABILITIES),
  permitted: new Set(CAPABILITIES),
  inheritable: new Set(),
  chrooted: false,
  uidRanges: [{ first: 0, size: 0xffff_ffff }],
  gidRanges: [{ first: 0, size: 0xffff_ffff }],
  setgroups: true,
  openFiles: { hard: 4096 },
  hardLimit: () => Number.POSITIVE_INFINITY,
  maxOpenFiles: 1_048_576,
  clocks: { monotonic: 1000, boottime: 1000 },
  landlockAbi: 7,
  execEntersTime: true,
  fdTarget: () => "pidfd:[1]",
};

/** A caller with none. */
export const USER: Partial<Caller> = { uid: 1000, gid: 1000, uids: [1000], gids: [1000], ...NO_CAPABILITIES };

export const map = (containerID: number, hostID: number, size = 1): object => ({ containerID, hostID, size });

/** New namespaces in a user namespace with one id, that of `id`. */
export const inUser = (flags: string[], more: object = {}, id = 0): { sys: object } => ({
  sys: { cloneflags: ["CLONE_NEWUSER", ...flags], uidMappings: [map(0, id)], gidMappings: [map(0, id)], ...more },
});
export const sys = (more: object): { sys: object } => ({ sys: more });
export const cloned = (...flags: string[]): { sys: object } => sys({ cloneflags: flags });
export const unshared = (...flags: string[]): { sys: object } => sys({ unshareflags: flags });
export const mount = (more: object): { sys: object } =>
  inUser(["CLONE_NEWNS"], { mounts: [{ destination: "/x", ...more }] });
export const join = (nstype: string[], more: object = {}): { sys: object } =>
  sys({ setns: [{ fd: 3, nstype }], ...more });
