// What spawn() rejects with: which step failed, on what, why, and what to do about it.

import * as os from "node:os";
import * as util from "node:util";
import type { Addon, NativeFailure } from "./addon";
import { type FeatureName, featureOf } from "./features";
import { allSteps, type Plan } from "./plan";
import type { PlannedStep } from "./planned-step";
import { exhaustedNamespace, type FailedStep, remedyFor } from "./remedies";
import type { Problem } from "./types";

export interface SpawnFailure {
  code: string;
  errno: number;
  syscall: string;
  /** Name of the step that failed, as explain() shows it. */
  step: string;
  index: number;
  steps: number;
  path?: string | undefined;
  remedy?: string | undefined;
  feature?: FeatureName | undefined;
}

/** A child that could not be started. Nothing of it is left. */
export class SpawnError extends Error {
  override readonly name: string = "SpawnError";
  /** 'EPERM' */
  readonly code: string;
  /** The kernel's number, positive. */
  readonly errno: number;
  /** The system call that failed, or '' where none did. */
  readonly syscall: string;
  /** Name of the step, as explain() shows it. */
  readonly step: string;
  /** Which step, counted from 1, and of how many. */
  readonly index: number;
  readonly steps: number;
  readonly path?: string;
  /** What to do about it, where that is known. */
  readonly remedy?: string;
  /** What this system lacks, where that was the reason: a line of the system check, which knows more to do about it. */
  readonly feature?: FeatureName;

  constructor(message: string, failure: SpawnFailure) {
    super(message);
    this.code = failure.code;
    this.errno = failure.errno;
    this.syscall = failure.syscall;
    this.step = failure.step;
    this.index = failure.index;
    this.steps = failure.steps;
    if (failure.path !== undefined) this.path = failure.path;
    if (failure.remedy !== undefined) this.remedy = failure.remedy;
    if (failure.feature !== undefined) this.feature = failure.feature;
  }
}

/** Options that are refused before anything runs. */
export class OptionsError extends SpawnError {
  override readonly name = "OptionsError";
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`)).join("\n"), {
      code: "EINVAL",
      errno: 22,
      syscall: "",
      step: "validate",
      index: 0,
      steps: 0,
      path: problems[0]?.path,
    });
    this.problems = problems;
  }
}

/** 'EPERM' and 'operation not permitted' for 1; libuv's table, which is the kernel's with negative numbers. */
export function errnoName(errno: number): { code: string; text: string } {
  const [code, text] = OWN[errno] ?? util.getSystemErrorMap().get(-errno) ?? [`errno ${errno}`, `error ${errno}`];
  return { code, text };
}

/** Errnos that namespaces and mounts do return, and that libuv has no name for, or not the man pages' (errno(3)). */
const OWN: Readonly<Record<number, readonly [string, string]>> = {
  8: ["ENOEXEC", "exec format error"],
  10: ["ECHILD", "no child processes"],
  61: ["ENODATA", "no data available"],
  74: ["EBADMSG", "bad message"],
  87: ["EUSERS", "too many users"],
  95: ["EOPNOTSUPP", "operation not supported"],
  122: ["EDQUOT", "disk quota exceeded"],
};

function pathOf(step: PlannedStep | undefined): string | undefined {
  return step !== undefined && "path" in step ? step.path : undefined;
}

/** The error for a child that was ended in its set-up because the time was up. */
export function hangError(plan: Plan, failure: NativeFailure, timeout: number): SpawnError {
  const steps = allSteps(plan);
  const step = steps[failure.step] ?? { name: "unknown step", detail: "" };
  const where = `step ${failure.step + 1} of ${steps.length}`;
  return new SpawnError(`${step.name} ${step.detail}: ETIMEDOUT, still in the set-up after ${timeout} ms (${where})`, {
    code: "ETIMEDOUT",
    errno: os.constants.errno.ETIMEDOUT,
    syscall: "",
    step: step.name,
    index: failure.step + 1,
    steps: steps.length,
    remedy:
      "Something that the step waits for does not answer: a network file system, say. Or the timeout is too short.",
  });
}

/** The error for what the child wrote to its pipe. */
export function spawnError(addon: Addon, plan: Plan, failure: NativeFailure): SpawnError {
  const steps = allSteps(plan);
  // A negative number: the helper itself (native/plan/run.h), which the child's last step executes.
  const number = failure.step < 0 ? plan.parent.length + plan.child.length - 1 : failure.step;
  const step = steps[number] ?? { name: "unknown step", detail: "" };
  const planned = [...plan.child, ...(plan.helper?.steps ?? [])][number - plan.parent.length];
  const { code, text } = errnoName(failure.errno);
  const syscall = addon.syscallNames[failure.syscall] ?? "";
  const failed: FailedStep = {
    step: step.name,
    op: planned?.op ?? step.name,
    detail: step.detail,
    code,
    syscall,
    index: failure.index,
    path: pathOf(planned),
  };
  const where = `step ${number + 1} of ${steps.length}`;
  return new SpawnError(
    `${step.name} ${step.detail}: ${code}, ${text}${syscall === "" ? "" : ` in ${syscall}(2)`} (${where})`,
    {
      code,
      errno: failure.errno,
      syscall,
      step: step.name,
      index: number + 1,
      steps: steps.length,
      path: pathOf(planned),
      remedy: remedyFor(failed),
      feature: featureOf(failed, exhaustedNamespace),
    },
  );
}

/** The addon throws {errno, syscall}; callers get the error that all of the spawner's have. */
export function systemError(error: unknown): unknown {
  if (!(error instanceof Error) || !("errno" in error) || typeof error.errno !== "number") return error;
  const { code, text } = errnoName(error.errno);
  const syscall = "syscall" in error && typeof error.syscall === "string" ? error.syscall : "";
  const failure = { code, errno: error.errno, syscall, step: syscall, index: 0, steps: 0 };
  return new SpawnError(`${syscall}: ${code}, ${text}`, failure);
}
