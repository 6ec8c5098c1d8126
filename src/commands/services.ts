// What the commands work with; made once, in extension.ts.

import type * as vscode from "vscode";
import type { SandboxRegistry } from "../sandbox";
import type { Approvals, Launcher, TerminalLinks } from "../tasks";
import type { Documents } from "../views/documents";
import type { SandboxesView } from "../views/sandboxesView";
import type { SystemState } from "../views/system";

export interface Services {
  readonly registry: SandboxRegistry;
  readonly launcher: Launcher;
  readonly links: TerminalLinks;
  readonly approvals: Approvals;
  readonly view: SandboxesView;
  readonly documents: Documents;
  readonly system: SystemState;
  readonly log: vscode.LogOutputChannel;
}
