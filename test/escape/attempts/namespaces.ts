// More namespaces, and what is mounted: to become root of one's own, to take the sandbox's mounts apart.

import { readFileSync } from "node:fs";
import type { Attempt } from "../attempt";
import type { Bait } from "../bait";
import { rootDisk } from "./devices";

function everybody(name: string, how: string): Attempt {
  return { group: "namespaces", name, lay: ({ secret }) => [how, secret] };
}

/** In a sandbox as it stands, then nested: the control has rights over mounts, and may take off what it put on. */
function onMounts(name: string, words: (bait: Bait) => string[], more: Partial<Attempt> = {}): Attempt {
  return { group: "mounts", name, control: "loose", lay: words, ...more };
}

const writtenTool = { seen: (bait: Bait) => bait.isWritten(bait.tool) };

/** Type of the root file system. */
function rootType(): string {
  const table = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const line = table.find((one) => one.split(" ")[4] === "/") ?? "";
  return line.split(" - ")[1]?.split(" ")[0] ?? "none";
}

export const namespaces: readonly Attempt[] = [
  everybody("become root of a user namespace", "unshare-user"),
  everybody("start a process in one", "clone-user"),
  everybody("start one where no filter sees the flags", "clone3-user"),
  {
    group: "namespaces",
    name: "join the mounts of another process",
    root: "control",
    lay: async (bait) => {
      await bait.victim();
      return ["join-processes", bait.key];
    },
  },
  {
    group: "namespaces",
    name: "join a namespace that was left open",
    root: "control",
    lay: ({ key }) => ["join-inherited", key],
    descriptors: (bait) => [bait.open("/proc/self/ns/mnt")],
  },
  onMounts("take off what hides the home folder", ({ key }) => ["unmask", key]),
  onMounts("bind what lies beneath", ({ key, empty }) => ["bind-beneath", key, empty]),
  onMounts("overlay what lies beneath", ({ key, empty }) => ["overlay-beneath", key, empty, "/dev/shm"]),
  onMounts("clone what lies beneath", ({ key }) => ["clone-beneath", key]),
  onMounts("move away what hides the home folder", ({ key }) => ["move-mask", key, "/srv"]),
  onMounts("mount the disk once more", ({ key, empty }) => ["mount-disk", key, rootDisk().node, empty, rootType()], {
    control: "own mounts",
    root: "control",
    lacking: ["ENOENT", "ENODEV"],
  }),
  onMounts("make a read-only mount writable", ({ tool, secret }) => ["remount-writable", tool, secret], writtenTool),
  onMounts("make all mounts writable at once", ({ tool, secret }) => ["set-writable", tool, secret], writtenTool),
  onMounts("take off what guards a hook", ({ hook, secret }) => ["unguard", hook, secret], {
    seen: (bait) => bait.isWritten(bait.hook),
  }),
  onMounts("make a file system by the new calls", ({ secret }) => ["new-mount-api", secret]),
];
