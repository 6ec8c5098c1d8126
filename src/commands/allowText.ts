// What "Allow What Was Refused" is about to change, as the text of a dialog: what tasks may do then, and the very lines of
// the user's settings. Pure.

import { Setting } from "../contributions";
import { t } from "../l10n";
import type { Denial, Loosening, ProfileChange } from "../sandbox";
import { allowedWords, plain } from "../tasks/approvalText";

/** Lines of both texts in order, each marked as kept, gone or new: the longest common subsequence. */
function difference(before: readonly string[], after: readonly string[]): string[] {
  const [first, ...rest] = before;
  const at = first === undefined ? -1 : after.indexOf(first);
  if (first === undefined) return after.map((line) => `+ ${line}`);
  if (at < 0) return [`- ${first}`, ...difference(rest, after)];
  return [...after.slice(0, at).map((line) => `+ ${line}`), `  ${first}`, ...difference(rest, after.slice(at + 1))];
}

/** An entry of the setting, a line each key. */
function lines(profile: string, entry: unknown): string[] {
  return entry === undefined
    ? []
    : JSON.stringify({ [profile]: entry }, undefined, 2)
        .split("\n")
        .slice(1, -1);
}

export interface AllowText {
  readonly message: string;
  readonly detail: string;
}

/** @param beyond what the changed profile allows beyond the one before */
export function allowText({ certainty }: Denial, change: ProfileChange, beyond: readonly Loosening[]): AllowText {
  const { profile, isNew, before, after } = change;
  const [only] = new Set(beyond.map(({ why }) => why));
  return {
    message: t('Let every task under the profile "{0}" do this, in every folder?', plain(profile)),
    detail: [
      ...(certainty === "hint"
        ? [t("That this was refused is a guess from what the program printed. A program can print anything."), ""]
        : []),
      t("Such a task may then"),
      ...beyond.map((one) => `• ${allowedWords(one)}`),
      ...(only === undefined ? [] : [`   ${t("Risk: {0}.", plain(only))}`]),
      "",
      isNew
        ? t("In your settings, {0} gets an entry that changes the built-in profile of this name:", Setting.Profiles)
        : t("In your settings, this entry of {0} changes:", Setting.Profiles),
      ...difference(lines(profile, before), lines(profile, after)).map(plain),
    ].join("\n"),
  };
}
