// Our side of a pseudoterminal: the master, read until EIO. The kernel hands over everything that was written before it
// reports the hang-up, so nothing is lost if one does not stop at the process's exit.

import { Readable } from "node:stream";
import * as tty from "node:tty";
import type { Addon } from "./addon";
import type { Terminal } from "./types";

/** Takes over the fd of a pseudoterminal's master. */
export function openTerminal(addon: Addon, fd: number): Terminal {
  const master = new tty.ReadStream(fd);
  const output = new Readable({
    read: () => void master.resume(),
    destroy: (error, done) => {
      master.destroy();
      done(error);
    },
  });
  master.on("data", (chunk: Buffer) => {
    if (!output.push(chunk)) master.pause();
  });
  master.on("end", () => output.push(null));
  master.on("error", (error: NodeJS.ErrnoException) => {
    // EIO is how a master says that no process holds the terminal any more (pty(7)).
    if (error.code === "EIO") output.push(null);
    else output.destroy(error);
  });
  return {
    output,
    write: (data) => {
      if (!master.destroyed) master.write(data);
    },
    resize: (columns, rows) => {
      if (!master.destroyed) addon.resize(fd, columns, rows);
    },
  };
}
