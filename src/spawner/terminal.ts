// Our side of a pseudoterminal as a stream. The addon reads it until the kernel says that nobody holds the other side any
// more (EIO, pty(7)), which is after the last byte.

import { Readable } from "node:stream";
import type { Addon } from "./addon";
import type { Terminal } from "./types";

/**
 * Takes over the fd of a pseudoterminal's master, and closes it once the process has ended and the output is read or given
 * up. Not before: a closed master hangs up, and a command that has closed its own side on the way out would die of SIGHUP.
 */
export function openTerminal(addon: Addon, master: number, exited: Promise<unknown>): Terminal {
  const output = new Readable({
    read: () => addon.terminalRead(terminal, true),
    destroy: (error, done) => {
      addon.terminalRead(terminal, false);
      void exited.then(() => addon.terminalClose(terminal));
      done(error);
    },
  });
  const terminal = addon.openTerminal(master, (chunk) => {
    if (!output.push(chunk) && chunk !== null) addon.terminalRead(terminal, false);
  });
  return {
    output,
    write: (data) => addon.terminalWrite(terminal, typeof data === "string" ? Buffer.from(data) : data),
    resize: (columns, rows) => addon.terminalResize(terminal, columns, rows),
  };
}
