// Every system call of a child, and of the PID 1 before the command, is made to fail with every errno that it may
// plausibly have: spawn() must name the step, and leave nothing.

import * as assert from "node:assert/strict";
import { skipBecause } from "../../support/skip";
import { faultsIn, withoutRemedy } from "./judge";
import { type OptionSet, optionSets, whyNot } from "./option-sets";
import type { Outcome, Report } from "./worker";
import { SILENT, underSupervisionWithout } from "./world";

interface Run {
  readonly name: string;
  readonly set: OptionSet;
  /** System calls in whose place others are made. */
  readonly missing: readonly string[];
}

const RUNS: readonly Run[] = Object.entries(optionSets()).flatMap(([name, set]) => [
  { name, set, missing: [] },
  ...(name === "full" ? [{ name, set, missing: ["openat2", "mount_setattr"] }] : []),
]);

/**
 * Without mount_setattr(2) the table of mounts is read, as often as its text takes. The numbers in it are those that other
 * mounts of the machine's have left free: longer the next time, or shorter.
 */
function isUnsteady({ name }: Outcome, missing: readonly string[]): boolean {
  return missing.includes("mount_setattr") && name === "read";
}

for (const { name, set, missing } of RUNS) {
  const title = missing.length === 0 ? name : `${name}, without ${missing.join(" and ")}`;
  describe(`a failing system call of a child: ${title}`, function () {
    this.timeout(120_000);
    let report: Report;

    before(async function () {
      const why = await whyNot(set);
      if (why !== undefined) skipBecause(this, why);
      const whole = await underSupervisionWithout<Report>(missing, "worker", name);
      report = { ...whole, outcomes: whole.outcomes.filter((one) => one.hit || !isUnsteady(one, missing)) };
    });

    it("is named with its step, or is one that may fail", () => {
      assert.deepEqual(faultsIn(report), []);
      assert.ok(report.outcomes.length > 10);
    });

    it("blames later steps for later calls, and every step that can fail", () => {
      const blamed = report.outcomes.flatMap((outcome) =>
        outcome.error?.code === outcome.errno && outcome.role === "child" && !isUnsteady(outcome, missing)
          ? [Number(outcome.error.index)]
          : [],
      );
      assert.deepEqual(
        blamed,
        blamed.toSorted((a, b) => a - b),
      );
      const all = new Set(report.outcomes.map(({ error }) => error?.index));
      const unblamed = report.steps.filter(
        (step, i) =>
          !all.has(i + 1) && !SILENT.includes(step.name) && step.detail !== "every handler back to the default",
      );
      assert.deepEqual(unblamed, []);
    });

    it("comes with what to do about it, where the errno tells", () => {
      assert.deepEqual(withoutRemedy(report), []);
    });

    it("does no harm to the spawner: the next spawn succeeds, and no thread is left", () => {
      assert.ok(report.undisturbed > 1);
      assert.equal(report.threads[1], report.threads[0]);
    });
  });
}
