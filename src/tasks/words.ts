// What a sandbox's terminal says before and after the program: what runs under which profile, and how it ended.

import { describeEnd, formatBytes, formatSeconds, heldByLandlock, limitAdvice, shorten, wrap } from "../format";
import { t } from "../l10n";
import type { ExitStatus } from "../spawner/types";

const DIM = "\x1b[2m";
const RED = "\x1b[31m";
const GREEN = "\x1b[32m";
const YELLOW = "\x1b[33m";
const RESET = "\x1b[0m";

/**
 * The lines before the program's first byte.
 * @param command as displayed
 * @param description the profile in words
 * @param warnings one line each
 * @param columns of the terminal; long lines are broken between words
 */
export function openingText(
  command: string,
  profile: string,
  description: string,
  warnings: readonly string[],
  columns: number,
): string {
  const lines = [
    `${DIM}▶ ${printable(shorten(command, 400))}${RESET}`,
    ...coloured(DIM, `  ${t("sandbox {0}: {1}", profile, description)}`, columns),
    ...warnings.flatMap((warning) => coloured(YELLOW, `  ${warning}`, columns)),
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** The line that says that Landlock alone holds it, before the program's first byte. */
export function landlockText(columns: number): string {
  return `${coloured(YELLOW, `  ${heldByLandlock()}`, columns).join("\r\n")}\r\n\r\n`;
}

/**
 * The lines after its last byte: how it ended, how long it took, CPU time and peak memory.
 * @param warnings what the user should look at, one line each
 */
export function closingText(status: ExitStatus, warnings: readonly string[] = []): string {
  const good = status.code === 0;
  const figures = [
    formatSeconds(status.wallTime),
    t("CPU {0}", formatSeconds(status.userTime + status.systemTime)),
    t("peak memory {0}", formatBytes(status.maxRss)),
  ];
  const mark = good ? `${GREEN}✔` : `${RED}✖`;
  const lines = warnings.map((warning) => `${YELLOW}⚠ ${printable(warning)}${RESET}\r\n`);
  const advice = limitAdvice(status);
  if (advice !== undefined) lines.push(`${YELLOW}⚠ ${advice}${RESET}\r\n`);
  return `${lines.join("")}${mark} ${t("Sandbox {0}", describeEnd(status))}${RESET}${DIM} · ${figures.join(" · ")}${RESET}\r\n`;
}

/** A text in one colour, broken into lines that fit. */
export function coloured(colour: string, text: string, columns: number): string[] {
  return wrap(printable(text), columns).map((line) => `${colour}${line}${RESET}`);
}

/** Text from a task or a profile must not steer the terminal: control characters are shown as their pictures. */
export function printable(text: string): string {
  return Array.from(text, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    return code === 0x7f || (code >= 0x80 && code < 0xa0) ? "\ufffd" : character;
  }).join("");
}
