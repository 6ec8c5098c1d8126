// Sandbox: Kill. SIGTERM to every process inside, SIGKILL for what is left after the grace time; for a single process
// the same with that process alone.

import { setTimeout as delay } from "node:timers/promises";
import type { Command, CommandHandler } from "../contributions";
import { signalProcess } from "../sandbox";
import { gracePeriod } from "../tasks";
import { pickTarget } from "./pick";
import type { Services } from "./services";

export function kill(services: Services): CommandHandler<Command.Kill> {
  return async (node) => {
    const target = await pickTarget(services, node);
    if (!target) return;
    const grace = gracePeriod();
    if (target.kind === "running") {
      services.log.info(`Kill: ${target.sandbox.id}, grace ${grace} ms`);
      await target.sandbox.terminate(grace);
      return;
    }
    services.log.info(`Kill: process ${target.info.pid} of ${target.sandbox.id}, grace ${grace} ms`);
    if (!signalProcess(target.info, "SIGTERM")) return;
    // A stopped process acts on SIGTERM only when it goes on.
    signalProcess(target.info, "SIGCONT");
    await Promise.race([delay(grace), target.sandbox.exited]);
    signalProcess(target.info, "SIGKILL");
  };
}
