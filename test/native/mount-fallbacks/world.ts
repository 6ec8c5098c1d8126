// Starts the worker without some system calls, in a mount namespace of its own with mounts that a test wants there.

import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { LIBRARY_NODE } from "../../support/library";
import { program } from "../../support/programs";
import { SLOWNESS } from "../../support/slowness";
import { isRoot } from "../spawner-world";
import type { Answer, Request } from "./worker";

const LIMIT_MS = 50_000 * SLOWNESS;

export interface Circumstances {
  /** System calls that are missing. */
  readonly without?: readonly string[];
  /** Shell commands that make mounts first, which nobody outside sees. */
  readonly mounts?: string;
}

/** Root's mounts need a mount namespace only; an ordinary user's a user namespace too, in which they have that right. */
const ALONE = ["unshare", ...(isRoot ? [] : ["--user", "--map-root-user"]), "--mount", "--propagation", "private"];

function commandLine({ without = [], mounts }: Circumstances): string[] {
  const worker = [LIBRARY_NODE, resolve("out/test/native/mount-fallbacks/worker.js")];
  const refusing =
    without.length === 0
      ? worker
      : [program("refuse"), without.map((call) => `${call}=ENOSYS`).join(), "--", ...worker];
  return mounts === undefined ? refusing : [...ALONE, "sh", "-ec", `(\n${mounts}\n)\nexec "$@"`, "sh", ...refusing];
}

/** What comes of each of the requests. */
export function under(circumstances: Circumstances, requests: readonly Request[]): Promise<Answer[]> {
  const [file = "", ...args] = commandLine(circumstances);
  return new Promise((done, failed) => {
    const child = execFile(
      file,
      args,
      { timeout: LIMIT_MS, killSignal: "SIGKILL", maxBuffer: 1 << 26 },
      (error, out) => (error === null ? done(JSON.parse(out)) : failed(error)),
    );
    child.stdin?.end(JSON.stringify(requests));
  });
}

interface MountLine {
  readonly id: string;
  readonly parent: string;
  readonly path: string;
  readonly rest: string;
}

function parse(table: string): MountLine[] {
  return table
    .trimEnd()
    .split("\n")
    .map((line) => {
      const [id = "", parent = "", , root, path = "", options, ...more] = line.split(" ");
      return { id, parent, path, rest: [root, options, ...more].join(" ") };
    });
}

const isBelow = (path: string, folder: string): boolean => path.startsWith(folder === "/" ? "/" : `${folder}/`);

/**
 * The mounts in /proc/self/mountinfo that can be reached, without the numbers in which two spawns always differ. One
 * that another lies over is left as it is by the older way.
 */
export function visibleMounts(table: string): string[] {
  const lines = parse(table);
  const isHidden = (line: MountLine): boolean =>
    lines.some(
      (other) =>
        (other.parent === line.id && other.path === line.path) ||
        (other.parent === line.parent && other.id !== line.id && isBelow(line.path, other.path)) ||
        (other.id === line.parent && other.id !== line.id && isHidden(other)),
    );
  return lines
    .filter((line) => !isHidden(line))
    .map(({ path, rest }) => `${path} ${rest}`)
    .sort();
}
