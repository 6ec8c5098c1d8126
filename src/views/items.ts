// How each node of the tree looks: label, description, icon, tooltip, what a screen reader says.

import { homedir } from "node:os";
import * as vscode from "vscode";
import { NODE_CONTEXT } from "../contributions";
import {
  denialLabel,
  describeDenial,
  describeEnd,
  describeEndShortly,
  formatBytes,
  formatClock,
  formatSeconds,
  formatTime,
  heldByLandlock,
  limitAdvice,
  shorten,
} from "../format";
import type { NamespaceType } from "../inspect";
import { t } from "../l10n";
import {
  type DenialNode,
  type EndedNode,
  type NamespaceNode,
  nodeId,
  type ProcessNode,
  paused,
  type ResourceNode,
  type RunningNode,
  type SandboxNode,
} from "./nodes";
import { resourceSummary } from "./resourceRows";

const { None, Collapsed, Expanded } = vscode.TreeItemCollapsibleState;

/** Our PID 1, or the owner of the tree (native/init), calls itself so; its arguments are nobody's business. */
const INIT_NAME = "sandbox-init";

/** The tree item of a node. */
export function treeItem(node: SandboxNode): vscode.TreeItem {
  const item = draw(node);
  item.id = nodeId(node);
  return item;
}

function draw(node: SandboxNode): vscode.TreeItem {
  switch (node.kind) {
    case "running":
      return runningItem(node);
    case "processes":
      return group(t("Processes"), NODE_CONTEXT.processes, Expanded, "list-tree");
    case "process":
      return processItem(node);
    case "namespaces":
      return group(t("Namespaces"), NODE_CONTEXT.namespaces, Collapsed, "symbol-namespace");
    case "namespace":
      return namespaceItem(node);
    case "denials":
      return group(t("Refused"), NODE_CONTEXT.denials, Expanded, "circle-slash");
    case "denial":
      return denialItem(node);
    case "resources": {
      const item = group(t("Resources"), NODE_CONTEXT.resources, Collapsed, "dashboard");
      item.description = resourceSummary(node.figures);
      return item;
    }
    case "resource":
      return resourceItem(node);
    case "endedGroup":
      return group(t("Recently ended"), NODE_CONTEXT.endedGroup, Expanded, "history");
    case "ended":
      return endedItem(node);
    case "notice": {
      const item = new vscode.TreeItem(node.message, None);
      item.contextValue = NODE_CONTEXT.notice;
      item.iconPath = new vscode.ThemeIcon("info");
      item.tooltip = node.message;
      return item;
    }
  }
}

function group(
  label: string,
  contextValue: string,
  state: vscode.TreeItemCollapsibleState,
  icon: string,
): vscode.TreeItem {
  const item = new vscode.TreeItem(label, state);
  item.contextValue = contextValue;
  item.iconPath = new vscode.ThemeIcon(icon);
  return item;
}

function runningItem({ sandbox }: RunningNode): vscode.TreeItem {
  const item = new vscode.TreeItem(sandbox.name, Expanded);
  const since = formatTime(sandbox.startedAt);
  const { frozen } = sandbox;
  const isAlone = sandbox.isolation === "landlock";
  const profile = isAlone ? t("{0} · Landlock alone", sandbox.profile) : sandbox.profile;
  item.description = frozen
    ? t("{0} · paused", profile)
    : t("{0} · since {1}", profile, formatClock(sandbox.startedAt));
  item.iconPath = frozen
    ? new vscode.ThemeIcon("debug-pause")
    : new vscode.ThemeIcon("shield", new vscode.ThemeColor(isAlone ? "list.warningForeground" : "testing.iconPassed"));
  item.contextValue = frozen ? NODE_CONTEXT.frozenSandbox : NODE_CONTEXT.sandbox;
  item.tooltip = table(sandbox.name, [
    [t("Profile"), sandbox.profile],
    [t("Workspace"), sandbox.workspace],
    [t("Running since"), since],
    isAlone
      ? [t("Process that ends all of it"), String(sandbox.process.pid)]
      : [t("PID 1, seen from outside"), String(sandbox.process.pid)],
    ...(isAlone ? [[t("Held by"), heldByLandlock()] as const] : []),
  ]);
  item.accessibilityInformation = {
    label: frozen
      ? t("Sandbox {0}, profile {1}, paused", sandbox.name, profile)
      : t("Sandbox {0}, profile {1}, running since {2}", sandbox.name, profile, since),
  };
  return item;
}

function endedItem({ ended }: EndedNode): vscode.TreeItem {
  const refused = ended.denials.length;
  const item = new vscode.TreeItem(ended.name, refused > 0 ? Collapsed : None);
  const { status } = ended;
  const end = describeEnd(status);
  const advice = limitAdvice(status);
  // In a narrow sidebar the end of it is cut off: the duration is missed least.
  item.description = [
    describeEndShortly(status),
    ...(refused > 0 ? [t("{0} refused", refused)] : []),
    formatSeconds(status.wallTime),
  ].join(" · ");
  item.iconPath =
    status.code === 0
      ? new vscode.ThemeIcon("pass", new vscode.ThemeColor("testing.iconPassed"))
      : status.signal !== null
        ? new vscode.ThemeIcon("circle-slash", new vscode.ThemeColor("testing.iconErrored"))
        : new vscode.ThemeIcon("error", new vscode.ThemeColor("testing.iconFailed"));
  item.contextValue = NODE_CONTEXT.ended;
  item.tooltip = table(ended.name, [
    [t("Ended"), `${formatTime(ended.endedAt)}, ${end}`],
    [t("Profile"), ended.profile],
    ...(ended.isolation === "landlock" ? [[t("Held by"), heldByLandlock()] as const] : []),
    [t("Workspace"), ended.workspace],
    [t("Duration"), formatSeconds(status.wallTime)],
    [t("CPU time"), formatSeconds(status.userTime + status.systemTime)],
    [t("Peak memory"), formatBytes(status.maxRss)],
    ...(advice === undefined ? [] : [[t("What to do"), advice] as const]),
    ...ended.warnings.map((warning) => [t("Warning"), warning] as const),
  ]);
  item.accessibilityInformation = { label: t("Ended sandbox {0}, {1}", ended.name, end) };
  return item;
}

function processItem({ info, children }: ProcessNode): vscode.TreeItem {
  const item = new vscode.TreeItem(shortCommand(info), children.length > 0 ? Expanded : None);
  const stopped = paused(info.state);
  item.description = t("{0} · outside {1}", info.insidePid, info.pid) + (stopped ? ` · ${t("stopped")}` : "");
  item.iconPath = new vscode.ThemeIcon(stopped ? "debug-pause" : info.state === "Z" ? "trash" : "circle-small-filled");
  item.contextValue = NODE_CONTEXT.process;
  item.tooltip = table(info.command, [
    [t("PID inside the sandbox"), String(info.insidePid)],
    [t("PID outside"), String(info.pid)],
    [t("State"), stateWords(info.state)],
    [t("Memory"), formatBytes(info.rss)],
    [t("CPU time"), formatSeconds(info.cpuTime)],
    [t("Threads"), String(info.threads)],
    [t("User and group id, seen from outside"), `${info.uid}, ${info.gid}`],
  ]);
  item.accessibilityInformation = {
    label: t("Process {0}, pid {1} inside, {2} outside", info.command, info.insidePid, info.pid),
  };
  return item;
}

/** Short enough that the pids beside it can be read in a narrow sidebar; the tooltip has it all. */
function shortCommand({ command, insidePid, parentPid }: ProcessNode["info"]): string {
  // No task's process is one of the editor's own children, whatever it calls itself.
  const isOurs = insidePid === 1 || parentPid === process.pid;
  if (isOurs && command.startsWith(`${INIT_NAME} `)) return INIT_NAME;
  return shorten(command.replace(/^\/\S*\/(?=[^/\s])/, ""), 28);
}

function namespaceItem({ info }: NamespaceNode): vscode.TreeItem {
  const item = new vscode.TreeItem(info.type, None);
  const relation = info.shared ? t("shared with the editor") : t("new");
  item.description = `${info.inode} · ${relation}`;
  item.iconPath = info.shared
    ? new vscode.ThemeIcon("link", new vscode.ThemeColor("list.warningForeground"))
    : new vscode.ThemeIcon("lock");
  item.contextValue = NODE_CONTEXT.namespace;
  item.tooltip = table(t("{0} namespace", info.type), [
    [t("Separates"), separates(info.type)],
    [t("Inode"), String(info.inode)],
    [t("This sandbox"), info.shared ? t("shares it with the editor") : t("has one of its own")],
  ]);
  item.accessibilityInformation = { label: t("{0} namespace {1}, {2}", info.type, info.inode, relation) };
  return item;
}

function denialItem({ owner, denial }: DenialNode): vscode.TreeItem {
  const circumstances = describeDenial(denial);
  const isHint = denial.certainty === "hint";
  const { label, description } = denialLabel(denial, homedir());
  const item = new vscode.TreeItem(label, None);
  item.description = description;
  // What the kernel told is certain; a hint looks like the question that it is.
  item.iconPath = isHint
    ? new vscode.ThemeIcon("question", new vscode.ThemeColor("list.warningForeground"))
    : new vscode.ThemeIcon("circle-slash", new vscode.ThemeColor("list.errorForeground"));
  item.contextValue = denial.allow === undefined ? NODE_CONTEXT.denial : NODE_CONTEXT.allowableDenial;
  item.tooltip = table(denial.what, [
    [t("Refused by"), denial.by],
    [t("Rule"), t("{0} of the profile {1}", denial.rule, owner.profile)],
    ...(denial.command === undefined ? [] : [[t("Process"), denial.command] as const]),
    [t("How often"), String(denial.count)],
    [t("Known from"), isHint ? t("what the program printed: a guess") : t("the kernel")],
    [t("Can be allowed"), denial.allow === undefined ? t("no") : t("yes")],
  ]);
  item.accessibilityInformation = { label: t("Refused: {0}, {1}", denial.what, circumstances) };
  return item;
}

function resourceItem({ row }: ResourceNode): vscode.TreeItem {
  const item = new vscode.TreeItem(row.label, None);
  item.description = row.value;
  item.iconPath = new vscode.ThemeIcon("pulse");
  item.contextValue = NODE_CONTEXT.resource;
  item.tooltip = table(row.label, [[t("Now"), row.value], ...row.details]);
  item.accessibilityInformation = { label: `${row.label}: ${row.value}` };
  return item;
}

/** A title and a two-column list; every value is escaped, as commands and paths come from anywhere. */
function table(title: string, rows: readonly (readonly [name: string, value: string])[]): vscode.MarkdownString {
  const text = new vscode.MarkdownString();
  text.appendMarkdown("**").appendText(title).appendMarkdown("**\n\n");
  for (const [name, value] of rows) {
    text.appendText(`${name}: ${value}`).appendMarkdown("  \n");
  }
  return text;
}

/** The letters of proc_pid_stat(5). */
function stateWords(state: string): string {
  switch (state) {
    case "R":
      return t("running");
    case "S":
      return t("sleeping");
    case "D":
      return t("waiting for a device");
    case "T":
      return t("stopped by a signal");
    case "t":
      return t("stopped by a debugger");
    case "Z":
      return t("ended, not yet waited for");
    case "I":
      return t("idle");
    default:
      return state;
  }
}

/** namespaces(7), in few words. */
function separates(type: NamespaceType): string {
  switch (type) {
    case "user":
      return t("user and group ids, capabilities");
    case "mnt":
      return t("mount points: which files there are");
    case "pid":
      return t("process ids: which processes can be seen and signalled");
    case "net":
      return t("network devices, addresses, ports, routes");
    case "ipc":
      return t("System V IPC and POSIX message queues");
    case "uts":
      return t("host name and domain name");
    case "cgroup":
      return t("the root of the cgroup tree");
    case "time":
      return t("the monotonic and boot-time clocks");
  }
}
