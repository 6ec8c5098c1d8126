// What this system can do for us: found out once, when the view is first seen or the user asks, because it is found by
// trying. Owns the context key sandboxTasks.unavailable.

import os from "node:os";
import * as vscode from "vscode";
import { ContextKey, readSetting, Setting, setContextKey } from "../contributions";
import { t } from "../l10n";
import { doctor } from "../sandbox";

export class SystemState {
  #report: Promise<doctor.Report> | undefined;

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

  /** Try everything again. Only where it is supported. */
  check(options: Omit<doctor.CheckOptions, "profiles">): Promise<doctor.Report> {
    this.#report = doctor.checkSystem({ ...options, profiles: readSetting(vscode.workspace, Setting.Profiles) });
    return this.#report;
  }

  /** @returns why nothing can run here, or undefined when all is well; as the last check found it */
  async refusal(): Promise<string | undefined> {
    if (!this.supported) return undefined;
    try {
      const report = await (this.#report ?? this.check({ unasked: true }));
      await setContextKey(vscode.commands, ContextKey.Unavailable, report.ok ? undefined : "kernel");
      for (const { title, features } of report.findings) {
        this.log.warn(`System: ${title}; missing: ${features.join(", ")}`);
      }
      if (report.ok) return undefined;
      const [first] = report.findings;
      const refused = t("This system refuses what a sandbox needs, so nothing can run in one.");
      return first === undefined ? refused : `${refused} ${first.title}.`;
    } catch (error) {
      this.log.error("System: the check failed", error instanceof Error ? error : String(error));
      return error instanceof Error ? error.message : String(error);
    }
  }
}
