// Mounts that cannot be made as written, or that would not be what was written (mount(2), mount_setattr(2), fsconfig(2)).

import { BIND_WORDS, MOUNT_WORDS, OPPOSITES } from "../mount-words";
import { suggestion } from "../nearest";
import type { Mount, MountType } from "../types";
import { type Asked, isGiven, type Rule, which } from "./rule";

/** What fsconfig(2) takes as a value, and as a key. */
const MAX_VALUE = 255;
const MAX_KEY = 63;

const OWN_FILES: readonly MountType[] = ["dir", "symlink", "file"];
const WITH_MODE: readonly MountType[] = ["dir", "file", "tmpfs"];

const typeOf = ({ type, source }: Mount): MountType | undefined => type ?? (source === undefined ? undefined : "bind");
const isOf = (mount: Mount, types: readonly MountType[]): boolean => types.includes(typeOf(mount) ?? "bind");
const isFileSystem = (mount: Mount): boolean => !isOf(mount, [...OWN_FILES, "bind", "copy-on-write", "dev"]);

/** "/", "//", "/.": the root itself. */
const isRoot = (path: string): boolean => /^[/.]*$/.test(path) && !path.includes("...") && path.startsWith("/");

type Option = "destination" | "type" | "source" | "options" | "data" | "mode";

/** A rule about one mount. */
function mountRule(
  option: Option,
  wrong: (mount: Mount) => boolean,
  message: string | ((mount: Mount) => string),
): Rule {
  return {
    path: `sys.mounts[].${option}`,
    broken: ({ sys }) => which(sys.mounts, wrong),
    message: typeof message === "string" ? message : ({ sys }, i) => message(sys.mounts?.[i] ?? { destination: "" }),
  };
}

function optionsOf({ options = [] }: Mount): readonly string[] {
  return options;
}

/** The value of 'key=value'. */
function option(mount: Mount, key: string): string | undefined {
  return optionsOf(mount)
    .find((text) => text.startsWith(`${key}=`))
    ?.slice(key.length + 1);
}

/** What shows a folder of the host, and so takes no options of a file system. */
const BINDS: readonly MountType[] = ["bind", "copy-on-write"];

/** Options of a bind that are none: they would be dropped without a word. */
function unknownOfBind(mount: Mount): string | undefined {
  if (!isOf(mount, BINDS)) return undefined;
  return optionsOf(mount).find((text) => !MOUNT_WORDS.has(text) && !BIND_WORDS.has(text));
}

/** One mount and not a tree, which an overlay can't lie over, of a folder that must be there. */
const NOT_OF_COPIES = ["bind", "rbind", "rro", "inside", "optional"];

function notOfCopy(mount: Mount): string | undefined {
  return isOf(mount, ["copy-on-write"]) ? optionsOf(mount).find((text) => NOT_OF_COPIES.includes(text)) : undefined;
}

function bindOnly(mount: Mount): string | undefined {
  return isFileSystem(mount) ? optionsOf(mount).find((text) => BIND_WORDS.has(text)) : undefined;
}

function contradiction(mount: Mount): readonly [string, string] | undefined {
  return OPPOSITES.find((pair) => pair.every((word) => optionsOf(mount).includes(word)));
}

function tooLong(text: string): boolean {
  const [key = "", ...value] = text.split("=");
  return Buffer.byteLength(key) > MAX_KEY || Buffer.byteLength(value.join("=")) > MAX_VALUE;
}

function lacksLower(mount: Mount): boolean {
  return !optionsOf(mount).some((text) => /^(lowerdir\+?|datadir\+)=./.test(text));
}

function pathRule(list: "maskedPaths" | "readonlyPaths", instead: string): Rule {
  return {
    path: `sys.${list}[]`,
    broken: ({ sys }) => which(sys[list], isRoot),
    message: `must not be the root itself: ${instead}`,
  };
}

export const MOUNT_RULES: readonly Rule[] = [
  mountRule("type", (mount) => typeOf(mount) === undefined, "must be given, or a source to bind"),
  mountRule(
    "source",
    (mount) => isOf(mount, [...BINDS, "symlink"]) && typeOf(mount) !== undefined && mount.source === undefined,
    (mount) => `must be given for a ${typeOf(mount)}`,
  ),
  mountRule(
    "source",
    (mount) => isOf(mount, ["dir", "dev"]) && mount.source !== undefined,
    (mount) => `is not for a ${typeOf(mount)}, which is made empty`,
  ),
  mountRule(
    "source",
    (mount) => isOf(mount, ["file"]) && mount.source !== undefined,
    "is not for a file: its content is data. To show a file of the host, use type bind",
  ),
  mountRule("destination", ({ destination }) => isRoot(destination), "must be below the root, which is sys.rootfs"),
  mountRule(
    "destination",
    ({ destination }) => !isRoot(destination) && /\/\.\.?$/.test(destination),
    "must end in a name, not in . or ..",
  ),
  mountRule(
    "data",
    (mount) => mount.data !== undefined && !isOf(mount, ["file"]),
    "is the content of a file: set type to file, or use options",
  ),
  mountRule(
    "mode",
    (mount) => mount.mode !== undefined && !isOf(mount, WITH_MODE),
    (mount) => `is for dir, file and tmpfs, not for ${typeOf(mount)}`,
  ),
  mountRule(
    "options",
    (mount) => isOf(mount, [...OWN_FILES, "dev"]) && optionsOf(mount).length > 0,
    (mount) => `are not for a ${typeOf(mount)}, where they would have no effect`,
  ),
  mountRule(
    "options",
    (mount) => unknownOfBind(mount) !== undefined,
    (mount) => {
      const word = unknownOfBind(mount) ?? "";
      return `${JSON.stringify(word)} is no option of a ${typeOf(mount)}${suggestion(word, [...MOUNT_WORDS, ...BIND_WORDS])}`;
    },
  ),
  mountRule(
    "options",
    (mount) => notOfCopy(mount) !== undefined,
    (mount) => `${JSON.stringify(notOfCopy(mount))} is not for a copy-on-write, which is one folder of the host's`,
  ),
  mountRule(
    "options",
    (mount) => optionsOf(mount).includes("inside") && optionsOf(mount).includes("nofollow"),
    "inside and nofollow contradict each other: a link inside leads nowhere but inside. Leave one of them out",
  ),
  mountRule(
    "options",
    (mount) => bindOnly(mount) !== undefined,
    (mount) => `${JSON.stringify(bindOnly(mount))} is for binds, not for ${typeOf(mount)}`,
  ),
  mountRule(
    "options",
    (mount) => contradiction(mount) !== undefined,
    (mount) => `${contradiction(mount)?.join(" and ")} contradict each other: leave one of them out`,
  ),
  mountRule(
    "options",
    (mount) => isFileSystem(mount) && optionsOf(mount).some(tooLong),
    `must have names of at most ${MAX_KEY} bytes and values of at most ${MAX_VALUE} (fsconfig(2): EINVAL)`,
  ),
  mountRule(
    "source",
    (mount) => isFileSystem(mount) && Buffer.byteLength(mount.source ?? "") > MAX_VALUE,
    `must have at most ${MAX_VALUE} bytes (fsconfig(2): EINVAL)`,
  ),
  mountRule(
    "options",
    (mount) => isOf(mount, ["overlay"]) && lacksLower(mount),
    "must have lowerdir=FOLDER: an overlay lies over at least one folder (mount(8), overlay: EINVAL)",
  ),
  mountRule(
    "options",
    (mount) =>
      isOf(mount, ["overlay"]) && option(mount, "upperdir") !== undefined && option(mount, "workdir") === undefined,
    "must have workdir=FOLDER with upperdir, an empty one on the same file system (mount(8), overlay: EINVAL)",
  ),
  pathRule("maskedPaths", "there would be nothing left"),
  pathRule("readonlyPaths", "set sys.rootfs.readonly"),
  {
    path: "sys.rootfs.options",
    broken: ({ sys }: Asked) => sys.rootfs?.path === undefined && (sys.rootfs?.options ?? []).length > 0,
    message: "is for a rootfs with a path; a fresh one is a tmpfs, and may be made read-only by sys.rootfs.readonly",
  },
  {
    path: "sys.rootfs",
    broken: ({ sys, joined }: Asked) =>
      isGiven(sys.rootfs) && joined.has("CLONE_NEWNS") && !isNewAfterJoin(sys.unshareflags),
    message: "needs CLONE_NEWNS in sys.unshareflags: it would change the root of the mount namespace that is joined",
  },
];

function isNewAfterJoin(unshareflags: readonly string[] = []): boolean {
  return unshareflags.includes("CLONE_NEWNS");
}
