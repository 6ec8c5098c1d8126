// Interactive shells in a sandbox: for the command and for the terminal profile in the dropdown.

import * as vscode from "vscode";
import { t } from "../l10n";
import type { Sandbox } from "../sandbox/types";
import { type Launcher, scopeFolder } from "./launcher";
import { SandboxPseudoterminal } from "./pseudoterminal";
import { terminalOf } from "./terminalLinks";

/** The built-in profile for interactive shells: `build` with a prompt. */
const SHELL_PROFILE = "shell";

/** Closes only when the user has read the last lines. */
const waitForKey = (): string => `\r\n\x1b[2m${t("Press any key to close the terminal.")}\x1b[0m`;

function userShell(): string {
  return vscode.env.shell || "/bin/sh";
}

/** Options of a terminal in which the user's shell runs in a sandbox. */
export function sandboxTerminal(launcher: Launcher): vscode.ExtensionTerminalOptions {
  const name = t("Sandbox");
  const pty: vscode.Pseudoterminal = new SandboxPseudoterminal(
    launcher.session({
      name,
      request: () => {
        const folder = scopeFolder(startFolder());
        const shell = userShell();
        return {
          name: t("Terminal ({0})", shell.split("/").pop() ?? shell),
          folder,
          file: shell,
          args: [],
          display: shell,
          cwd: folder.uri.fsPath,
          env: {},
          profile: SHELL_PROFILE,
          profileIsChosen: true,
          warnings: [],
        };
      },
      findTerminal: () => terminalOf(pty),
      waitForKey: waitForKey(),
    }),
  );
  return { name, pty, iconPath: new vscode.ThemeIcon("shield") };
}

/** Options of a terminal in which the user's shell runs beside the processes of a running sandbox. */
export function terminalInside(launcher: Launcher, sandbox: Sandbox): vscode.ExtensionTerminalOptions {
  const session = launcher.sessionInside(sandbox, userShell(), waitForKey());
  return {
    name: t("Inside {0}", sandbox.name),
    pty: new SandboxPseudoterminal(session),
    iconPath: new vscode.ThemeIcon("shield"),
  };
}

export class SandboxTerminalProfileProvider implements vscode.TerminalProfileProvider {
  constructor(private readonly launcher: Launcher) {}

  provideTerminalProfile(): vscode.TerminalProfile {
    return new vscode.TerminalProfile(sandboxTerminal(this.launcher));
  }
}

/** The folder of the file that is being edited, where there are several; the only one otherwise. */
function startFolder(): vscode.WorkspaceFolder | undefined {
  const active = vscode.window.activeTextEditor?.document.uri;
  return (active && vscode.workspace.getWorkspaceFolder(active)) ?? vscode.workspace.workspaceFolders?.[0];
}
