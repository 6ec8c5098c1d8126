// What a sandbox refused, in words: for the end of its terminal and for the tree.

import { describeDenial } from "../format";
import { t } from "../l10n";
import type { Denial } from "../sandbox";
import { coloured } from "./words";

/** How many stand at the end of a terminal; the tree has them all. */
const MOST = 5;

const YELLOW = "\x1b[33m";
const DIM = "\x1b[2m";
const LINK = "\x1b[36m";
const RESET = "\x1b[0m";

/**
 * The lines before the last one of a terminal; empty when nothing was refused.
 * @param link the text that can be pressed to allow a denial; undefined for those that nothing can allow
 * @param columns of the terminal; long lines are broken between words
 */
export function denialText(
  denials: readonly Denial[],
  link: (denial: Denial) => string | undefined,
  columns: number,
): string {
  if (denials.length === 0) return "";
  const title =
    denials.length === 1 ? t("The sandbox refused this:") : t("The sandbox refused {0} things:", denials.length);
  const lines = denials.slice(0, MOST).flatMap((denial) => {
    const pressed = link(denial);
    return [
      ...coloured("", `  ${denial.what}`, columns),
      ...coloured(DIM, `    ${describeDenial(denial)}`, columns),
      ...(pressed === undefined ? [] : [`    ${LINK}${pressed}${RESET}`]),
    ];
  });
  const more =
    denials.length > MOST
      ? coloured(DIM, `  ${t("and {0} more, in the view Sandboxes", denials.length - MOST)}`, columns)
      : [];
  return [...coloured(YELLOW, `⊘ ${title}`, columns), ...lines, ...more, ""].join("\r\n");
}
