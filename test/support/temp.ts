// Temporary folders with names that say whose they are, short enough for the sockets that VS Code puts below them.

import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/**
 * A new folder, only for us, below the system's temporary folder.
 * @param purpose part of its name
 */
export function makeTemp(purpose: string): string {
  // realpath: paths are compared with what the kernel reports, and TMPDIR may be a symbolic link.
  return fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), `sbx-${purpose}-`)));
}

/** Remove a folder with all below it, also while a dying process is still writing its last file there. */
export function removeTemp(folder: string): void {
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}
