// What a filter refuses, as the kernel tells it: a thread of the addon answers each call, and here the sums are fetched.

import type { Addon } from "../addon";
import type { DeniedCall } from "../types";
import { newerName } from "./newer";

/** Milliseconds between two looks at the sums. */
const PAUSE = 50;

/** `denied` hears of everything before `exited` has been handled by whoever waited for it first. */
export function listen(
  native: Addon,
  denials: object,
  denied: (calls: readonly DeniedCall[]) => void,
  exited: Promise<unknown>,
): void {
  let timer: NodeJS.Timeout | undefined;
  const fetch = (): void => {
    timer = undefined;
    const calls = native.listenerTake(listener);
    if (calls.length === 0) return;
    denied(
      calls.map(({ syscall, argument, command, count }) => {
        return { syscall: native.syscallName(syscall) ?? newerName(syscall), argument, command, count };
      }),
    );
  };
  const listener = native.openListener(denials, () => {
    timer ??= setTimeout(fetch, PAUSE);
    timer.unref();
  });
  // Whoever outlives the command gets ENOSYS from then on.
  void exited.then(() => {
    clearTimeout(timer);
    native.listenerClose(listener);
    fetch();
  });
}
