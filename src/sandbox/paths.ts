// Arithmetic on absolute paths. Nothing here looks at a disk.

import { resolve } from "node:path";

/** Whether a path is a folder or lies below it. Both absolute and normalised. */
export function isInside(path: string, folder: string): boolean {
  // Asked thousands of times for one sandbox: without making a string.
  return folder === "/" || (path.startsWith(folder) && (path.length === folder.length || path[folder.length] === "/"));
}

/** How many names a path has: 0 for "/". */
export function depth(path: string): number {
  let names = 0;
  for (let at = path === "/" ? -1 : 0; at >= 0; at = path.indexOf("/", at + 1)) {
    names++;
  }
  return names;
}

/** The folders between a root and a path, outermost first, without either. */
export function between(root: string, path: string): string[] {
  const folders: string[] = [];
  for (let at = path.lastIndexOf("/"); at > root.length; at = path.lastIndexOf("/", at - 1)) {
    folders.unshift(path.slice(0, at));
  }
  return folders;
}

/** A path as a profile writes it, made absolute: "~" is the home folder, other relative ones start at the workspace. */
export function expand(text: string, home: string, workspace: string): string {
  if (text === "~" || text.startsWith("~/")) {
    return resolve(home, text.slice(2));
  }
  return resolve(workspace, text);
}
