// Options of mounts that are no file system's own: what they are for, and which contradict each other.

/** mount_setattr(2) attributes, by the option that asks for them. */
export const ATTRIBUTES: ReadonlyMap<string, number> = new Map([
  ["ro", 0x1],
  ["rro", 0x1],
  ["nosuid", 0x2],
  ["nodev", 0x4],
  ["noexec", 0x8],
  ["noatime", 0x10],
  ["nosymfollow", 0x20_0000],
]);

/** Options that ask for what is the default anyway. */
const DEFAULTS = ["rw", "suid", "dev", "exec", "relatime"];

/** Options of every mount. */
export const MOUNT_WORDS: ReadonlySet<string> = new Set([...ATTRIBUTES.keys(), ...DEFAULTS, "optional"]);

/** Options of binds alone. */
export const BIND_WORDS: ReadonlySet<string> = new Set(["bind", "rbind", "nofollow", "inside"]);

/** Pairs of which the stricter would win without a word. */
export const OPPOSITES: readonly (readonly [string, string])[] = [
  ["ro", "rw"],
  ["rro", "rw"],
  ["nosuid", "suid"],
  ["nodev", "dev"],
  ["noexec", "exec"],
  ["noatime", "relatime"],
  ["bind", "rbind"],
];
