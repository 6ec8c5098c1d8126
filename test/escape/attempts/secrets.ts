// What is no file: variables, keys, agents, memory that is shared by name.

import { join } from "node:path";
import type { Attempt } from "../attempt";

const TOKEN = "GITHUB_TOKEN";

export const secrets: readonly Attempt[] = [
  {
    group: "secrets",
    name: "have a token from the environment",
    lay: () => ["own-environment", TOKEN],
    env: ({ secret }) => ({ [TOKEN]: secret }),
  },
  {
    group: "secrets",
    name: "read the environment of another process",
    lay: async (bait) => {
      await bait.victim();
      return ["other-environments", bait.variable];
    },
    env: ({ variable, secret }) => ({ [variable]: secret }),
  },
  {
    group: "secrets",
    name: "ask the ssh agent",
    lay: async (bait) => {
      await bait.unix(join(bait.home, "agent"));
      return ["agent"];
    },
    env: ({ home }) => ({ SSH_AUTH_SOCK: join(home, "agent") }),
  },
  {
    group: "secrets",
    name: "read a key of the kernel's by its number",
    lay: (bait) => ["read-key", bait.kernelKey()],
  },
  {
    group: "secrets",
    name: "find a key in the keyrings",
    lay: (bait) => {
      bait.kernelKey();
      return ["find-key", bait.root];
    },
  },
  {
    group: "secrets",
    name: "attach a System V memory segment",
    lay: (bait) => {
      const key = String(1_000_000 + Math.floor(Math.random() * 1_000_000_000));
      bait.layFor(["make-segment", key, bait.secret], (id) => ["remove-segment", id]);
      return ["read-segment", key];
    },
  },
  {
    group: "secrets",
    name: "read a POSIX message queue",
    lay: (bait) => {
      const name = `/${bait.secret}-queue`;
      bait.layFor(["make-queue", name, bait.secret], () => ["remove-queue", name]);
      return ["read-queue", name];
    },
  },
];
