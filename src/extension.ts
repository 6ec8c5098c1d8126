// Entry point: builds the object graph, registers it, nothing else. The addon is loaded by the first sandbox or by the
// first look at the view, not here.

import * as vscode from "vscode";
import { registerCommands } from "./commands";
import { TASK_TYPE, TERMINAL_PROFILE } from "./contributions";
import { useTranslator } from "./l10n";
import { SandboxRegistry } from "./sandbox";
import {
  Approvals,
  askInDialog,
  DenialLinks,
  FailureNotifier,
  Gate,
  Launcher,
  SandboxTaskProvider,
  SandboxTerminalProfileProvider,
  SystemLinks,
  TaskProblems,
  TerminalLinks,
} from "./tasks";
import { Documents } from "./views/documents";
import { SandboxesView } from "./views/sandboxesView";
import { SystemState } from "./views/system";

/** What other extensions, and our tests, get from this one. */
export interface SandboxTasksApi {
  readonly registry: SandboxRegistry;
}

/** VS Code waits five seconds at most for deactivate(); a sandbox gets less than that to end by itself. */
const SHUTDOWN_GRACE_MS = 1000;

/** More than the setting sandbox.keepEnded allows; the view shows as many as the setting says. */
const REMEMBERED_SANDBOXES = 100;

let registry: SandboxRegistry | undefined;

export function activate(context: vscode.ExtensionContext): SandboxTasksApi {
  useTranslator(vscode.l10n.t);
  const log = vscode.window.createOutputChannel("Sandbox Tasks", { log: true });
  const sandboxes = new SandboxRegistry({ keepEnded: REMEMBERED_SANDBOXES });
  registry = sandboxes;
  const links = new TerminalLinks();
  const problems = new TaskProblems();
  const approvals = new Approvals(context.globalState);
  const gate = new Gate(approvals, askInDialog);
  const denialLinks = new DenialLinks();
  const launcher = new Launcher(sandboxes, links, new FailureNotifier(), problems, gate, denialLinks, log);
  const system = new SystemState(log);
  const documents = new Documents();
  const view = new SandboxesView(sandboxes, log, () => {
    void system.show().then((failure) => {
      view.message = failure;
    });
  });
  context.subscriptions.push(
    log,
    problems,
    documents,
    view,
    vscode.tasks.registerTaskProvider(TASK_TYPE, new SandboxTaskProvider(launcher)),
    vscode.window.registerTerminalProfileProvider(TERMINAL_PROFILE, new SandboxTerminalProfileProvider(launcher)),
    vscode.window.registerTerminalLinkProvider(new SystemLinks()),
    vscode.window.registerTerminalLinkProvider(denialLinks),
    registerCommands({ registry: sandboxes, launcher, links, approvals, view, documents, system, log }),
  );
  return { registry: sandboxes };
}

export async function deactivate(): Promise<void> {
  await registry?.terminateAll(SHUTDOWN_GRACE_MS);
}
