// The step that installs a filter, and what the parent must know about it.

import { type PlannedStep, step } from "../planned-step";
import { compileFilter } from "./compile";
import { errnoOf, SECCOMP_FLAGS, type Seccomp } from "./oci";

const NOTHING = new Uint8Array();

/** "386 system calls allowed, others EPERM, told" */
function words({ defaultAction, defaultErrnoRet, syscalls = [] }: Seccomp, tells: boolean): string {
  const errno = errnoOf(defaultAction, defaultErrnoRet);
  const action = defaultAction.replace("SCMP_ACT_", "").toLowerCase();
  return [
    `default ${action}${errno === undefined ? "" : ` ${errno}`}`,
    `${syscalls.length} rule${syscalls.length === 1 ? "" : "s"}`,
    ...(tells ? ["told of what it refuses"] : []),
  ].join(", ");
}

/** @param wanted whether somebody wants to be told of what it refuses */
export function seccompStep(filter: Seccomp, wanted: boolean): PlannedStep {
  const { plain, telling } = compileFilter(filter);
  const program = wanted && telling !== undefined ? telling.program : NOTHING;
  const flags = (filter.flags ?? []).reduce((mask, name) => mask | SECCOMP_FLAGS[name], 0);
  return step("seccomp", "seccomp", words(filter, program !== NOTHING), program, plain, flags);
}
