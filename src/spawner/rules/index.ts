// All rules on combinations of spawn options, in the order in which their problems are reported.

import { CAPABILITY_RULES } from "./capability-sets";
import { CREDENTIAL_RULES } from "./credentials";
import { FLAG_RULES } from "./flags";
import { ID_MAP_RULES } from "./id-maps";
import { JOIN_RULES, TRACE_RULES } from "./joins";
import { LANDLOCK_RULES } from "./landlock";
import { LIMIT_RULES } from "./limits";
import { MOUNT_RULES } from "./mounts";
import { NAMESPACE_RULES } from "./namespaces";
import { PRIVILEGE_RULES } from "./privileges";
import type { Rule } from "./rule";
import { SECCOMP_RULES } from "./seccomp";
import { SESSION_RULES } from "./sessions";

export { asked, judge } from "./rule";

export const RULES: readonly Rule[] = [
  ...FLAG_RULES,
  ...NAMESPACE_RULES,
  ...JOIN_RULES,
  ...TRACE_RULES,
  ...PRIVILEGE_RULES,
  ...ID_MAP_RULES,
  ...CREDENTIAL_RULES,
  ...CAPABILITY_RULES,
  ...LANDLOCK_RULES,
  ...SECCOMP_RULES,
  ...SESSION_RULES,
  ...LIMIT_RULES,
  ...MOUNT_RULES,
];
