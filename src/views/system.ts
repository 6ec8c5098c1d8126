// What this system can do for us: asked of the kernel once, when the view is first seen or the user asks, because it is
// found by trying. Owns the context key sandboxTasks.unavailable.

import os from "node:os";
import * as vscode from "vscode";
import { ContextKey, setContextKey } from "../contributions";
import { probe } from "../spawner";
import type { Feature } from "../spawner/types";
import { missingFeatures, refusalText } from "./systemText";

export class SystemState {
  #features: Promise<readonly Feature[]> | undefined;

  constructor(private readonly log: vscode.LogOutputChannel) {
    if (!this.supported) void setContextKey(vscode.commands, ContextKey.Unavailable, "platform");
  }

  /** Linux: elsewhere there are no namespaces, and the addon is not there either. */
  get supported(): boolean {
    return process.platform === "linux";
  }

  /** Kernel and machine in one line. */
  get description(): string {
    return `${os.type()} ${os.release()} ${os.arch()}, Node ${process.versions.node}`;
  }

  /** Every feature with whether the kernel lets us use it; empty where nothing is supported. */
  async features(again = false): Promise<readonly Feature[]> {
    if (!this.supported) return [];
    const features = (again ? undefined : this.#features) ?? probe();
    this.#features = features;
    return features;
  }

  /** @returns why nothing can run here and what to do, or undefined when all is well */
  async refusal(again = false): Promise<string | undefined> {
    try {
      const missing = missingFeatures(await this.features(again));
      if (this.supported) {
        await setContextKey(vscode.commands, ContextKey.Unavailable, missing.length > 0 ? "kernel" : undefined);
      }
      for (const { feature, errno } of missing) this.log.warn(`System: ${feature} is not available (${errno})`);
      return missing.length > 0 ? refusalText(missing) : undefined;
    } catch (error) {
      this.log.error("System: the check failed", error instanceof Error ? error : String(error));
      return error instanceof Error ? error.message : String(error);
    }
  }
}
