// What the compiler, the encoder and the errors pass around.

import type { Step } from "./types";

/** A step with what the child needs to run it; `op` names it in native/plan/ops.def. */
export interface PlannedStep extends Step {
  readonly op: string;
  readonly args: readonly (number | bigint | string | Uint8Array | readonly string[])[];
  /** The path that it is about, for errors. */
  readonly path?: string;
}

/** A step about nothing but its arguments. */
export function step(op: string, name: string, detail: string, ...args: PlannedStep["args"]): PlannedStep {
  return { op, name, detail, args };
}

/** The same, about a path. */
export function about(path: string, planned: PlannedStep): PlannedStep {
  return { ...planned, path };
}
