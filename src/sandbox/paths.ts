// Arithmetic on absolute paths. Nothing here looks at a disk.

import { resolve } from "node:path";

/** Whether a path is a folder or lies below it. Both absolute and normalised. */
export function isInside(path: string, folder: string): boolean {
  return path === folder || folder === "/" || path.startsWith(`${folder}/`);
}

/** How many names a path has: 0 for "/". */
export function depth(path: string): number {
  return path === "/" ? 0 : path.split("/").length - 1;
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
