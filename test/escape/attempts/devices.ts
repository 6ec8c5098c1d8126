// Devices: those of the machine, by their nodes and by nodes of its own making.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Attempt } from "../attempt";

/** The disk that the root file system is on, as major and minor number and as its node; none on overlays and networks. */
export function rootDisk(): { major: string; minor: string; node: string } {
  const table = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const [, , device = "0:0"] = table.find((line) => line.split(" ")[4] === "/")?.split(" ") ?? [];
  const [major = "0", minor = "0"] = device.split(":");
  try {
    const [, name] = /^DEVNAME=(.*)$/m.exec(readFileSync(`/sys/dev/block/${device}/uevent`, "utf8")) ?? [];
    return { major, minor, node: `/dev/${name}` };
  } catch {
    return { major, minor, node: "/dev/no-disk" };
  }
}

const MISSING = ["ENOENT", "ENXIO", "ENODEV"] as const;

export const devices: readonly Attempt[] = [
  {
    group: "devices",
    name: "read the disk",
    root: "control",
    lay: ({ secret }) => ["read-something", rootDisk().node, secret],
    // EPERM: a container's cgroup, or the machine it runs on, keeps it from root as well.
    lacking: [...MISSING, "EPERM"],
  },
  {
    group: "devices",
    name: "make a node of the disk's",
    root: "control",
    lay: ({ empty, secret }) => ["make-node", "b", rootDisk().major, rootDisk().minor, join(empty, "disk"), secret],
  },
  {
    group: "devices",
    name: "make a node in a folder of its own",
    root: "control",
    // 1, 8 is random(4).
    lay: (bait) => ["make-node", "c", "1", "8", bait.removeLater(`/tmp/${bait.secret}`), bait.secret],
  },
  {
    group: "devices",
    name: "read the kernel's log by its device",
    root: "control",
    lay: ({ secret }) => ["read-something", "/dev/kmsg", secret],
    lacking: MISSING,
  },
  {
    group: "devices",
    name: "read the machine's memory",
    root: "control",
    lay: ({ secret }) => ["read-something", "/dev/mem", secret],
    lacking: [...MISSING, "EPERM"],
  },
  {
    group: "devices",
    name: "open a device that makes others",
    root: "control",
    lay: ({ secret }) => [
      "open-any",
      "/dev/loop-control:/dev/net/tun:/dev/kvm:/dev/uinput:/dev/vhost-net:/dev/mapper/control:/dev/vsock:/dev/tty0",
      secret,
    ],
    lacking: MISSING,
  },
  {
    group: "devices",
    name: "serve a file system of its own",
    root: "control",
    lay: ({ secret }) => ["fuse", secret],
    lacking: MISSING,
  },
];
