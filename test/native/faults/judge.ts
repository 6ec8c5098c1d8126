// What an injected failure must lead to.

import { constants } from "node:os";
import { getSystemErrorMap } from "node:util";
import { type Exception, GOES_ON } from "./errnos";
import type { Outcome, Report } from "./worker";
import { STEP_CALLS } from "./world";

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

/** Everything wrong with the outcomes of a report. */
export function faultsIn(report: Report): string[] {
  return report.outcomes.flatMap((outcome) => {
    const fault = faultIn(outcome, report.steps);
    return fault === undefined ? [] : [`${show(outcome)}: ${fault}`];
  });
}

const NEEDS_REMEDY = new Set(["EPERM", "EACCES", "ENOSYS", "EMFILE", "ENFILE", "ENOMEM", "ENOSPC", "EAGAIN", "EDQUOT"]);

/** Failures whose errno tells what to do, and whose error does not. */
export function withoutRemedy(report: Report): string[] {
  return report.outcomes
    .filter(({ error, errno }) => error !== undefined && NEEDS_REMEDY.has(errno) && error.remedy === undefined)
    .map((outcome) => `${outcome.error?.step}: ${show(outcome)}`);
}
