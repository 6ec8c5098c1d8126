// The text of "Check This System", and the short form that the view shows when nothing can run: which kernel features
// are there, found by trying them, and what to do about those that are not. Pure.

import { t } from "../l10n";
import type { Feature } from "../spawner/types";

/** Features that the built-in profiles do without. */
const OPTIONAL: readonly string[] = ["time namespace", "joining namespaces"];

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
    ...(missing.length === 0
      ? []
      : [
          "-".repeat(t("What to do").length),
          ...byRemedy(missing).flatMap(({ features, remedy }) => [
            "",
            names(features),
            ...remedy.split("\n").map((line) => `    ${line}`),
          ]),
        ]),
    "",
  ].join("\n");
}

/** A few sentences for the view, which shows them as one paragraph. */
export function refusalText(missing: readonly Feature[]): string {
  return [
    t("This system refuses what a sandbox needs, so nothing can run in one."),
    ...byRemedy(missing).map(({ features, remedy }) => `${names(features)}: ${remedy}`),
  ].join(" ");
}

/** One thing to do often mends many features, as most need a user namespace first. */
function byRemedy(missing: readonly Feature[]): { remedy: string; features: readonly Feature[] }[] {
  const groups = new Map<string, Feature[]>();
  for (const feature of missing) {
    const remedy = feature.remedy ?? t("Nothing is known that would help; a newer kernel may.");
    groups.set(remedy, [...(groups.get(remedy) ?? []), feature]);
  }
  return [...groups].map(([remedy, features]) => ({ remedy, features }));
}

/** The first, which the others mostly follow from, and how many there are. */
function names(features: readonly Feature[]): string {
  const [first] = features;
  const name = `${first?.feature}${first?.errno ? ` (${first.errno})` : ""}`;
  return features.length === 1 ? name : t("{0} and {1} more", name, features.length - 1);
}
