// Steps that set resource limits. All come before the change of user, for raising a hard limit needs privilege, except
// that the number of open files is limited last of all: setting a child up takes fds itself.

import type { OpenFilesLimit } from "./open-files-limit";
import type { PlannedStep } from "./planned-step";
import { RLIMITS } from "./rlimits";
import type { Rlimit, SysProcAttr } from "./types";

const OPEN_FILES = "RLIMIT_NOFILE";

function rlimit({ type, soft, hard }: Rlimit): PlannedStep {
  const [shownSoft, shownHard] = [soft, hard].map((value) => (value === -1 ? "unlimited" : value));
  return {
    op: "rlimit",
    name: "rlimit",
    detail: `${type} ${shownSoft} ${shownHard}`,
    args: [RLIMITS.indexOf(type), soft, hard],
  };
}

export interface RlimitSteps {
  /** While the child has its privileges. */
  readonly early: readonly PlannedStep[];
  /** Right before the command. */
  readonly late: readonly PlannedStep[];
}

/** @param ours what this process has, and what it had before Node raised it */
export function rlimitSteps(sys: SysProcAttr, ours: OpenFilesLimit): RlimitSteps {
  const limits = sys.rlimits ?? [];
  const openFiles = limits.filter(({ type }) => type === OPEN_FILES);
  const raised = openFiles.filter(({ hard }) => hard === -1 || hard > ours.hard);
  const early = [
    ...limits.filter(({ type }) => type !== OPEN_FILES),
    ...raised.map(({ type, hard }) => ({ type, soft: hard, hard })),
  ];
  const late = openFiles.map(rlimit);
  if (late.length === 0 && ours.soft !== undefined) {
    late.push({
      op: "soft_limit",
      name: "rlimit",
      detail: `${OPEN_FILES} ${ours.soft} (soft, as it was before Node raised it)`,
      args: [RLIMITS.indexOf(OPEN_FILES), ours.soft],
    });
  }
  return { early: early.map(rlimit), late };
}
