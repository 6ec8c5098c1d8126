// The terminal that the editor was started from, or that the user types into.

import type { Attempt } from "../attempt";

const typeIn = (name: string, how: string): Attempt => ({
  group: "terminal",
  name,
  terminal: true,
  // What is typed is echoed, and so shown.
  lay: ({ secret }) => [how, secret],
  // Off altogether: sysctl dev.tty.legacy_tiocsti, CONFIG_LEGACY_TIOCSTI.
  lacking: ["EIO"],
});

export const terminal: readonly Attempt[] = [
  typeIn("type into the editor's terminal", "type-in"),
  typeIn("type into it with a number that no filter knows", "type-in-disguised"),
  {
    group: "terminal",
    name: "write to another terminal of the user's",
    lay: async (bait) => ["append", await bait.terminal(), bait.secret],
    seen: (bait) => bait.isShown(),
  },
  {
    group: "terminal",
    name: "copy and paste on the console",
    root: "control",
    lay: ({ secret }) => ["console-call", secret],
    lacking: ["ENOENT", "ENXIO", "ENOTTY", "ENODEV"],
  },
];
