// npm run escape: the escape suite with the same attempts in the sandboxes that bubblewrap and unshare(1) make, and the
// table of it, docs/escape.md. As root it has both halves of the table, root's and an ordinary user's. With --table it
// runs nothing and writes the table of the run before.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { ROOT } from "./files.mjs";
import { ensureSystemPackages, PACKAGES } from "./system-packages.mjs";

const RESULTS = join(ROOT, "test-results");
const PAGE = join(ROOT, "docs/escape.md");

/** The columns, by the name that the suite has for each. */
const COLUMNS = [
  ["build", "`build`"],
  ["strict", "`strict`"],
  ["install", "`install`"],
  ["bwrap", "bwrap"],
  ["careful", "bwrap, with care"],
  ["unshare", "unshare"],
];

const CONTROLS = ["outside", "loose", "own mounts", "shell"];

const WORDS = { held: "held", escaped: "**got out**", "could not run": "could not run" };

/** @typedef {{group: string, name: string, verdicts: Record<string, string>}} Entry */

/** @param {Entry} entry @param {string} column */
function cell({ verdicts }, column) {
  const verdict = verdicts[column];
  if (verdict === undefined) return "-";
  // The control: where it was refused too, that a sandbox held says nothing.
  const isProved = CONTROLS.every((name) => verdicts[name] === undefined || verdicts[name] === "escaped");
  return isProved ? WORDS[verdict] : "(not here)";
}

/** @param {Entry[]} entries */
function table(entries) {
  const lines = [
    `| a program in it can ... | ${COLUMNS.map(([, title]) => title).join(" | ")} |`,
    `|---|${COLUMNS.map(() => "---|").join("")}`,
  ];
  let group = "";
  for (const entry of entries) {
    if (entry.group !== group) lines.push(`| **${entry.group}** |${COLUMNS.map(() => " |").join("")}`);
    group = entry.group;
    lines.push(`| ${entry.name} | ${COLUMNS.map(([column]) => cell(entry, column)).join(" | ")} |`);
  }
  const count = (column, verdict) => entries.filter(({ verdicts }) => verdicts[column] === verdict).length;
  const sums = COLUMNS.map(
    ([column]) =>
      `${count(column, "escaped")} of ${entries.filter(({ verdicts }) => verdicts[column] !== undefined).length}`,
  );
  lines.push(`| **got out** | ${sums.join(" | ")} |`);
  return lines.join("\n");
}

/** What stands between these in the page is written here; the rest is written by hand. */
const [BEGIN, END] = ["<!-- table -->", "<!-- end of table -->"];

ensureSystemPackages([PACKAGES.bubblewrap]);
const files = ["root", "user"].map((who) => join(RESULTS, `escape-${who}.json`));
if (!process.argv.includes("--table")) {
  for (const file of files) rmSync(file, { force: true });
  const run = spawnSync(process.execPath, [join(ROOT, "scripts/test.mjs"), "escape"], {
    stdio: "inherit",
    env: { ...process.env, SANDBOX_TASKS_ESCAPE_COMPARE: "1" },
  });
  process.exitCode = run.status ?? 1;
}
const halves = files
  .filter((file) => existsSync(file))
  .map((file) => {
    const title = file.endsWith("root.json") ? "As root" : "As an ordinary user";
    return `## ${title}\n\n${table(JSON.parse(readFileSync(file, "utf8")))}\n`;
  });
const bwrap = spawnSync("bwrap", ["--version"], { encoding: "utf8" }).stdout.trim();
const page = readFileSync(PAGE, "utf8");
const measured = `Linux ${release().split("-")[0]}, ${bwrap}.`;
const tables = [BEGIN, measured, ...halves, END].join("\n\n");
writeFileSync(PAGE, page.slice(0, page.indexOf(BEGIN)) + tables + page.slice(page.indexOf(END) + END.length));
