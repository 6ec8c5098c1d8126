// Sandbox: Pause and Sandbox: Resume: every process of a sandbox stops where it is, and goes on.

import type { Command, CommandHandler } from "../contributions";
import { pickTarget } from "./pick";
import type { Services } from "./services";

export function freeze(services: Services): CommandHandler<Command.Freeze> {
  return async (node) => {
    const target = await pickTarget(services, node);
    if (!target) return;
    services.log.info(`Pause: ${target.sandbox.id}`);
    await target.sandbox.freeze();
  };
}

export function thaw(services: Services): CommandHandler<Command.Thaw> {
  return async (node) => {
    const target = await pickTarget(services, node);
    if (!target) return;
    services.log.info(`Resume: ${target.sandbox.id}`);
    await target.sandbox.thaw();
  };
}
