// Services of the machine and its network. What profile `install` reaches by design is marked.

import { networkInterfaces } from "node:os";
import { dirname, join } from "node:path";
import type { Attempt } from "../attempt";
import type { Bait } from "../bait";

/** An address of the machine on its network; its loopback's where it has none, which tells less. */
function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  return addresses.find(({ family, internal }) => family === "IPv4" && !internal)?.address ?? "127.0.0.1";
}

const socketAt = async (bait: Bait, path: string): Promise<string[]> => ["unix", await bait.unix(path)];

export const sockets: readonly Attempt[] = [
  {
    group: "sockets",
    name: "connect to a service on the machine's loopback",
    network: "given",
    lay: async (bait) => ["tcp", "127.0.0.1", await bait.tcp()],
  },
  {
    group: "sockets",
    name: "send a datagram to a service of the machine",
    network: "given",
    lay: async (bait) => ["udp", "127.0.0.1", await bait.udp()],
  },
  {
    group: "sockets",
    name: "get an echo from the machine's network",
    network: "given",
    root: "control",
    lay: ({ secret }) => ["ping", ownAddress(), secret],
  },
  {
    group: "sockets",
    name: "list the machine's interfaces",
    network: "given",
    lay: ({ secret }) => ["netlink-links", secret],
    lacking: ["ENODEV"],
  },
  {
    group: "sockets",
    name: "listen to the machine's traffic",
    network: "kept",
    root: "control",
    lay: async (bait) => ["sniff", await bait.udp()],
  },
  {
    group: "sockets",
    name: "have a socket to the host of a virtual machine",
    network: "kept",
    lay: ({ secret }) => ["vsock", secret],
    lacking: ["EAFNOSUPPORT"],
  },
  {
    group: "sockets",
    name: "connect to a socket in the home folder",
    network: "kept",
    lay: (bait) => socketAt(bait, join(bait.home, "socket")),
  },
  {
    group: "sockets",
    name: "connect to a socket in the workspace",
    network: "kept",
    lay: (bait) => socketAt(bait, join(bait.workspace, "socket")),
  },
  {
    group: "sockets",
    name: "connect to one there that was bound by a name alone",
    network: "kept",
    lay: async (bait) => ["unix", await bait.relativeSocket()],
  },
  {
    group: "sockets",
    name: "connect to a socket in /tmp",
    network: "kept",
    lay: (bait) => socketAt(bait, join(dirname(bait.fileIn("/tmp")), "socket")),
  },
  {
    group: "sockets",
    name: "connect to a socket in /run",
    network: "kept",
    root: "bait",
    lay: (bait) => socketAt(bait, join(dirname(bait.fileIn("/run")), "docker.sock")),
  },
  {
    group: "sockets",
    name: "connect to an abstract socket",
    network: "given",
    lay: async (bait) => {
      await bait.unix(`\0${bait.secret}`);
      return ["unix", `@${bait.secret}`];
    },
  },
];
