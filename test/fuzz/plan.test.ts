// The decoder of plans under libFuzzer, for as long as a run of all tests may take; longer by hand: npm run fuzz.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";

const SECONDS = 20;

describe("the decoder of plans", () => {
  it("withstands random bytes and damaged plans", () => {
    const fuzz = spawnSync(process.execPath, ["scripts/fuzz.mjs", String(SECONDS), "--built"], { encoding: "utf8" });
    const output = `${fuzz.stdout}${fuzz.stderr}`;
    assert.equal(fuzz.status, 0, output);
    const runs = Number(/stat::number_of_executed_units:\s+(\d+)/.exec(output)?.[1]);
    assert.ok(runs > 10_000, output);
  });
});
