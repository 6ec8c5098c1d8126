// From what failed and what this machine is like to why, and to what mends it.

import type { Cause, Failure } from "./cause";
import { CGROUP_CAUSES } from "./causes/cgroups";
import { CHROOT_CAUSES, CONFINEMENT_CAUSES, OTHER_KERNEL_CAUSES } from "./causes/confinement";
import { BUILD_CAUSES, KERNEL_CAUSES } from "./causes/kernel";
import { SECURITY_MODULE_CAUSES } from "./causes/security-modules";
import { USER_NAMESPACE_CAUSES } from "./causes/user-namespaces";
import type { SystemFacts } from "./facts";
import type { Remedy } from "./remedy";

/** In order: what is certain comes before what is likely, as two walls may stand behind each other. */
const CAUSES: readonly Cause[] = [
  ...OTHER_KERNEL_CAUSES,
  ...KERNEL_CAUSES,
  ...CGROUP_CAUSES,
  ...USER_NAMESPACE_CAUSES,
  ...CHROOT_CAUSES,
  ...CONFINEMENT_CAUSES,
  ...SECURITY_MODULE_CAUSES,
  ...BUILD_CAUSES,
];

export const CAUSE_IDS: readonly string[] = CAUSES.map(({ id }) => id);

export interface Diagnosis {
  /** Of the cause; 'unknown' where none fits. */
  readonly id: string;
  readonly title: string;
  readonly why: string;
  readonly remedies: readonly Remedy[];
}

/** The cause of one failure. */
export function diagnose(failure: Failure, facts: SystemFacts): Diagnosis {
  const cause = CAUSES.find((one) => one.applies(failure, facts));
  if (cause === undefined) {
    return {
      id: "unknown",
      title: `"${failure.feature}" is refused, and nothing that is known explains it`,
      why: failure.remedy ?? "The system log may say more.",
      remedies: [{ what: "What the kernel had to say:", lines: ["journalctl -k --since -5min"] }],
    };
  }
  return {
    id: cause.id,
    title: cause.title(facts, failure),
    why: cause.why(facts, failure),
    remedies: cause.remedies(facts, failure),
  };
}
