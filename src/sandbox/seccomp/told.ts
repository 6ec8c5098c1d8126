// What the kernel tells of refused system calls, as denials: in the words of the manual pages, each with what a profile
// would say to allow it.

import type { SeccompRule } from "../../spawner/seccomp/oci";
import type { DeniedCall } from "../../spawner/types";
import type { Denial } from "../denials";
import type { SeccompChoice } from "./schema";

/** address_families(7), by number. */
const FAMILIES: Readonly<Record<number, string>> = {
  0: "AF_UNSPEC",
  1: "AF_UNIX",
  2: "AF_INET",
  3: "AF_AX25",
  4: "AF_IPX",
  5: "AF_APPLETALK",
  8: "AF_ATMPVC",
  9: "AF_X25",
  10: "AF_INET6",
  15: "AF_KEY",
  16: "AF_NETLINK",
  17: "AF_PACKET",
  20: "AF_ATMSVC",
  21: "AF_RDS",
  24: "AF_PPPOX",
  26: "AF_LLC",
  27: "AF_IB",
  28: "AF_MPLS",
  29: "AF_CAN",
  30: "AF_TIPC",
  31: "AF_BLUETOOTH",
  33: "AF_RXRPC",
  35: "AF_PHONET",
  36: "AF_IEEE802154",
  37: "AF_CAIF",
  38: "AF_ALG",
  39: "AF_NFC",
  40: "AF_VSOCK",
  41: "AF_KCM",
  42: "AF_QIPCRTR",
  43: "AF_SMC",
  44: "AF_XDP",
  45: "AF_MCTP",
};

const REQUESTS: Readonly<Record<number, string>> = { 21522: "TIOCSTI", 21532: "TIOCLINUX" };

/** clone(2), in the order of its page. */
const NAMESPACES: readonly (readonly [flag: number, name: string])[] = [
  [0x0200_0000, "CLONE_NEWCGROUP"],
  [0x0800_0000, "CLONE_NEWIPC"],
  [0x4000_0000, "CLONE_NEWNET"],
  [0x0002_0000, "CLONE_NEWNS"],
  [0x2000_0000, "CLONE_NEWPID"],
  [0x0000_0080, "CLONE_NEWTIME"],
  [0x1000_0000, "CLONE_NEWUSER"],
  [0x0400_0000, "CLONE_NEWUTS"],
];

const hex = (value: number): string => `0x${value.toString(16)}`;

/** The argument in words, where it says what was wanted. */
function argumentWords({ syscall, argument }: DeniedCall): string {
  switch (syscall) {
    case "socket":
    case "socketpair":
      return FAMILIES[argument] ?? `family ${argument}`;
    case "ioctl":
      return REQUESTS[argument] ?? `request ${hex(argument)}`;
    case "clone":
    case "unshare": {
      // Of a clone the low byte is a signal.
      const flags = BigInt(argument) & ~(syscall === "clone" ? 0xffn : 0n);
      return NAMESPACES.filter(([flag]) => (flags & BigInt(flag)) !== 0n)
        .map(([, name]) => name)
        .join(" | ");
    }
    case "personality":
      return hex(argument);
    default:
      return "";
  }
}

/** The rule that would allow just that; none for what nobody inside should be able to do. */
function allowingRule({ syscall, argument }: DeniedCall): SeccompRule | undefined {
  const names = [syscall];
  const action = "SCMP_ACT_ALLOW";
  switch (syscall) {
    case "ioctl":
      return undefined;
    case "socket":
    case "socketpair":
    case "personality":
      return {
        names,
        action,
        args: [{ index: 0, op: "SCMP_CMP_MASKED_EQ", value: 0xffff_ffff, valueTwo: argument }],
      };
    default:
      return syscall.startsWith("system call ") ? undefined : { names, action };
  }
}

/**
 * @param choice the profile's: what is written for a user extends the default filter, and so must this be
 * @param alone Landlock alone holds the sandbox, and so no rule may allow more than the default
 */
export function toldDenials(calls: readonly DeniedCall[], choice: SeccompChoice, alone = false): Denial[] {
  const extendsDefault = choice === "default" || (typeof choice === "object" && choice.extends !== undefined);
  return calls.map((call): Denial => {
    const rule = extendsDefault && !alone ? allowingRule(call) : undefined;
    const words = argumentWords(call);
    return {
      by: "seccomp",
      certainty: "told",
      what: words === "" ? call.syscall : `${call.syscall} ${words}`,
      syscall: call.syscall,
      rule: alone ? "fallback" : "seccomp",
      ...(call.command === "" ? {} : { command: call.command }),
      count: call.count,
      ...(rule === undefined
        ? {}
        : { allow: { seccomp: { extends: "default", syscalls: [structuredClone(rule)] } } as Denial["allow"] }),
    } as Denial;
  });
}

/** A process that was ended by the filter: only a call by another architecture's entry does that. */
export const FOREIGN_CALL: Denial = {
  by: "seccomp",
  certainty: "hint",
  what: "a system call of another architecture",
  rule: "seccomp",
  count: 1,
};
