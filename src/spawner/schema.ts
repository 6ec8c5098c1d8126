// The shape of spawn options, checked before anything is compiled: types, ranges, unknown keys. What combinations mean
// is the business of rules/.

import * as os from "node:os";
import { z } from "zod";
import { CAPABILITIES } from "./capabilities";
import { LANDLOCK_FLAGS, LANDLOCK_FS, LANDLOCK_NET, LANDLOCK_SCOPES, namesOf } from "./landlock";
import { RLIMITS } from "./rlimits";
import { seccompOption } from "./seccomp/schema";
import { problemsOf } from "./shape";
import { type CloneFlag, MOUNT_TYPES, type SpawnOptions } from "./types";

const MAX_ID = 0xffff_fffe; // (uid_t) -1 means "no change"
const MAX_FD = 0x7fff_ffff;
const MAX_STDIO = 64;
const MAX_PATH = 4095; // PATH_MAX without its NUL (path_resolution(7))

/**
 * A NUL would end the string early on its way to the kernel, and the rest would be lost without a word; half a surrogate
 * pair would become another character.
 */
const text = z
  .string()
  .refine((value) => !value.includes("\0"), "must not contain a NUL byte")
  .refine((value) => !/\p{Surrogate}/u.test(value), "must not contain half a surrogate pair: it is no character");
const path = text.refine(
  (value) => value.length * 3 <= MAX_PATH || Buffer.byteLength(value) <= MAX_PATH,
  `must have at most ${MAX_PATH} bytes: no path is longer (path_resolution(7))`,
);
const absolutePath = path.refine((value) => value.startsWith("/"), "must be an absolute path");
const id = z.int().min(0).max(MAX_ID);
const fd = z.int().min(0).max(MAX_FD);
const count = z.int().min(1).max(0xffff);
const signal = z.enum(Object.keys(os.constants.signals) as [NodeJS.Signals, ...NodeJS.Signals[]]);
/** Names only: rules/flags.ts knows every flag, and says of each that is refused why. */
const flags = z.array(z.custom<CloneFlag>((value) => typeof value === "string", "must be a string"));
const capabilities = z.array(z.enum(CAPABILITIES));
const limit = z.int().min(-1);

const idMapping = z.strictObject({ containerID: id, hostID: id, size: z.int().min(1).max(0xffff_ffff) });
const timeOffset = z.strictObject({ secs: z.int(), nanosecs: z.int().min(0).max(999_999_999) });

const mount = z.strictObject({
  destination: absolutePath,
  type: z.enum(MOUNT_TYPES).optional(),
  source: path.min(1).optional(),
  options: z.array(text.min(1)).optional(),
  data: text.optional(),
  mode: z.int().min(0).max(0o7777).optional(),
});

const fsAccess = z.array(z.enum(namesOf(LANDLOCK_FS)));
const netAccess = z.array(z.enum(namesOf(LANDLOCK_NET)));

const landlock = z.strictObject({
  handledAccessFs: fsAccess.optional(),
  handledAccessNet: netAccess.optional(),
  scoped: z.array(z.enum(namesOf(LANDLOCK_SCOPES))).optional(),
  rules: z
    .array(
      z.strictObject({
        path: absolutePath,
        access: fsAccess,
        options: z.array(z.enum(["optional", "nofollow"])).optional(),
      }),
    )
    .optional(),
  terminal: fsAccess.optional(),
  ports: z.array(z.strictObject({ port: z.int().min(0).max(0xffff), access: netAccess })).optional(),
  flags: z.array(z.enum(namesOf(LANDLOCK_FLAGS))).optional(),
  minimumAbi: z.int().min(0).optional(),
});

const sys = z.strictObject({
  cloneflags: flags.optional(),
  unshareflags: flags.optional(),
  uidMappings: z.array(idMapping).optional(),
  gidMappings: z.array(idMapping).optional(),
  gidMappingsEnableSetgroups: z.boolean().optional(),
  credential: z
    .strictObject({ uid: id, gid: id, groups: z.array(id).optional(), noSetGroups: z.boolean().optional() })
    .optional(),
  chroot: absolutePath.optional(),
  setsid: z.boolean().optional(),
  setpgid: z.boolean().optional(),
  pgid: z.int().min(0).max(0x7fff_ffff).optional(),
  foreground: z.boolean().optional(),
  setctty: z.boolean().optional(),
  noctty: z.boolean().optional(),
  ctty: fd.optional(),
  pdeathsig: signal.optional(),
  ptrace: z.boolean().optional(),
  ambientCaps: capabilities.optional(),
  cgroupFD: fd.optional(),
  setns: z.array(z.strictObject({ fd, nstype: flags })).optional(),
  rlimits: z.array(z.strictObject({ type: z.enum(RLIMITS), soft: limit, hard: limit })).optional(),
  realTimeLimit: z.int().min(1).optional(),
  timeOffsets: z.strictObject({ monotonic: timeOffset.optional(), boottime: timeOffset.optional() }).optional(),
  hostname: text.optional(),
  domainname: text.optional(),
  loopback: z.boolean().optional(),
  rootfs: z
    .strictObject({
      path: absolutePath.optional(),
      readonly: z.boolean().optional(),
      options: z.array(z.enum(["ro", "nosuid", "nodev", "noexec"])).optional(),
    })
    .optional(),
  mounts: z.array(mount).optional(),
  maskedPaths: z.array(absolutePath).optional(),
  readonlyPaths: z.array(absolutePath).optional(),
  capabilities: z
    .strictObject({
      bounding: capabilities.optional(),
      effective: capabilities.optional(),
      permitted: capabilities.optional(),
      inheritable: capabilities.optional(),
      keepBounding: z.boolean().optional(),
    })
    .optional(),
  noNewPrivileges: z.boolean().optional(),
  landlock: landlock.optional(),
  seccomp: seccompOption(problemsOf).optional(),
  oomScoreAdj: z.int().min(-1000).max(1000).optional(),
  umask: z.int().min(0).max(0o777).optional(),
  newSessionKeyring: z.boolean().optional(),
  init: z.boolean().optional(),
  subreaper: z.boolean().optional(),
});

const stdioEntry = z.union([z.enum(["pipe", "ignore", "inherit"]), fd, z.null()], {
  error: "must be 'pipe', 'ignore', 'inherit', an fd or null",
});

const name = text.refine((key) => key !== "" && !key.includes("="), "must be the name of a variable");

export const spawnOptions = z.strictObject({
  argv0: text.optional(),
  cwd: path.min(1).optional(),
  env: z.record(name, text.optional()).optional(),
  stdio: z
    .union([z.enum(["pipe", "ignore", "inherit"]), z.array(stdioEntry).max(MAX_STDIO)], {
      error: "must be 'pipe', 'ignore', 'inherit' or a list of entries",
    })
    .optional(),
  terminal: z.strictObject({ columns: count, rows: count }).optional(),
  sys: sys.optional(),
  timeout: z.number().min(0).optional(),
  killSignal: signal.optional(),
  signal: z.instanceof(AbortSignal).optional(),
  onDenied: z
    .custom<NonNullable<SpawnOptions["onDenied"]>>((value) => typeof value === "function", "must be a function")
    .optional(),
});

export const command = z.strictObject({ file: text.min(1), args: z.array(text).readonly() });
