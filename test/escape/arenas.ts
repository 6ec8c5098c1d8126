// Where an attempt is run: without a sandbox, in ours, and in what others make. Each is a way to write a command line.

import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { withoutNamespaces } from "../support/no-namespaces";
import type { Bait } from "./bait";

export interface Arena {
  readonly name: string;
  /** The command line that runs another one there. */
  wrap(bait: Bait, command: readonly string[]): string[];
}

const LAUNCHER = resolve("out/test/escape/launch.js");

const ours = (profile: string): Arena => ({
  name: profile,
  wrap: (bait, command) => [process.execPath, LAUNCHER, profile, bait.workspace, bait.home, ...command],
});

/** Where namespaces are refused, and Landlock alone is left. */
const alone = (profile: string, name: string): Arena => ({
  name,
  wrap: (bait, command) => withoutNamespaces(ours(profile).wrap(bait, command)),
});

/** As the examples of its manual page have it. */
const BWRAP = ["--unshare-all", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"];

/** What is known to be needed beside: folders with secrets hidden, a session and an environment of its own. */
const BWRAP_CAREFUL = [
  "--new-session --die-with-parent --cap-drop ALL --clearenv --setenv PATH /usr/bin:/bin",
  "--tmpfs /tmp --tmpfs /var/tmp --tmpfs /run --tmpfs /home --tmpfs /root",
].flatMap((line) => line.split(" "));

/**
 * A mount namespace in which the attempt is root and everything was covered by itself, so that it may take the covers
 * off: the home folder is hidden but for the workspace and a tool, which is read-only, and so is a hook.
 */
const LOOSE = `
set -e
mount --rbind "$2" "$3/elsewhere"
mkdir -p "$3/tool" && touch "$3/tool/file" && mount --bind "$4" "$3/tool/file"
mount -t tmpfs cover "$1"
mkdir -p "$2" "$(dirname "$4")" && touch "$4"
mount --rbind "$3/elsewhere" "$2"
mount --bind "$3/tool/file" "$4" && mount -o remount,bind,ro "$4"
mount --bind "$5" "$5" && mount -o remount,bind,ro "$5"
shift 5
exec "$@"`;

const all = {
  outside: { name: "no sandbox", wrap: (_, command) => [...command] },
  loose: {
    name: "a loose sandbox",
    wrap: ({ home, workspace, root, tool, hook }, command) =>
      ["unshare", "-Urm", "sh", "-c", LOOSE, "sh", home, workspace, root, tool, hook].concat(command),
  },
  /** Root, with mounts that end with it. */
  "own mounts": { name: "mounts of its own", wrap: (_, command) => ["unshare", "-m", ...command] },
  /** Started by another, that may be killed. */
  shell: { name: "a shell", wrap: (_, command) => ["sh", "-c", '"$@" & wait', "sh", ...command] },
  build: ours("build"),
  strict: ours("strict"),
  install: ours("install"),
  alone: alone("alone", "Landlock alone"),
  "alone, writable": alone("alone, writable", "Landlock alone, with a workspace that can be written"),
  bwrap: {
    name: "bwrap",
    wrap: ({ workspace }, command) =>
      ["bwrap", ...BWRAP, "--bind", workspace, workspace, "--chdir", workspace, "--"].concat(command),
  },
  careful: {
    name: "bwrap, with care",
    wrap: ({ home, workspace }, command) => [
      "bwrap",
      ...[...BWRAP, ...BWRAP_CAREFUL, "--tmpfs", home, "--setenv", "HOME", home],
      ...["--bind", workspace, workspace, "--chdir", workspace, "--", ...command],
    ],
  },
  unshare: { name: "unshare", wrap: (_, command) => ["unshare", "-Urpfmn", "--mount-proc", ...command] },
} as const satisfies Record<string, Arena>;

export type ArenaName = keyof typeof all;

export const ARENAS: Readonly<Record<ArenaName, Arena>> = all;

/** Ours, that must hold. */
export const OURS = ["build", "strict", "install"] as const satisfies readonly ArenaName[];

/** Ours where namespaces are refused: for ordinary users, as root is refused there. */
export const ALONE = ["alone", "alone, writable"] as const satisfies readonly ArenaName[];

/** What others make, to compare. */
export const OTHERS = ["bwrap", "careful", "unshare"] as const satisfies readonly ArenaName[];

/** Whether another's sandbox can be made here at all. */
export function isAvailable(name: (typeof OTHERS)[number]): boolean {
  const bait = { home: "/tmp", workspace: "/tmp" } as Bait;
  const [file = "", ...args] = ARENAS[name].wrap(bait, ["true"]);
  return spawnSync(file, args, { stdio: "ignore" }).status === 0;
}
