// Runs one suite of npm test, in a process of its own: what it does synchronously keeps no other waiting. Its results
// are written for scripts/test.mjs to read.

import { writeFileSync } from "node:fs";
import { failure } from "./results.mjs";
import { SUITES } from "./suites.mjs";

const [name = "", file = ""] = process.argv.slice(2);
let results;
try {
  results = await SUITES[name].run();
} catch (error) {
  console.error(error);
  results = [failure(name, name, error instanceof Error ? error.message : String(error))];
}
writeFileSync(file, JSON.stringify(results));
