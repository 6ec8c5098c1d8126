// Processes that mean to outlive the sandbox, whose end, or whose editor's, nothing inside may escape.

import type { Attempt } from "../attempt";

function survivor(name: string, how: string, more: Partial<Attempt> = {}): Attempt {
  return {
    group: "survivors",
    name,
    lay: ({ secret }) => [how, secret],
    seen: (bait) => bait.survived(),
    ...more,
  };
}

export const survivors: readonly Attempt[] = [
  survivor("outlive it as a daemon, deaf to signals", "daemonise"),
  survivor("outlive it as a hundred", "storm"),
  survivor("outlive it with a reaper of its own", "nest"),
  survivor("outlive an editor that crashes", "stay", { crash: true, control: "shell" }),
];
