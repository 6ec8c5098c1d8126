// Tasks and terminals that run in sandboxes.

export { askInDialog } from "./approvalDialog";
export { Approvals } from "./approvals";
export { DenialLinks } from "./denialLinks";
export { Gate } from "./gate";
export { gracePeriod, Launcher } from "./launcher";
export { FailureNotifier, openSettings } from "./notifier";
export { TaskProblems } from "./problems";
export { SandboxTaskProvider } from "./provider";
export { sandboxable, sandboxedTask } from "./sandboxable";
export { SystemLinks } from "./systemLinks";
export { SandboxTerminalProfileProvider, sandboxTerminal, terminalInside } from "./terminal";
export { TerminalLinks } from "./terminalLinks";
