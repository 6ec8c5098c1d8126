// Sessions, process groups and terminals (credentials(7), setsid(2), setpgid(2), ioctl_tty(2)).

import type { StdioEntry } from "../types";
import type { Asked, Rule } from "./rule";

/** What becomes the child's fd: undefined beyond the last. */
function stdioAt({ options }: Asked, index: number): StdioEntry | undefined {
  const { stdio = "pipe" } = options;
  if (Array.isArray(stdio)) return stdio[index];
  return index < 3 ? stdio : undefined;
}

/** Ours or inherited: it may be a terminal. A pipe, /dev/null and a closed fd can't. */
function mayBeTerminal(entry: StdioEntry | undefined): boolean {
  return typeof entry === "number" || entry === "inherit";
}

const ctty = ({ sys }: Asked): number => sys.ctty ?? 0;

export const SESSION_RULES: readonly Rule[] = [
  {
    path: "stdio",
    broken: ({ options }) => options.terminal !== undefined && options.stdio !== undefined,
    message: "excludes terminal, which becomes fds 0, 1 and 2",
  },
  {
    path: "sys.setctty",
    broken: ({ sys, options }) => sys.setctty === true && sys.setsid !== true && options.terminal === undefined,
    message: "needs sys.setsid: only a session leader takes a controlling terminal (ioctl_tty(2))",
  },
  {
    path: "sys.foreground",
    broken: ({ sys }) => sys.setctty === true && sys.foreground === true,
    message: "excludes sys.setctty: a new session's leader is in the foreground already",
  },
  {
    path: "sys.foreground",
    broken: ({ sys }) => sys.foreground === true && sys.setsid === true && sys.setctty !== true,
    message:
      "excludes sys.setsid: the foreground group is of the terminal's session, and a new session has no terminal (ioctl_tty(2): ENOTTY)",
  },
  {
    path: "sys.ctty",
    broken: ({ sys }) => sys.foreground === true && sys.ctty === undefined,
    message: "must be given with sys.foreground",
  },
  {
    path: "sys.ctty",
    broken: ({ sys, options }) =>
      sys.ctty !== undefined && sys.setctty !== true && sys.foreground !== true && options.terminal === undefined,
    message: "needs sys.setctty, to make it the controlling terminal, or sys.foreground",
  },
  {
    path: "sys.ctty",
    broken: (asked) =>
      asked.sys.setctty === true && asked.options.terminal === undefined && !mayBeTerminal(stdioAt(asked, ctty(asked))),
    message: (asked) =>
      `must be the index of a stdio entry that is a terminal: fd ${ctty(asked)} of the child is ${
        stdioAt(asked, ctty(asked)) === undefined || stdioAt(asked, ctty(asked)) === null
          ? "not open"
          : `'${stdioAt(asked, ctty(asked))}'`
      } (ioctl_tty(2))`,
  },
  {
    path: "sys.ctty",
    broken: (asked) => {
      const entry = stdioAt(asked, ctty(asked));
      return asked.sys.foreground === true && entry !== undefined && !mayBeTerminal(entry);
    },
    message: (asked) =>
      `must be a terminal: fd ${ctty(asked)} of the child is ${
        stdioAt(asked, ctty(asked)) === null ? "not open" : `'${stdioAt(asked, ctty(asked))}'`
      } (ioctl_tty(2): ENOTTY)`,
  },
  {
    path: "sys.ctty",
    broken: ({ sys, options }) => options.terminal !== undefined && sys.ctty !== undefined && sys.ctty > 2,
    message: "must be 0, 1 or 2: terminal becomes these",
  },
  {
    path: "sys.pgid",
    broken: ({ sys }) => sys.pgid !== undefined && sys.setpgid !== true && sys.foreground !== true,
    message: "needs sys.setpgid",
  },
  {
    path: "sys.pgid",
    broken: ({ sys, cloned }) => (sys.pgid ?? 0) > 0 && cloned.has("CLONE_NEWPID"),
    message:
      "must be 0 with CLONE_NEWPID: groups outside have no number in the new PID namespace (pid_namespaces(7), setpgid(2): EPERM)",
  },
  {
    path: "sys.setpgid",
    broken: ({ sys }) => sys.setpgid === true && sys.setsid === true,
    message:
      "excludes sys.setsid: a session leader leads its own group and can't change it (setpgid(2): EPERM). Leave it out",
  },
  {
    path: "sys.setpgid",
    broken: ({ sys, options }) => sys.setpgid === true && options.terminal !== undefined,
    message:
      "excludes terminal, which starts a session: its leader leads its own group and can't change it (setpgid(2): EPERM). Leave it out",
  },
  {
    path: "sys.foreground",
    broken: ({ sys, options }) => sys.foreground === true && options.terminal !== undefined,
    message: "excludes terminal, whose session leader is in the foreground already",
  },
  {
    path: "sys.noctty",
    broken: ({ sys, options }) => sys.noctty === true && (sys.setctty === true || options.terminal !== undefined),
    message: "excludes sys.setctty and terminal, which give the child a controlling terminal",
  },
  {
    path: "sys.noctty",
    broken: ({ sys }) => sys.noctty === true && sys.foreground === true,
    message: "excludes sys.foreground, which is about the controlling terminal that it gives up",
  },
  {
    path: "sys.noctty",
    broken: ({ sys }) => sys.noctty === true && sys.setsid === true && sys.setctty !== true,
    message:
      "excludes sys.setsid: a new session has no controlling terminal to give up (setsid(2), ioctl_tty(2): ENOTTY). Leave it out",
  },
  {
    path: "sys.noctty",
    broken: (asked) =>
      asked.sys.noctty === true && asked.options.terminal === undefined && !mayBeTerminal(stdioAt(asked, 0)),
    message:
      "needs the terminal as the child's fd 0, which it is given up through (ioctl_tty(2): ENOTTY): set stdio[0] to 'inherit' or its fd",
  },
];
