// The cgroup of one sandbox: made before it, entered at birth by its fd (CLONE_INTO_CGROUP), removed after it.

import {
  closeSync,
  constants,
  existsSync,
  type FSWatcher,
  openSync,
  readFileSync,
  rmdirSync,
  watch,
  writeFileSync,
} from "node:fs";
import { mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cgroupFigures } from "../../inspect/cgroup";
import type { CgroupFigures } from "../../inspect/types";
import { type CgroupEvents, parseKeyed } from "./events";
import type { CgroupHome } from "./home";
import { nextName } from "./names";
import type { CgroupSetting } from "./settings";

/** How long a change of cgroup.events may stay untold before it is looked at again, milliseconds. */
const LOOK_AGAIN = 500;

export class SandboxCgroup {
  #fd: number;

  private constructor(
    readonly directory: string,
    fd: number,
  ) {
    this.#fd = fd;
  }

  /**
   * Makes one and writes its limits.
   * @throws Error of Node with the file that was refused; then there is none
   */
  static async make(home: CgroupHome, settings: readonly CgroupSetting[]): Promise<SandboxCgroup> {
    const directory = join(home.directory, nextName());
    await mkdir(directory);
    try {
      for (const { file, value, optional = false } of settings) {
        const path = join(directory, file);
        if (!optional || existsSync(path)) await writeFile(path, value);
      }
      return new SandboxCgroup(directory, openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY));
    } catch (error) {
      await rmdir(directory);
      throw error;
    }
  }

  /** For sys.cgroupFD; -1 once it is removed. */
  get fd(): number {
    return this.#fd;
  }

  /** Ends every process in it at once (cgroup.kill, Linux 5.14), the frozen ones too. It can't be used again. */
  kill(): void {
    try {
      writeFileSync(join(this.directory, "cgroup.kill"), "1");
    } catch (error) {
      // Before 5.14 the end of the PID namespace has to do, which comes first in any case; afterwards it is removed.
      if (!isErrno(error, "ENOENT") && !isErrno(error, "EACCES") && !isErrno(error, "ENODEV")) throw error;
    }
  }

  /** Resolves once every process in it has stopped, or goes on. */
  async setFrozen(frozen: boolean): Promise<void> {
    const wanted = frozen ? 1 : 0;
    await writeFile(join(this.directory, "cgroup.freeze"), String(wanted));
    await this.#until((events) => events.get("frozen") === wanted);
  }

  /** undefined once it is removed. */
  async figures(): Promise<CgroupFigures | undefined> {
    const figures = this.#fd === -1 ? {} : await cgroupFigures(this.directory);
    return Object.keys(figures).length === 0 ? undefined : figures;
  }

  /** How often its limits were hit. */
  events(): CgroupEvents {
    const read = (file: string): ReadonlyMap<string, number> => {
      try {
        return parseKeyed(readFileSync(join(this.directory, file), "utf8"));
      } catch {
        return new Map(); // the controller is not turned on
      }
    };
    const [memory, pids] = [read("memory.events"), read("pids.events")];
    return {
      oomKills: (memory.get("oom_kill") ?? 0) + (memory.get("oom_group_kill") ?? 0),
      refusedForks: pids.get("max") ?? 0,
    };
  }

  /** Ends whatever is left in it and removes it. */
  async remove(): Promise<void> {
    if (this.#fd === -1) return;
    closeSync(this.#fd);
    this.#fd = -1;
    try {
      rmdirSync(this.directory); // empty when PID 1 was the last to end, as it nearly always is
      return;
    } catch (error) {
      if (isErrno(error, "ENOENT")) return;
      if (!isErrno(error, "EBUSY")) throw error;
    }
    this.kill();
    await this.#until((events) => events.get("populated") === 0);
    await rmdir(this.directory).catch((error: unknown) => {
      if (!isErrno(error, "ENOENT")) throw error;
    });
  }

  /** Waits for a state of cgroup.events, which tells of its changes (inotify(7), IN_MODIFY); or for the cgroup's end. */
  async #until(holds: (events: ReadonlyMap<string, number>) => boolean): Promise<void> {
    const file = join(this.directory, "cgroup.events");
    let changed: () => void = () => {};
    let watcher: FSWatcher | undefined;
    try {
      watcher = watch(file, () => changed());
      watcher.on("error", () => {});
    } catch {
      // Inotify's watches are used up, or the cgroup is gone: looking now and then is all there is.
    }
    try {
      for (;;) {
        let timer: NodeJS.Timeout | undefined;
        const change = new Promise<void>((resolve) => {
          changed = resolve;
          timer = setTimeout(resolve, LOOK_AGAIN);
        });
        const text = await readFile(file, "utf8").catch(() => undefined);
        if (text === undefined || holds(parseKeyed(text))) {
          clearTimeout(timer);
          return;
        }
        await change;
        clearTimeout(timer);
      }
    } finally {
      watcher?.close();
    }
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
