// The text of "Check This System", and the short form that the view shows when nothing can run: which kernel features
// are there, found by trying them, and what to do about those that are not. Pure.

import { t } from "../l10n";
import type { Feature } from "../spawner/types";

/** Features that the built-in profiles do without. */
const OPTIONAL: readonly string[] = ["time namespace"];

/** The features that are missing and needed. */
export function missingFeatures(features: readonly Feature[]): readonly Feature[] {
  return features.filter(({ feature, available }) => !available && !OPTIONAL.includes(feature));
}

/** The whole report. */
export function systemText(system: string, features: readonly Feature[]): string {
  const missing = features.filter(({ available }) => !available);
  const width = Math.max(0, ...features.map(({ feature }) => feature.length));
  const title = t("Sandbox Tasks: what this system can do");
  return [
    title,
    "=".repeat(title.length),
    "",
    system,
    "",
    ...features.map(
      ({ feature, available, errno }) =>
        `${available ? "✔" : "✘"} ${feature.padEnd(width)}  ${available ? t("available") : t("not available")}${errno ? ` (${errno})` : ""}`,
    ),
    "",
    missing.length === 0 ? t("Everything that sandboxes need is there.") : t("What to do"),
    ...(missing.length === 0 ? [] : ["-".repeat(t("What to do").length), ...missing.flatMap(remedyLines)]),
    "",
  ].join("\n");
}

/** A few lines for the view. */
export function refusalText(missing: readonly Feature[]): string {
  return [
    t("This system refuses what a sandbox needs, so nothing can run in one."),
    ...missing.map(
      ({ feature, errno, remedy }) => `${feature}${errno ? ` (${errno})` : ""}${remedy ? `: ${remedy}` : ""}`,
    ),
  ].join("\n\n");
}

function remedyLines({ feature, errno, remedy }: Feature): string[] {
  return [
    "",
    `${feature}${errno ? ` (${errno})` : ""}`,
    ...(remedy ?? t("Nothing is known that would help; a newer kernel may.")).split("\n").map((line) => `    ${line}`),
  ];
}
