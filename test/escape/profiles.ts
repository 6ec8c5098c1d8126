// Profiles of the escape suite that are not built in, by the name of their arena: what Landlock alone holds.

import type { ProfileRef } from "../../src/sandbox/schema";

/** What git or the editor acts upon in a bait's workspace: it can't be protected in a folder that can be written. */
const GIVEN_UP = [".git/config", ".git/hooks", ".git/modules/library/config", ".git/modules/library/hooks", ".vscode"];

export const PROFILES: Readonly<Record<string, ProfileRef>> = {
  alone: {
    extends: "build",
    fallback: "landlock",
    filesystem: { workspace: "readonly", write: ["empty"] },
  },
  "alone, writable": { extends: "build", fallback: "landlock", filesystem: { write: GIVEN_UP } },
};
