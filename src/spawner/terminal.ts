// Our side of a pseudoterminal as a stream. The addon reads it until the kernel says that nobody holds the other side any
// more (EIO, pty(7)), which is after the last byte.

import { Readable } from "node:stream";
import type { Addon } from "./addon";
import type { Terminal } from "./types";

/** Takes over the fd of a pseudoterminal's master. */
export function openTerminal(addon: Addon, master: number): Terminal {
  const output = new Readable({
    read: () => addon.terminalRead(terminal, true),
    destroy: (error, done) => {
      addon.terminalClose(terminal);
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
