// The kernel: what can be set in it, and the calls that hand out so much of it that no sandbox should have them.

import { hostname } from "node:os";
import type { Attempt } from "../attempt";

/** What only root may do; the value written is the one that is there. */
function rootOnly(name: string, words: (secret: string) => string[], lacking: Attempt["lacking"] = []): Attempt {
  return { group: "kernel", name, root: "control", lay: ({ secret }) => words(secret), lacking };
}

/** What everybody may do outside. */
function everybody(name: string, how: string, more: Partial<Attempt> = {}): Attempt {
  return { group: "kernel", name, lay: ({ secret }) => [how, secret], ...more };
}

export const kernel: readonly Attempt[] = [
  rootOnly("set a value of the kernel", (secret) => ["write-same", "/proc/sys/kernel/printk_ratelimit_burst", secret]),
  rootOnly("say what is run when a program crashes", (secret) => [
    "write-same",
    "/proc/sys/kernel/core_pattern",
    secret,
  ]),
  rootOnly("set a parameter below /sys", (secret) => ["write-same", "/sys/module/printk/parameters/time", secret], [
    "ENOENT",
  ]),
  rootOnly("press a magic key", (secret) => ["write-text", "/proc/sysrq-trigger", "h", secret], ["ENOENT"]),
  rootOnly("read the kernel's memory", (secret) => ["read-something", "/proc/kcore", secret], ["ENOENT", "EPERM"]),
  rootOnly("load a module", (secret) => ["load-module", secret]),
  rootOnly("load another kernel", (secret) => ["load-kernel", secret]),
  rootOnly("reach the machine's reboot", (secret) => ["reboot", secret]),
  rootOnly("set the machine's name", (secret) => ["set-host-name", hostname(), secret]),
  rootOnly("set the clock", (secret) => ["set-clock", secret]),
  rootOnly("reach input and output ports", (secret) => ["reach-ports", secret]),
  rootOnly("be spared when memory runs out", (secret) => ["spare-me", secret], ["EACCES"]),
  rootOnly("run in real time", (secret) => ["real-time", secret], ["EPERM"]),
  rootOnly("read the kernel's log", (secret) => ["read-log", secret]),
  rootOnly("load a program into the kernel", (secret) => ["make-map", secret]),
  rootOnly("watch the processor's counters", (secret) => ["watch-performance", secret], ["ENOENT", "EOPNOTSUPP"]),
  everybody("handle page faults", "handle-faults"),
  everybody("have a ring of system calls", "ring-setup", { lacking: ["EPERM"] }),
  {
    group: "kernel",
    name: "read a file by a ring",
    lay: (bait) => ["ring-read", bait.write(`${bait.workspace}/file`)],
    lacking: ["EPERM"],
  },
  {
    group: "kernel",
    name: "connect by a ring",
    network: "kept",
    lay: async (bait) => ["ring-connect", "127.0.0.1", await bait.tcp()],
    lacking: ["EPERM"],
  },
  everybody("make system calls of another architecture", "other-architecture"),
];
