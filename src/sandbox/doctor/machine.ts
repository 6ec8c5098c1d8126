// What the doctor reads: files of /proc, /sys and /etc, and who asks. A machine is an object, so that a test can be one
// that was recorded elsewhere: Ubuntu with AppArmor, a Fedora desktop, a container.

import { existsSync, readFileSync, realpathSync } from "node:fs";

export interface Machine {
  /** Text of a file; undefined when it is not there or can't be read. */
  read(path: string): string | undefined;
  /** Whether there is a file or folder of that name. */
  exists(path: string): boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
  /** Real path of the program that we are: a node, or the editor. */
  readonly executable: string;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** The path as the kernel knows it, which is what AppArmor compares; the name we were started by where it is gone. */
function executable(): string {
  try {
    return realpathSync("/proc/self/exe");
  } catch {
    return process.execPath;
  }
}

/** This machine, as this process sees it. */
export function thisMachine(): Machine {
  return {
    read,
    exists: existsSync,
    environment: process.env,
    uid: process.geteuid?.() ?? 0,
    executable: executable(),
  };
}
