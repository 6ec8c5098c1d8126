// The report as people read it: the answer first, then what to do, then every feature in a line. English, as what is
// asked about it elsewhere is answered by its words, and all that is to be typed stands in it.

import { wrap } from "../../format";
import type { FeatureLine, Finding, ProfileResult, Report } from "./report";

const WIDTH = 100;
const TITLE = "Sandbox Tasks: what this system can do";

/** How a piece of the text is meant; a terminal shows it in colour. */
export type Tone = "good" | "bad" | "minor" | "heading" | "command" | "plain";
export type Paint = (text: string, tone: Tone) => string;

const PLAIN: Paint = (text) => text;

function heading(text: string, underline: string, paint: Paint): string[] {
  return [paint(text, "heading"), paint(underline.repeat(text.length), "heading")];
}

function summary({ ok, findings, profiles }: Report, paint: Paint): string[] {
  const optional = findings.filter(({ serious }) => !serious).length;
  const points = (count: number): string => (count === 1 ? "one thing" : `${count} things`);
  if (ok) {
    const rest =
      optional === 0
        ? "Nothing is missing."
        : `For more than \`build\` asks, ${points(optional)} can be mended, see below.`;
    return [paint("Sandboxes can run here.", "good"), rest];
  }
  const [first] = findings.filter(({ serious }) => serious);
  const reason =
    first?.title ?? profiles.find(({ profile }) => profile === "build")?.reason ?? "the check found no reason";
  return wrap(`Sandboxes can't run here, because: ${reason}.`, WIDTH).map((line) => paint(line, "bad"));
}

function profileLines(profiles: readonly ProfileResult[], paint: Paint): string[] {
  const width = Math.max(...profiles.map(({ profile }) => profile.length));
  return profiles.flatMap(({ profile, runs, reason, finding }) => {
    const name = profile.padEnd(width);
    if (runs) return [`  ${paint("✔", "good")} ${name}  runs`];
    const line = `  ${paint("✘", "bad")} ${name}  can't run`;
    if (finding !== undefined) return [`${line}, see ${finding}`];
    return [`${line}:`, ...(reason ?? "").split("\n").flatMap((text) => wrap(`      ${text}`, WIDTH))];
  });
}

/** What a profile gets where namespaces are refused, if it may have it. */
function fallbackLines({ fallback, ok }: Report, paint: Paint): string[] {
  if (fallback === undefined) return [];
  const name = '"fallback": "landlock"';
  if (!fallback.runs) return wrap(`${name} can't hold a sandbox here: ${fallback.reason}.`, WIDTH - 4).map(asNote);
  const words = ok
    ? "could hold sandboxes here, were namespaces refused; it is less (docs/profiles.md), and not used as long as they are not."
    : "in a profile of yours would let it run here, held by Landlock alone: less than with namespaces (docs/profiles.md), and only in workspaces without a repository, or as you allow.";
  return wrap(`${paint(name, "command")} ${words}`, WIDTH - 4).map(asNote);
}

const asNote = (line: string, i: number): string => `${i === 0 ? "  - " : "    "}${line}`;

function featureLines(features: readonly FeatureLine[], paint: Paint): string[] {
  const width = Math.max(...features.map(({ feature }) => feature.length));
  return features.map(({ feature, available, errno, use, finding, needed, detail }) => {
    const words = detail === undefined ? use : `${use} (${detail})`;
    if (available) return `  ${paint("✔", "good")} ${feature.padEnd(width)}  ${paint(words, "minor")}`;
    const mark = needed ? paint("✘", "bad") : paint("-", "minor");
    return `  ${mark} ${feature.padEnd(width)}  ${errno ?? "missing"}, see ${finding}`;
  });
}

function findingLines(finding: Finding, number: number, features: readonly FeatureLine[], paint: Paint): string[] {
  const indented = (text: string): string[] => wrap(`   ${text}`, WIDTH);
  const first = features.find(({ feature }) => feature === finding.features[0]);
  return [
    ...wrap(`${number}. ${finding.title}`, WIDTH).map((line) => paint(line, finding.serious ? "bad" : "heading")),
    "",
    ...indented(finding.why),
    ...indented(`Missing: ${finding.features.join(", ")}.`),
    ...indented(`What that costs: ${finding.costs.join("; ")}.`),
    ...(first?.reason === undefined ? [] : indented(`Tried: ${first.reason.replace(/\.$/, "")}.`)),
    ...finding.remedies.flatMap(({ what, lines, afterwards }) => [
      "",
      ...indented(what),
      ...lines.map((line) => `       ${paint(line, "command")}`),
      ...(afterwards === undefined ? [] : indented(afterwards)),
    ]),
    "",
  ];
}

/** The whole report. */
export function reportText(report: Report, paint: Paint = PLAIN): string {
  const { profiles, features, findings, system, program } = report;
  return [
    ...heading(TITLE, "=", paint),
    "",
    ...summary(report, paint),
    "",
    `System:   ${system}`,
    `Program:  ${program}`,
    "",
    ...(findings.length === 0
      ? []
      : [
          ...heading("What to do", "-", paint),
          "",
          ...findings.flatMap((finding, i) => findingLines(finding, i + 1, features, paint)),
        ]),
    ...heading("Profiles", "-", paint),
    ...profileLines(profiles, paint),
    ...fallbackLines(report, paint),
    "",
    ...heading("Features", "-", paint),
    ...featureLines(features, paint),
    "",
  ].join("\n");
}

/**
 * Where to look in the text for a feature: what to do about it, or its line where it is there.
 * @returns the line, counted from 0; undefined for a feature that was not tried
 */
export function lineOfFeature(report: Report, feature: string): number | undefined {
  const lines = reportText(report).split("\n");
  const found = report.features.find((line) => line.feature === feature);
  if (found === undefined) return undefined;
  const at =
    found.finding === undefined
      ? lines.findIndex((line) => line.startsWith(`  ✔ ${feature} `))
      : lines.findIndex((line) => line.startsWith(`${found.finding}. `));
  return at < 0 ? undefined : at;
}
