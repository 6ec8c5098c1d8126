// Sandbox: Show Details: namespaces, ids, capabilities, limits and more of a sandbox or process, as a document.

import type { Command, CommandHandler } from "../contributions";
import { formatTime, heldByLandlock } from "../format";
import { type ProcessInfo, processDetails, processes } from "../inspect";
import { t } from "../l10n";
import { caretakers, type Sandbox } from "../sandbox";
import { detailsText } from "../views/detailsText";
import { pickTarget, type Target } from "./pick";
import type { Services } from "./services";

export function showDetails(services: Services): CommandHandler<Command.ShowDetails> {
  return async (node) => {
    const target = await pickTarget(services, node);
    if (!target) return;
    const { sandbox } = target;
    const all = await processes(sandbox.process.pid);
    const subject = target.kind === "process" ? target.info : commandOf(all, sandbox);
    const text = detailsText(
      documentName(target),
      [
        [t("Sandbox"), sandbox.name],
        [t("Profile"), sandbox.profile],
        ...(sandbox.isolation === "landlock" ? [[t("Held by"), heldByLandlock()]] : []),
        [t("Workspace"), sandbox.workspace],
        [t("Running since"), formatTime(sandbox.startedAt)],
        [t("Read from"), subject ? processWords(subject) : String(sandbox.process.pid)],
      ],
      target.kind === "process" ? [target.info] : all,
      await processDetails(subject?.pid ?? sandbox.process.pid),
    );
    await services.documents.show(documentName(target), text);
  };
}

/** The command itself says more than what looks after it, which keeps what it needs to start and end the others. */
function commandOf(all: readonly ProcessInfo[], { process, isolation }: Sandbox): ProcessInfo | undefined {
  const ours = caretakers(all, process.pid, isolation);
  return (
    all.find(({ pid, parentPid }) => parentPid === process.pid && !ours.has(pid)) ??
    all.find(({ pid }) => pid === process.pid)
  );
}

function processWords({ insidePid, pid, command }: ProcessInfo): string {
  return t("process {0} ({1} outside), {2}", insidePid, pid, command);
}

function documentName(target: Target): string {
  return target.kind === "process"
    ? t("Process {0} of {1}", target.info.pid, target.sandbox.name)
    : t("Sandbox {0}", target.sandbox.name);
}
