// The filter that every sandbox has unless its profile says otherwise: an allow-list of what programs use, as Docker's
// default is one, without what that grants to privileged containers, and with what Flatpak and others refuse besides.
// What is named nowhere here is refused with EPERM; what is newer than everything here answers ENOSYS.

import { deepFreeze } from "../../spawner/seccomp/frozen";
import type { Seccomp, SeccompRule } from "../../spawner/seccomp/oci";
import { SOUND } from "../../spawner/seccomp/sound";
import { ALLOWED } from "./allowed";

const EAFNOSUPPORT = 97;
const ENOSYS = 38;

/**
 * The kernel looks at the low half of arguments that are an int to it, and leaves the upper half alone: a filter that
 * compared all of it could be passed with any bit set up there (CVE-2023-28100 is such a one).
 */
const LOW_WORD = 0xffff_ffff;

const when = (names: string[], index: number, mask: number, value: number): Omit<SeccompRule, "action"> => ({
  names,
  args: [{ index, op: "SCMP_CMP_MASKED_EQ", value: mask, valueTwo: value }],
});
const allow = (rule: Omit<SeccompRule, "action">): SeccompRule => ({ ...rule, action: "SCMP_ACT_ALLOW" });
const refuse = (rule: Omit<SeccompRule, "action">, errnoRet?: number): SeccompRule => ({
  ...rule,
  action: "SCMP_ACT_ERRNO",
  ...(errnoRet === undefined ? {} : { errnoRet }),
});

/** Families of address_families(7) that ordinary programs talk through. Not AF_VSOCK, which reaches the host of a VM. */
const FAMILIES = { AF_UNIX: 1, AF_INET: 2, AF_INET6: 10, AF_NETLINK: 16 };

/** Every CLONE_NEW* flag but CLONE_NEWTIME, which only unshare(2) and clone3(2) know (clone(2)). */
const NEW_NAMESPACES = 0x7e02_0000;

/** Requests that put input into a terminal (ioctl_tty(2), ioctl_console(2)): CVE-2017-5226, CVE-2023-28100. */
const TERMINAL_INJECTION = { TIOCSTI: 0x5412, TIOCLINUX: 0x541c };

/** personality(2): what Docker allows, and the fixed addresses that debuggers ask for; 0xffffffff only asks. */
const ADDR_NO_RANDOMIZE = 0x0004_0000;
const PERSONALITIES = [0, 0x8, 0x2_0000, 0x2_0008, ADDR_NO_RANDOMIZE, LOW_WORD];

/** Programs ask for these, and go the older way when they are not there; EPERM would be an error to report. */
const NOT_THERE = [
  // Its flags are in memory, where no filter can look; libc then calls clone.
  "clone3",
  // The mount API since Linux 5.2: changes what is mounted without the calls that are refused below.
  "fsconfig",
  "fsmount",
  "fsopen",
  "fspick",
  "listmount",
  "mount_setattr",
  "move_mount",
  "open_tree",
  "open_tree_attr",
  "statmount",
  // Makes system calls that no filter sees.
  "io_uring_enter",
  "io_uring_register",
  "io_uring_setup",
  // Stops a thread of the kernel at a place of one's choice: half of many an exploit.
  "userfaultfd",
  // Asked for by libraries on their way up, and of use to them only on machines with more than one memory node.
  "get_mempolicy",
  "mbind",
  "migrate_pages",
  "move_pages",
  "set_mempolicy",
  "set_mempolicy_home_node",
  // Where they are missing there are older calls.
  "quotactl_fd",
  "lsm_get_self_attr",
  "lsm_list_modules",
  "lsm_set_self_attr",
  "map_shadow_stack",
];

export const DEFAULT_FILTER: Seccomp = deepFreeze<Seccomp>({
  defaultAction: "SCMP_ACT_ERRNO",
  defaultErrnoRet: 1,
  syscalls: [
    { names: [...ALLOWED], action: "SCMP_ACT_ALLOW" },
    ...Object.values(FAMILIES).map((family) => allow(when(["socket", "socketpair"], 0, LOW_WORD, family))),
    refuse({ names: ["socket", "socketpair"] }, EAFNOSUPPORT),
    allow(when(["clone"], 0, NEW_NAMESPACES, 0)),
    ...Object.values(TERMINAL_INJECTION).map((request) => refuse(when(["ioctl"], 1, LOW_WORD, request))),
    ...PERSONALITIES.map((persona) => allow(when(["personality"], 0, LOW_WORD, persona))),
    refuse({ names: NOT_THERE }, ENOSYS),
  ],
});

// Long, and the same with each spawn: test/native/seccomp holds that the rules have nothing to say about it.
SOUND.add(DEFAULT_FILTER);
