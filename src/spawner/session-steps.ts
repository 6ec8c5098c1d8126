// The child's fds, session, process group and terminal.

import { type PlannedStep, step } from "./planned-step";
import type { SpawnOptions, StdioEntry } from "./types";

/** Whether it joins namespaces, which the helper does. */
export function hasJoin(options: SpawnOptions): boolean {
  return (options.sys?.setns ?? []).length > 0;
}

/** stdio, an entry for each of the child's fds. */
export function stdioEntries(options: SpawnOptions): StdioEntry[] {
  // A terminal is opened by the child, from its own devpts. What the fds are until then must not be closed in the helper,
  // where something else would take their place.
  if (options.terminal !== undefined) return hasJoin(options) ? ["ignore", "ignore", "ignore"] : [null, null, null];
  const { stdio = "pipe" } = options;
  return Array.isArray(stdio) ? stdio : [stdio, stdio, stdio];
}

/** The fd of ours behind sys.ctty: what the child's fd of that number is a copy of, or else the number itself (as Go). */
export function foregroundTerminal(options: SpawnOptions): number {
  const ctty = options.sys?.ctty ?? 0;
  const entry = stdioEntries(options)[ctty];
  if (typeof entry === "number") return entry;
  return ctty;
}

/**
 * Session, process group and foreground: of the command, not of a PID 1 before it.
 * @param terminal place of the foreground's terminal among the extra fds
 */
export function groupSteps(options: SpawnOptions, terminal: number): PlannedStep[] {
  const sys = options.sys ?? {};
  const steps: PlannedStep[] = [];
  if (sys.setsid === true || options.terminal !== undefined) steps.push(step("setsid", "setsid", "a new session"));
  if (sys.setpgid === true || sys.foreground === true) {
    steps.push(step("setpgid", "setpgid", sys.pgid ? `group ${sys.pgid}` : "a new group", sys.pgid ?? 0));
  }
  if (sys.foreground === true) {
    steps.push(
      step("foreground", "foreground", `group of the terminal, our fd ${foregroundTerminal(options)}`, terminal),
    );
  }
  return steps;
}

/** What is named by the child's fds, and so comes after they are in place. */
export function terminalSteps(options: SpawnOptions): PlannedStep[] {
  const { sys = {}, terminal } = options;
  const steps: PlannedStep[] = [];
  if (sys.noctty === true) steps.push(step("notty", "controlling terminal", "none"));
  if (sys.setctty === true || terminal !== undefined) {
    const fd = terminal === undefined ? (sys.ctty ?? 0) : 0;
    steps.push(step("ctty", "controlling terminal", `fd ${fd}`, fd));
  }
  return steps;
}
