// Every system call of a child, and of the PID 1 before the command, is made to fail with every errno that it may
// plausibly have: spawn() must name the step, and leave nothing.

import * as assert from "node:assert/strict";
import { constants } from "node:os";
import { getSystemErrorMap } from "node:util";
import { skipBecause } from "../../support/skip";
import { isRoot } from "../spawner-world";
import { type Exception, GOES_ON } from "./errnos";
import { optionSets } from "./option-sets";
import type { Outcome, Report } from "./worker";
import { SILENT, STEP_CALLS, underSupervision } from "./world";

const number = (code: string): number => constants.errno[code as keyof typeof constants.errno];

function exceptionFor({ name, errno, role }: Outcome): Exception | undefined {
  return GOES_ON.find(
    (one) =>
      one.call === name &&
      (one.errnos === undefined || one.errnos.includes(errno)) &&
      (one.role === undefined || one.role === role),
  );
}

const show = ({ role, name, occurrence, errno }: Outcome): string => `${role}: ${name} ${occurrence} ${errno}`;

/** What is wrong with an outcome, in words; nothing when it is as it should be. */
function faultIn(outcome: Outcome, steps: Report["steps"]): string | undefined {
  const { name, errno, error, started, hit, left } = outcome;
  const exception = exceptionFor(outcome);
  if (!hit) return "the call was not made";
  if (left.length > 0) return `left behind: ${left.join(", ")}`;
  if (started) return exception === undefined ? "the spawn went on" : undefined;
  if (error === undefined) return "there is no error";
  if (exception?.always === true) return "the spawn did not go on";
  if (error.code !== errno || error.errno !== number(errno) || error.syscall !== name) {
    return exception === undefined ? `the error is ${error.code} in ${error.syscall}` : undefined;
  }
  const step = String(error.step);
  if (!STEP_CALLS[step]?.includes(name)) return `step ${step} is blamed`;
  const index = Number(error.index);
  const planned = steps[index - 1];
  if (steps.length > 0 && planned?.name !== step) return `step ${index} is ${planned?.name}, not ${step}`;
  const text = getSystemErrorMap().get(-number(errno))?.[1] ?? "";
  const detail = planned?.detail ?? "";
  const parts = [step, detail, errno, text, `in ${name}(2)`, `(step ${index} of ${error.steps})`];
  const missing = parts.filter((part) => !String(error.message).includes(part));
  return missing.length === 0 ? undefined : `"${error.message}" lacks ${missing.join(" and ")}`;
}

const NEEDS_REMEDY = new Set(["EPERM", "EACCES", "ENOSYS", "EMFILE", "ENFILE", "ENOMEM", "ENOSPC", "EAGAIN", "EDQUOT"]);

for (const [name, set] of Object.entries(optionSets())) {
  describe(`a failing system call of a child: ${name}`, function () {
    this.timeout(60_000);
    let report: Report;

    before(async function () {
      if (set.rootOnly === true && !isRoot) skipBecause(this, "writing others' ids into a map takes root");
      report = await underSupervision<Report>("worker", name);
    });

    it("is named with its step, or is one that may fail", () => {
      const faults = report.outcomes.flatMap((outcome) => {
        const fault = faultIn(outcome, report.steps);
        return fault === undefined ? [] : [`${show(outcome)}: ${fault}`];
      });
      assert.deepEqual(faults, []);
      assert.ok(report.outcomes.length > 10);
    });

    it("blames later steps for later calls, and every step that can fail", () => {
      const blamed = report.outcomes.flatMap((outcome) =>
        outcome.error?.code === outcome.errno && outcome.role === "child" ? [Number(outcome.error.index)] : [],
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
      const without = report.outcomes.filter(
        ({ error, errno }) => error !== undefined && NEEDS_REMEDY.has(errno) && error.remedy === undefined,
      );
      assert.deepEqual(
        without.map((outcome) => `${outcome.error?.step}: ${show(outcome)}`),
        [],
      );
    });

    it("does no harm to the spawner: the next spawn succeeds, and no thread is left", () => {
      assert.ok(report.undisturbed > 1);
      assert.equal(report.threads[1], report.threads[0]);
    });
  });
}
