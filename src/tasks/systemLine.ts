// The line of a terminal that leads to the system check: made here when something is refused for what this system lacks,
// and found again here when VS Code asks for the links in a line. Without the editor, as both must agree.

import { t } from "../l10n";

/** As the command is called in the palette. */
function commandName(): string {
  return `${t("Sandbox")}: ${t("Check This System")}`;
}

/** "Sandbox: Check This System (user namespace)" */
export function systemLine(feature: string | undefined): string {
  return feature === undefined ? commandName() : `${commandName()} (${feature})`;
}

export interface SystemLink {
  readonly startIndex: number;
  readonly length: number;
  readonly feature?: string;
}

/** Where such a line stands in a line of a terminal, and which feature it names. */
export function findSystemLink(line: string): SystemLink | undefined {
  const name = commandName();
  const startIndex = line.indexOf(name);
  if (startIndex < 0) return undefined;
  const [more = "", feature] = /^ \(([\w ]{1,60})\)/.exec(line.slice(startIndex + name.length)) ?? [];
  return { startIndex, length: name.length + more.length, ...(feature === undefined ? {} : { feature }) };
}
