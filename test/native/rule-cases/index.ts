// Every rule's cases, by subject.

import { CAPS } from "./capability-sets";
import type { Case } from "./case";
import { CREDENTIALS } from "./credentials";
import { FLAGS } from "./flags";
import { MAPS } from "./id-maps";
import { JOINS } from "./joins";
import { LANDLOCK } from "./landlock";
import { LIMITS } from "./limits";
import { MOUNTS } from "./mounts";
import { NAMESPACES } from "./namespaces";
import { PRIVILEGES } from "./privileges";
import { SECCOMP } from "./seccomp";
import { SESSIONS } from "./sessions";
import { TRACING } from "./tracing";

export { ROOT } from "./case";

/** By subject, as in src/spawner/rules. */
export const CASES: Readonly<Record<string, readonly Case[]>> = {
  flags: FLAGS,
  namespaces: NAMESPACES,
  joins: JOINS,
  tracing: TRACING,
  privileges: PRIVILEGES,
  "id maps": MAPS,
  credentials: CREDENTIALS,
  "capability sets": CAPS,
  landlock: LANDLOCK,
  "system call filters": SECCOMP,
  sessions: SESSIONS,
  limits: LIMITS,
  mounts: MOUNTS,
};
