// Which capabilities a profile may grant, and what each is worth: they hold inside the sandbox's own user namespace, and
// so over its own network, processes and names, never over the host's (user_namespaces(7), capabilities(7)).

import { CAPABILITIES, type Capability } from "../spawner/capabilities";

/** Those that may be granted, with what they allow inside. Also the text of docs/profiles.md. */
export const GRANTABLE = {
  CAP_CHOWN:
    "Give files of the user's own to another group or user that the namespace knows: there is only the user's own.",
  CAP_DAC_OVERRIDE: "Read, write and search the user's own files whatever their permission bits say.",
  CAP_DAC_READ_SEARCH: "Read and search the user's own files whatever their permission bits say.",
  CAP_FOWNER: "Act as the owner of the user's own files.",
  CAP_FSETID: "Keep the set-user-ID bits of files that are changed. Every mount is nosuid inside.",
  CAP_IPC_OWNER: "Use the System V IPC objects of the sandbox whatever their permission bits say.",
  CAP_KILL: "Send signals to every process of the sandbox.",
  CAP_NET_ADMIN:
    "Set up the sandbox's own network: interfaces, addresses, routes, firewall. Reaches code of the kernel that is otherwise out of reach.",
  CAP_NET_BIND_SERVICE: "Listen on ports below 1024 of the sandbox's own network.",
  CAP_NET_BROADCAST: "Send broadcasts on the sandbox's own network.",
  CAP_NET_RAW: "Open raw and packet sockets on the sandbox's own network: ping, tcpdump.",
  CAP_SETGID: "Change the group id, to one that the namespace knows: there is only the user's own.",
  CAP_SETUID: "Change the user id, to one that the namespace knows: there is only the user's own.",
  CAP_SYS_CHROOT: "Use chroot(2).",
} as const satisfies Partial<Record<Capability, string>>;

export type GrantableCapability = keyof typeof GRANTABLE;

export const GRANTABLE_NAMES = Object.keys(GRANTABLE) as GrantableCapability[];

/** Those that would undo what a sandbox promises, each with the way. */
const UNDOING: Partial<Record<Capability, string>> = {
  CAP_SYS_ADMIN: "with it a task could unmount what hides and protects files",
  CAP_SYS_PTRACE: "with it a task could take over a command that joins the sandbox from outside (CVE-2016-9962)",
  CAP_SETFCAP:
    "file capabilities are written to the host's files: set by the super-user's sandbox, they would hold outside",
  CAP_SETPCAP: "it raises other capabilities and serves no program that has those it needs",
  CAP_MKNOD: "the kernel makes no device for a user namespace",
};

/** Of the network, which is the host's where the profile says so, and there they are worth nothing. */
export const OF_NETWORK: readonly GrantableCapability[] = [
  "CAP_NET_ADMIN",
  "CAP_NET_BIND_SERVICE",
  "CAP_NET_BROADCAST",
  "CAP_NET_RAW",
];

/** Why a capability can't be granted; undefined for a name that is none. */
export function refusedCapability(name: string): string | undefined {
  const capability = CAPABILITIES.find((one) => one === name);
  if (capability === undefined) {
    return undefined;
  }
  const why =
    UNDOING[capability] ??
    "the kernel asks for it in the initial user namespace, so that in a sandbox it would allow nothing";
  return `${capability} can't be granted: ${why}. Leave it out`;
}
