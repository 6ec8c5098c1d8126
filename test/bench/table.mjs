// Plain tables, and the ratios with their targets.

/**
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} rows the first column is of words, the others of numbers
 */
export function table(head, rows) {
  const all = [head, ...rows];
  const widths = head.map((_, i) => Math.max(...all.map((row) => (row[i] ?? "").length)));
  const line = (row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join("  ")
      .trimEnd();
  return [line(head), widths.map((width) => "-".repeat(width)).join("  "), ...rows.map(line)].join("\n");
}

/** @param {number | undefined} value */
export function number(value, digits = 0) {
  return value === undefined || Number.isNaN(value) ? "-" : value.toFixed(digits);
}

/**
 * What is compared with what, and how it should come out.
 * @typedef {object} Goal
 * @property {string} what
 * @property {number | undefined} value undefined: not measured
 * @property {number} [most]
 * @property {number} [least]
 * @property {string} [unit] a ratio without
 * @property {string} [note] in place of a target
 */

/** @param {Goal} goal */
function verdict({ value, most, least }) {
  if (value === undefined || (most === undefined && least === undefined)) return "";
  return value <= (most ?? Number.POSITIVE_INFINITY) && value >= (least ?? 0) ? "met" : "missed";
}

/** @param {readonly Goal[]} goals */
export function goalTable(goals) {
  const target = ({ most, least, unit = "", note = "" }) =>
    most !== undefined ? `<= ${most}${unit}` : least !== undefined ? `>= ${least}${unit}` : note;
  return table(
    ["ratio of medians (or value)", "measured", "target", ""],
    goals.map((goal) => [
      goal.what,
      goal.value === undefined ? "not measured" : `${number(goal.value, 2)}${goal.unit ?? ""}`,
      target(goal),
      verdict(goal),
    ]),
  );
}

/** @param {number | undefined} a @param {number | undefined} b */
export function ratio(a, b) {
  return a === undefined || b === undefined ? undefined : a / b;
}
