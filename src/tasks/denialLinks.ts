// Links at the end of a terminal that allow what was refused there. A link carries a number that was given here: a program
// that prints the same words gets a link to what that number stands for, and to nothing of its own.

import * as vscode from "vscode";
import { Command, runCommand } from "../contributions";
import { t } from "../l10n";
import type { Denial, DenialOwner } from "../sandbox";

interface DenialLink extends vscode.TerminalLink {
  readonly owner: DenialOwner;
  readonly denial: Denial;
}

/** Terminals further back are rarely looked at. */
const REMEMBERED = 200;

export class DenialLinks implements vscode.TerminalLinkProvider<DenialLink> {
  /** By the text of the link. */
  readonly #links = new Map<string, { owner: DenialOwner; denial: Denial }>();
  #count = 0;

  /** The text of a new link; undefined when nothing can allow it. */
  add(owner: DenialOwner, denial: Denial): string | undefined {
    if (denial.allow === undefined) return undefined;
    const text = t("Allow this... [{0}]", ++this.#count);
    this.#links.set(text, { owner, denial });
    const [oldest] = this.#links.keys();
    if (this.#links.size > REMEMBERED && oldest !== undefined) this.#links.delete(oldest);
    return text;
  }

  provideTerminalLinks({ line }: vscode.TerminalLinkContext): DenialLink[] {
    return [...this.#links].flatMap(([text, { owner, denial }]) => {
      const startIndex = line.indexOf(text);
      const tooltip = t('Change what the profile "{0}" allows', owner.profile);
      return startIndex < 0 ? [] : [{ startIndex, length: text.length, tooltip, owner, denial }];
    });
  }

  handleTerminalLink({ owner, denial }: DenialLink): Promise<void> {
    return runCommand(vscode.commands, Command.AllowDenied, { kind: "denial", owner, denial });
  }
}
