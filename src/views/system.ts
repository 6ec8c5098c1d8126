// What this system can do for us: found out once, when the view is first seen or the user asks, because it is found by
// trying. Owns the context key sandboxTasks.unavailable.

import os from "node:os";
import * as vscode from "vscode";
import { type Blocker, ContextKey, readSetting, Setting, setContextKey } from "../contributions";
import { doctor } from "../sandbox";

/** Who refuses, by the doctor's causes: each has a welcome view of its own. All others are the kernel's. */
const BLOCKERS: Readonly<Record<string, Blocker>> = {
  container_seccomp: "container",
  container_security_module: "container",
  masked_proc: "container",
  gvisor: "container",
  apparmor_restrict_unprivileged_userns: "securityModule",
  apparmor_profile: "securityModule",
  selinux_domain: "securityModule",
  unprivileged_userns_clone: "setting",
  max_namespaces: "setting",
  namespaces_used_up: "setting",
};

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

  /**
   * Let the view say whether anything can run here, as the last check found it: by its welcome, which has a button that a
   * message above the tree can't have.
   * @returns why that could not be found out
   */
  async show(): Promise<string | undefined> {
    if (!this.supported) return undefined;
    try {
      const { ok, findings } = await (this.#report ?? this.check({ unasked: true }));
      const [first] = findings.filter(({ serious }) => serious);
      const blocker = BLOCKERS[first?.id ?? ""] ?? "kernel";
      await setContextKey(vscode.commands, ContextKey.Unavailable, ok ? undefined : blocker);
      for (const { title, features } of findings) this.log.warn(`System: ${title}; missing: ${features.join(", ")}`);
      return undefined;
    } catch (error) {
      this.log.error("System: the check failed", error instanceof Error ? error : String(error));
      return error instanceof Error ? error.message : String(error);
    }
  }
}
