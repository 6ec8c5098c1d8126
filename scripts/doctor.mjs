// npm run doctor: tries all that sandboxes need on this system and says what is missing and what mends it. `--json` for
// programs. Exit code 0 when sandboxes of the profile `build` can run, 1 when they can't, 2 when it could not be found out.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { ROOT } from "./files.mjs";

const LIBRARY = join(ROOT, "dist", "api.js");

/** SGR codes (ECMA-48) of the tones of the text. */
const COLOURS = { good: "32", bad: "31", minor: "2", heading: "1", command: "36" };

async function main(args) {
  const unknown = args.filter((arg) => arg !== "--json");
  if (unknown.length > 0) throw new Error(`Unknown argument ${unknown.join(" ")}; there is only --json.`);
  if (!existsSync(LIBRARY)) throw new Error("There is no build yet: npm run build");
  const { doctor } = createRequire(import.meta.url)(LIBRARY).sandbox;

  const { stdout, stderr } = process;
  const shown = stderr.isTTY && !args.includes("--json");
  const report = await doctor.checkSystem({
    onProgress: (what, done) => shown && stderr.write(`\r\x1b[K${Math.round(done * 100)} % ${what}`),
  });
  if (shown) stderr.write("\r\x1b[K");
  if (args.includes("--json")) {
    stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  } else {
    const coloured = stdout.isTTY && !process.env.NO_COLOR;
    const paint = (text, tone) => (tone in COLOURS ? `\x1b[${COLOURS[tone]}m${text}\x1b[0m` : text);
    stdout.write(doctor.reportText(report, coloured ? paint : undefined));
  }
  return report.ok ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
