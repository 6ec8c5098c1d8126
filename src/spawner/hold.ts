// holdNamespaces(): a parked child that keeps namespaces alive so that others may join them, as containerd's ForkUserns.

import { OptionsError } from "./errors";
import { launch } from "./spawn";
import type { NamespaceHolder, SpawnOptions } from "./types";

/**
 * Makes the namespaces of `options.sys` and keeps them, with a child that does nothing. It ends with the thread that
 * made it.
 * @throws OptionsError, SpawnError
 */
export async function holdNamespaces(
  options: Pick<SpawnOptions, "sys" | "signal" | "timeout">,
): Promise<NamespaceHolder> {
  if (options.sys?.ptrace === true) {
    const message = "can't be asked of a holder: nothing is executed that could be traced (ptrace(2))";
    throw new OptionsError([{ path: "sys.ptrace", message }]);
  }
  const child = await launch("park", {
    ...options,
    stdio: "ignore",
    sys: { pdeathsig: "SIGKILL", ...options.sys, init: false },
  });
  const release = async (): Promise<void> => {
    child.kill("SIGKILL");
    await child.exited;
  };
  return {
    pid: child.pid,
    get pidfd() {
      return child.pidfd;
    },
    release,
    [Symbol.asyncDispose]: release,
  };
}
