// What the tree is made of. Plain data: commands get these when they are called from the tree's menus.

import type { CgroupFigures, NamespaceInfo, ProcessInfo } from "../inspect";
import type { Denial, DenialOwner, EndedSandbox } from "../sandbox";
import type { Sandbox } from "../sandbox/types";
import type { ResourceRow } from "./resourceRows";

export interface RunningNode {
  readonly kind: "running";
  readonly sandbox: Sandbox;
}

export interface ProcessesNode {
  readonly kind: "processes";
  readonly sandbox: Sandbox;
}

export interface ProcessNode {
  readonly kind: "process";
  readonly sandbox: Sandbox;
  readonly info: ProcessInfo;
  readonly children: readonly ProcessNode[];
}

export interface NamespacesNode {
  readonly kind: "namespaces";
  readonly sandbox: Sandbox;
}

export interface NamespaceNode {
  readonly kind: "namespace";
  readonly sandbox: Sandbox;
  readonly info: NamespaceInfo;
}

export interface DenialsNode {
  readonly kind: "denials";
  readonly sandbox: Sandbox;
}

export interface DenialNode {
  readonly kind: "denial";
  readonly owner: DenialOwner;
  readonly denial: Denial;
}

/** What its cgroup counts. The same object is drawn again with new figures. */
export interface ResourcesNode {
  readonly kind: "resources";
  readonly sandbox: Sandbox;
  figures: CgroupFigures;
}

export interface ResourceNode {
  readonly kind: "resource";
  readonly sandbox: Sandbox;
  readonly row: ResourceRow;
}

export interface EndedGroupNode {
  readonly kind: "endedGroup";
}

export interface EndedNode {
  readonly kind: "ended";
  readonly ended: EndedSandbox;
}

/** A line that says why something can't be shown. */
export interface NoticeNode {
  readonly kind: "notice";
  readonly id: string;
  readonly message: string;
}

export type SandboxNode =
  | RunningNode
  | ProcessesNode
  | ProcessNode
  | NamespacesNode
  | NamespaceNode
  | DenialsNode
  | DenialNode
  | ResourcesNode
  | ResourceNode
  | EndedGroupNode
  | EndedNode
  | NoticeNode;

/** Stable for as long as the thing exists, so that expansion and selection survive a refresh. */
export function nodeId(node: SandboxNode): string {
  switch (node.kind) {
    case "running":
      return `running/${node.sandbox.id}`;
    case "processes":
    case "namespaces":
    case "denials":
    case "resources":
      return `running/${node.sandbox.id}/${node.kind}`;
    case "resource":
      return `running/${node.sandbox.id}/resource/${node.row.resource}`;
    case "process":
      // The start time tells a process from a later one with the same pid.
      return `running/${node.sandbox.id}/process/${node.info.pid}@${node.info.startTime}`;
    case "namespace":
      return `running/${node.sandbox.id}/namespace/${node.info.type}`;
    case "denial":
      // Merged by these two: of one sandbox no two are alike.
      return `denial/${node.owner.id}/${node.denial.by}/${node.denial.what}`;
    case "endedGroup":
      return "ended";
    case "ended":
      return `ended/${node.ended.id}`;
    case "notice":
      return node.id;
  }
}

/** Processes as a forest: each below its parent; those whose parent lies outside the sandbox are the roots. */
export function processForest(sandbox: Sandbox, infos: readonly ProcessInfo[]): ProcessNode[] {
  const pids = new Set(infos.map(({ pid }) => pid));
  const byParent = new Map<number, ProcessInfo[]>();
  const roots: ProcessInfo[] = [];
  for (const info of [...infos].sort((a, b) => a.insidePid - b.insidePid)) {
    if (!pids.has(info.parentPid)) roots.push(info);
    else byParent.set(info.parentPid, [...(byParent.get(info.parentPid) ?? []), info]);
  }
  const node = (info: ProcessInfo): ProcessNode => ({
    kind: "process",
    sandbox,
    info,
    children: (byParent.get(info.pid) ?? []).map(node),
  });
  return roots.map(node);
}

/** Changes exactly when the tree of these processes has to be drawn anew. */
export function processesSignature(infos: readonly ProcessInfo[]): string {
  return infos
    .map(
      ({ pid, startTime, parentPid, command, state }) => `${pid} ${startTime} ${parentPid} ${paused(state)} ${command}`,
    )
    .join("\n");
}

/** Stopped by SIGSTOP or the terminal, or by a tracer. */
export function paused(state: string): boolean {
  return state === "T" || state === "t";
}
