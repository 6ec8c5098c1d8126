// What the layer of an overlay can't do on older kernels.

import { release } from "node:os";

/** Overlayfs notes the removal of a folder in an attribute of users, and a tmpfs keeps those since Linux 6.6. */
export function layersKeepAttributes(): boolean {
  const [major = 0, minor = 0] = release().split(/[.-]/).map(Number);
  return major > 6 || (major === 6 && minor >= 6);
}
