// From mounts in the OCI runtime specification's terms to the steps that make them.

import { ATTRIBUTES, BIND_WORDS, MOUNT_WORDS } from "./mount-words";
import type { PlannedStep } from "./planned-step";
import type { Mount } from "./types";

const RECURSIVE = 1;
const OPTIONAL = 2;
const NO_FOLLOW = 4;
const INSIDE = 8;
const DIRECTORY_MODE = 0o755;
const FILE_MODE = 0o644;

/** The devices that the OCI runtime specification asks for, without /dev/console. */
const DEFAULT_DEVICES = ["null", "zero", "full", "random", "urandom", "tty"];

const DEVICE_LINKS: readonly (readonly [name: string, target: string])[] = [
  ["fd", "/proc/self/fd"],
  ["stdin", "/proc/self/fd/0"],
  ["stdout", "/proc/self/fd/1"],
  ["stderr", "/proc/self/fd/2"],
  ["ptmx", "pts/ptmx"],
];

/** The attribute mask that a list of mount options asks for. */
export function mountAttributes(options: readonly string[]): number {
  return options.reduce((mask, option) => mask | (ATTRIBUTES.get(option) ?? 0), 0);
}

/** What is left for the file system itself: 'size=10m'. */
function filesystemOptions(options: readonly string[]): string[] {
  return options.filter((option) => !MOUNT_WORDS.has(option) && !BIND_WORDS.has(option));
}

function bind(mount: Mount, source: string): PlannedStep {
  const options = mount.options ?? [];
  const recursive = options.includes("rbind") || options.includes("rro");
  const flags =
    (recursive ? RECURSIVE : 0) |
    (options.includes("optional") ? OPTIONAL : 0) |
    (options.includes("nofollow") ? NO_FOLLOW : 0) |
    (options.includes("inside") ? INSIDE : 0);
  const how = options.filter((option) => option !== "bind" && option !== "rbind");
  return {
    op: "mount_bind",
    name: "mount",
    detail: `${recursive ? "rbind" : "bind"} ${source} on ${mount.destination}${how.length > 0 ? ` (${how.join(",")})` : ""}`,
    args: [source, mount.destination, flags, mountAttributes(options)],
    path: mount.destination,
  };
}

/** A folder of the host under a layer of the sandbox's own: what is written stays in the sandbox, and ends with it. */
function copyOnWrite({ destination, source = destination, options = [] }: Mount): PlannedStep {
  return {
    op: "mount_copy",
    name: "mount",
    detail: `copy-on-write ${source} on ${destination}${options.length > 0 ? ` (${options.join(",")})` : ""}`,
    args: [source, destination, options.includes("nofollow") ? NO_FOLLOW : 0, mountAttributes(options)],
    path: destination,
  };
}

function filesystem(type: string, mount: Mount): PlannedStep {
  const options = mount.options ?? [];
  const own = filesystemOptions(options);
  if (mount.mode !== undefined) own.push(`mode=${mount.mode.toString(8)}`);
  const shown = [...options, ...own.slice(filesystemOptions(options).length)];
  return {
    op: "mount_fs",
    name: "mount",
    detail: `${type} on ${mount.destination}${shown.length > 0 ? ` (${shown.join(",")})` : ""}`,
    args: [
      type,
      mount.source ?? type,
      mount.destination,
      own,
      options.includes("optional") ? OPTIONAL : 0,
      mountAttributes(options),
    ],
    path: mount.destination,
  };
}

function symlink(destination: string, target: string): PlannedStep {
  return {
    op: "make_symlink",
    name: "symlink",
    detail: `${destination} -> ${target}`,
    args: [target, destination],
    path: destination,
  };
}

/** A /dev with the default devices only, its own terminals and its own shared memory. */
function devices(destination: string, newIpc: boolean): PlannedStep[] {
  const at = (name: string): string => `${destination}/${name}`;
  return [
    filesystem("tmpfs", { destination, options: ["nosuid", "noexec"], mode: 0o755 }),
    ...DEFAULT_DEVICES.map((name) => bind({ destination: at(name) }, `/dev/${name}`)),
    ...DEVICE_LINKS.map(([name, target]) => symlink(at(name), target)),
    filesystem("devpts", {
      destination: at("pts"),
      options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"],
    }),
    filesystem("tmpfs", { destination: at("shm"), options: ["nosuid", "nodev", "noexec"], mode: 0o1777 }),
    // A message queue file system shows the IPC namespace: in the editor's own it may not be mounted.
    ...(newIpc ? [filesystem("mqueue", { destination: at("mqueue"), options: ["nosuid", "nodev", "noexec"] })] : []),
  ];
}

/**
 * The steps for one mount.
 * @param newIpc whether the child has an IPC namespace of its own
 */
export function mountSteps(written: Mount, newIpc: boolean): PlannedStep[] {
  // "/data/" is "/data": the last name is what is made where it does not exist.
  const mount = { ...written, destination: written.destination.replace(/\/+$/, "") };
  const { destination, source } = mount;
  const type = mount.type ?? "bind";
  switch (type) {
    case "bind":
      return [bind(mount, source ?? destination)];
    case "copy-on-write":
      return [copyOnWrite(mount)];
    case "dev":
      return devices(destination, newIpc);
    case "symlink":
      return [symlink(destination, source ?? "")];
    case "dir": {
      const mode = mount.mode ?? DIRECTORY_MODE;
      return [
        {
          op: "make_dir",
          name: "mkdir",
          detail: `${destination} (mode ${mode.toString(8)})`,
          args: [destination, mode],
          path: destination,
        },
      ];
    }
    case "file": {
      const mode = mount.mode ?? FILE_MODE;
      const content = Buffer.from(mount.data ?? "");
      return [
        {
          op: "make_file",
          name: "file",
          detail: `${destination} (${content.length} bytes, mode ${mode.toString(8)})`,
          args: [destination, content, mode],
          path: destination,
        },
      ];
    }
    default:
      return [filesystem(type, mount)];
  }
}
