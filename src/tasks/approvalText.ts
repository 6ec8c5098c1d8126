// The question whether a task of a repository may do more than the user's profile allows, as the text of a dialog. The
// words come partly from the repository: nothing in them may steer how they are shown, or push others out of sight.

import { t } from "../l10n";
import type { Loosening, TaskRequest } from "../sandbox";
import { printable } from "./words";

export interface ApprovalText {
  readonly message: string;
  readonly detail: string;
  /** It asks for more than anybody reads in a dialog, so that it can't be allowed there. */
  readonly tooLong: boolean;
}

/** What fits a dialog on a small screen. */
const MOST_LINES = 12;
const LONGEST_LINE = 300;

/**
 * Text that shows what it is: no control characters, no marks that turn the direction of writing, nothing invisible, and
 * no line breaks.
 */
export function plain(text: string): string {
  return printable(text).replace(/[\p{Cf}\p{Zl}\p{Zp}]/gu, (mark) => `\\u{${mark.codePointAt(0)?.toString(16) ?? ""}}`);
}

/** The middle of a long text is left out, never its end: a path says at its end what it is. */
function whole(text: string): string {
  const shown = plain(text);
  const half = LONGEST_LINE / 2;
  return shown.length <= LONGEST_LINE ? shown : `${shown.slice(0, half)} … ${shown.slice(-half)}`;
}

/** One thing that is allowed, as it stands in the list of approvals too. */
export function allowedWords({ allows, key }: Loosening): string {
  return t("{0} ({1})", whole(allows), plain(key));
}

/**
 * @param own name of the user's profile
 * @param command as the user knows it
 */
export function approvalText({ name, workspace, beyond }: TaskRequest, own: string, command: string): ApprovalText {
  const tooLong = beyond.length > MOST_LINES || beyond.some(({ allows }) => plain(allows).length > LONGEST_LINE);
  const shown = beyond.slice(0, MOST_LINES);
  const lines = shown.flatMap((one, index) => {
    // The same reason for many paths is given once, after the last of them.
    const isLast = shown[index + 1]?.why !== one.why;
    return [`• ${allowedWords(one)}`, ...(isLast ? [`   ${t("Risk: {0}.", plain(one.why))}`] : [])];
  });
  return {
    message: t('The task "{0}" wants to do more than your profile "{1}" allows', whole(name), plain(own)),
    detail: [
      t("It could"),
      ...lines,
      ...(tooLong
        ? [
            t(
              "and more. This is too much to be read here, so it can't be allowed here: put what you accept into a profile of your own.",
            ),
          ]
        : []),
      "",
      t("Command: {0}", whole(command)),
      t("Folder: {0}", whole(workspace)),
      "",
      t("The folder's tasks.json asks for this, not you. The command runs what its authors wrote."),
    ].join("\n"),
    tooLong,
  };
}
