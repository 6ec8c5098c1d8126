// Random spawn options for the property tests: hostile ones, which nobody's types forbid a JSON file to hold, and ones of
// the right shape in random combinations, which no child can do harm with: they are always in a user namespace.

import fc from "fast-check";
import { CAPABILITIES } from "../../src/spawner/capabilities";
import { LANDLOCK_FS, LANDLOCK_NET, LANDLOCK_SCOPES } from "../../src/spawner/landlock";
import { RLIMITS } from "../../src/spawner/rlimits";
import { CLONE_FLAGS, MOUNT_TYPES } from "../../src/spawner/types";

const FLAGS = Object.keys(CLONE_FLAGS);

/** Strings that have broken programs: NUL, half a surrogate pair, names that every object has, very long ones. */
const badText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    "\0",
    "a\0b",
    "\ud800",
    "/\udfff",
    "__proto__",
    "constructor",
    "toString",
    "",
    "/",
    "..",
    "\uffff",
    "é",
  ),
  fc.nat({ max: 300_000 }).map((length) => "x".repeat(length)),
);

const badNumber = fc.oneof(
  fc.double(),
  fc.maxSafeInteger(),
  fc.constantFrom(-1, -0, 0.5, 2 ** 31, 2 ** 32, 2 ** 53, 1e300, Number.NaN, Number.POSITIVE_INFINITY),
);

const anything = fc.oneof(
  badText,
  badNumber,
  fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withSparseArray: true,
    maxDepth: 4,
  }),
  fc.constantFrom(null, undefined, {}, [], [[]], [null], () => 0, Symbol("x")),
  fc.array(badText, { maxLength: 5 }),
  fc.array(fc.constantFrom(...FLAGS, "CLONE_VM", "CLONE_THREAD", "toString"), { maxLength: 5 }),
  fc.constant(null).map(() => deep(5000)),
  fc.constantFrom("uid", "size", "cwd").map((key) => throwing(key)),
);

function deep(levels: number): unknown {
  let value: unknown = {};
  for (let i = 0; i < levels; i++) value = i % 2 === 0 ? [value] : { sys: value };
  return value;
}

function throwing(key: string): object {
  return Object.defineProperty({}, key, {
    enumerable: true,
    get: () => {
      throw new Error("not for you");
    },
  });
}

const TOP = ["argv0", "cwd", "env", "stdio", "terminal", "sys", "timeout", "killSignal", "__proto__", "constructor"];
const SYS = [
  ...["cloneflags", "unshareflags", "uidMappings", "gidMappings", "gidMappingsEnableSetgroups", "credential", "chroot"],
  ...["setsid", "setpgid", "pgid", "foreground", "setctty", "noctty", "ctty", "pdeathsig", "ambientCaps", "cgroupFD"],
  ...["setns", "rlimits", "realTimeLimit", "timeOffsets", "hostname", "domainname", "loopback", "rootfs", "mounts"],
  ...["maskedPaths", "readonlyPaths", "capabilities", "noNewPrivileges", "oomScoreAdj", "umask", "newSessionKeyring"],
  "landlock",
  ...["init", "ptrace", "__proto__", "x"],
];

/** An object with own keys, '__proto__' too, as JSON.parse() makes it. */
function objectOf(keys: readonly string[], value: fc.Arbitrary<unknown>): fc.Arbitrary<object> {
  return fc.array(fc.tuple(fc.constantFrom(...keys), value), { maxLength: 4 }).map((entries) => {
    const made = {};
    for (const [key, held] of entries) {
      Object.defineProperty(made, key, { value: held, enumerable: true, writable: true, configurable: true });
    }
    return made;
  });
}

/** What no type would allow. */
export const hostileOptions: fc.Arbitrary<unknown> = fc.oneof(
  anything,
  objectOf(TOP, anything),
  objectOf(SYS, anything).map((sys) => ({ sys })),
);

const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const mostly = <T>(usual: T, rare: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(usual) }, rare);
const some = <T>(values: readonly T[], maxLength = 3): fc.Arbitrary<T[]> =>
  fc.uniqueArray(fc.constantFrom(...values), { maxLength });
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => mostly<T | undefined>(undefined, value);

const maps = (id: number): fc.Arbitrary<object[]> =>
  mostly(
    [{ containerID: 0, hostID: id, size: 1 }],
    fc.array(
      fc.record({
        containerID: fc.nat(5),
        hostID: fc.oneof(fc.constant(id), fc.nat(100_000)),
        size: fc.integer({ min: 1, max: 3 }),
      }),
      { maxLength: 3 },
    ),
  );

const credential = fc.record(
  { uid: fc.nat(2), gid: fc.nat(2), groups: fc.array(fc.nat(3), { maxLength: 2 }), noSetGroups: fc.boolean() },
  { requiredKeys: ["uid", "gid"] },
);

const landlock = fc.record(
  {
    handledAccessFs: some(Object.keys(LANDLOCK_FS)),
    handledAccessNet: some(Object.keys(LANDLOCK_NET)),
    scoped: some(Object.keys(LANDLOCK_SCOPES)),
    rules: fc.array(
      fc.record({
        path: fc.constantFrom("/", "/usr", "/nowhere", "/dev/null"),
        access: some(Object.keys(LANDLOCK_FS)),
      }),
      { maxLength: 3 },
    ),
    ports: fc.array(fc.record({ port: fc.nat(70_000), access: some(Object.keys(LANDLOCK_NET)) }), { maxLength: 2 }),
    minimumAbi: fc.nat(11),
  },
  { requiredKeys: [] },
);

const rlimit = fc.record({
  type: fc.constantFrom(...RLIMITS.filter((name) => name !== "RLIMIT_CPU")),
  soft: fc.constantFrom(-1, 0, 100, 1_000_000_000),
  hard: fc.constantFrom(-1, 0, 100, 1_000_000_000),
});

const offset = fc.record({ secs: fc.oneof(fc.integer(), fc.maxSafeInteger()), nanosecs: fc.nat(999_999_999) });

/** Mounts that no rule refuses, and any. @param folder a folder of the host where everything is to stay as it is */
function mountIn(folder: string): fc.Arbitrary<object> {
  const stub = `${folder}/stub`;
  const place = fc.constantFrom("/x", "/x/y/", "/tmp", "/proc", "/dev", "/sys", stub, folder, "/etc/passwd", "/a/../b");
  const source = fc.constantFrom("/", "/tmp", "/nowhere", "/dev/null", folder, "text");
  const attributes = some(["ro", "nosuid", "noexec", "nodev"]);
  const sound = fc.oneof(
    fc.record({ destination: place, source, options: attributes }),
    fc.record({ destination: place, source, options: some(["rbind", "rro", "optional", "nofollow"]) }),
    fc.record({ destination: place, type: fc.constantFrom("tmpfs", "devpts", "proc", "mqueue"), options: attributes }),
    fc.record({ destination: place, type: fc.constantFrom("dev") }),
    fc.record({ destination: place, type: fc.constantFrom("dir", "file", "tmpfs"), mode: fc.nat(0o7777) }),
    fc.record({ destination: place, type: fc.constantFrom("symlink"), source }),
    fc.record({ destination: place, source, options: some(["rbind", "inside"]) }),
    fc.record({ destination: place, type: fc.constantFrom("copy-on-write"), source, options: some(["nofollow"]) }),
    fc.record({ destination: place, type: fc.constantFrom("overlay"), options: some(["lowerdir=/", "bogus=1"]) }),
  );
  const any = fc.record(
    {
      destination: fc.oneof(place, fc.constantFrom("/", "/a/..")),
      type: fc.constantFrom(...MOUNT_TYPES),
      source,
      options: some(["ro", "rw", "rbind", "optional", "size=1m", "bogus=1", "lowerdir=/", "mode=7"]),
      data: fc.string(),
      mode: fc.nat(0o7777),
    },
    { requiredKeys: ["destination", "type"] },
  );
  return fc.oneof({ weight: 9, arbitrary: sound }, any);
}

/** Options of the right shape in a user namespace; most combinations are refused by a rule or by the kernel. */
export function plausibleOptions(folder: string): fc.Arbitrary<{ file: string; options: object }> {
  const path = fc.constantFrom("/x", "/proc", "/tmp", folder, "/", "/nowhere", "/etc/passwd/x");
  const sys = fc.record({
    cloneflags: some(FLAGS, 4),
    unshareflags: mostly([] as string[], some(FLAGS, 2)),
    userBy: mostly("cloneflags", fc.constant("unshareflags")),
    mended: mostly(true, fc.constant(false)),
    uidMappings: maps(own.uid),
    gidMappings: maps(own.gid),
    gidMappingsEnableSetgroups: maybe(fc.boolean()),
    credential: maybe(credential),
    chroot: maybe(path),
    setsid: maybe(fc.boolean()),
    setpgid: maybe(fc.boolean()),
    pgid: maybe(fc.constantFrom(0, 1, 4_000_000)),
    setctty: maybe(fc.boolean()),
    noctty: maybe(fc.boolean()),
    ctty: maybe(fc.nat(3)),
    pdeathsig: fc.constantFrom("SIGKILL", "SIGTERM"),
    ambientCaps: maybe(some(CAPABILITIES)),
    rlimits: maybe(fc.array(rlimit, { maxLength: 2 })),
    realTimeLimit: maybe(fc.integer({ min: 1, max: 10_000 })),
    timeOffsets: maybe(fc.record({ monotonic: offset, boottime: offset }, { requiredKeys: [] })),
    hostname: maybe(fc.string({ maxLength: 70 })),
    domainname: maybe(fc.string({ maxLength: 70 })),
    loopback: maybe(fc.boolean()),
    rootfs: maybe(fc.record({ path: fc.constantFrom("/", folder), readonly: fc.boolean() }, { requiredKeys: [] })),
    mounts: fc.option(fc.array(mountIn(folder), { maxLength: 3 }), { nil: undefined, freq: 2 }),
    maskedPaths: maybe(fc.array(path, { maxLength: 2 })),
    readonlyPaths: maybe(fc.array(path, { maxLength: 2 })),
    capabilities: maybe(
      fc.record(
        {
          bounding: some(CAPABILITIES),
          effective: some(CAPABILITIES),
          permitted: some(CAPABILITIES),
          inheritable: some(CAPABILITIES),
        },
        { requiredKeys: [] },
      ),
    ),
    noNewPrivileges: maybe(fc.boolean()),
    landlock: maybe(landlock),
    oomScoreAdj: maybe(fc.integer({ min: -1000, max: 1000 })),
    umask: maybe(fc.nat(0o777)),
    newSessionKeyring: maybe(fc.boolean()),
    init: maybe(fc.boolean()),
  });
  const options = fc.record({
    argv0: maybe(fc.string()),
    cwd: maybe(path),
    env: maybe(fc.constant({ PATH: "/usr/bin:/bin" })),
    stdio: fc.oneof(
      fc.constantFrom("ignore", "pipe"),
      fc.array(fc.constantFrom("pipe", "ignore", null), { maxLength: 5 }),
    ),
    sys: sys.map(inUserNamespace),
    timeout: fc.constantFrom(5000, 20_000),
    killSignal: maybe(fc.constantFrom("SIGKILL")),
  });
  return fc.record({ file: fc.constantFrom("true", "/bin/true", "nothing", "/"), options });
}

/** Options and the namespace without which they are refused. */
const NEEDED: readonly (readonly [option: string, flag: string])[] = [
  ["rootfs", "CLONE_NEWNS"],
  ["mounts", "CLONE_NEWNS"],
  ["maskedPaths", "CLONE_NEWNS"],
  ["readonlyPaths", "CLONE_NEWNS"],
  ["hostname", "CLONE_NEWUTS"],
  ["domainname", "CLONE_NEWUTS"],
  ["loopback", "CLONE_NEWNET"],
  ["timeOffsets", "CLONE_NEWTIME"],
];

interface Drawn {
  readonly cloneflags: string[];
  readonly unshareflags: string[];
  readonly userBy: string;
  readonly mended: boolean;
  readonly [option: string]: unknown;
}

/** Whatever else is asked for: a user namespace, and only once. Mended, it has the namespaces that the options need. */
function inUserNamespace({ userBy, mended, ...sys }: Drawn): object {
  const needed = NEEDED.flatMap(([option, flag]) => (mended && sys[option] !== undefined ? [flag] : []));
  const flags = (list: "cloneflags" | "unshareflags", more: string[]): string[] => {
    const others = [...sys[list], ...more].filter((flag) => flag !== "CLONE_NEWUSER");
    return userBy === list ? ["CLONE_NEWUSER", ...new Set(others)] : others;
  };
  return {
    ...sys,
    cloneflags: flags("cloneflags", userBy === "cloneflags" ? needed : []),
    unshareflags: flags("unshareflags", userBy === "unshareflags" ? needed : []),
  };
}
