// Signals by name and number, and how a process ended.

import * as os from "node:os";
import type { NativeExit } from "./addon";
import type { ExitStatus } from "./types";

const SIGNAL_NAMES = new Map(Object.entries(os.constants.signals).map(([name, number]) => [number, name]));
const CORE_DUMPED = 0x80;

/** An ExitStatus from the status word of wait(2). */
export function exitStatus(exit: NativeExit, reason?: ExitStatus["reason"]): ExitStatus {
  const signal = exit.status & 0x7f;
  return {
    code: signal === 0 ? (exit.status >> 8) & 0xff : null,
    signal: signal === 0 ? null : signalName(signal),
    coreDumped: (exit.status & CORE_DUMPED) !== 0,
    wallTime: exit.wallTime,
    userTime: exit.userTime,
    systemTime: exit.systemTime,
    maxRss: exit.maxRss,
    ...(reason === undefined ? {} : { reason }),
  };
}

/** 'SIGKILL' for 9; 'SIG40' for what has no name. */
export function signalName(signal: number): string {
  return SIGNAL_NAMES.get(signal) ?? `SIG${signal}`;
}

/** The number of a signal given by name or number. */
export function signalNumber(signal: NodeJS.Signals | number): number {
  const number = typeof signal === "number" ? signal : os.constants.signals[signal];
  if (number === undefined) throw new TypeError(`Unknown signal: ${signal}`);
  return number;
}
