// Cases of the rules about system call filters.

import { type Case, inUser, sys, USER } from "./case";

const filter = (...syscalls: object[]): object => ({ defaultAction: "SCMP_ACT_ALLOW", syscalls });
const refuse = (names: string[], more: object = {}): object => ({ names, action: "SCMP_ACT_ERRNO", ...more });
const filtered = (seccomp: object): { sys: object } => sys({ noNewPrivileges: true, seccomp });

export const SECCOMP: readonly Case[] = [
  {
    rule: "a filter needs no_new_privs or CAP_SYS_ADMIN",
    options: sys({ seccomp: filter() }),
    by: USER,
    path: "sys.seccomp",
    words: /set sys\.noNewPrivileges.*CAP_SYS_ADMIN.*seccomp\(2\): EACCES/,
    sound: inUser([], { seccomp: filter() }, 1000),
    kernel: [
      "ordinary(); my $allow = pack('S C C L', 6, 0, 0, 0x7fff0000); call('seccomp', 1, 0, pack('S x6 P', 1, $allow))",
      "EACCES",
    ],
  },
  {
    rule: "capabilities that are dropped are not there for the filter",
    options: sys({ seccomp: filter(), capabilities: {} }),
    path: "sys.seccomp",
    words: /set sys\.noNewPrivileges/,
    sound: sys({ seccomp: filter(), capabilities: {}, noNewPrivileges: true }),
  },
  {
    rule: "a misspelt system call is refused with the nearest",
    options: filtered(filter(refuse(["getpid", "keyctll"]))),
    path: "sys.seccomp.syscalls[0]",
    words: /^"keyctll" is no system call \(did you mean "keyctl"\?\)$/,
    sound: filtered(filter(refuse(["getpid", "keyctl"]))),
  },
  {
    rule: "a refusal of an unknown call that would let it through is refused",
    options: filtered(filter(refuse(["quite_another_thing_of_2031"]))),
    path: "sys.seccomp.syscalls[0]",
    words: /is no system call$/,
    // Nothing is lost where the call is refused anyway; nor with calls of other architectures and newer kernels.
    sound: filtered({
      defaultAction: "SCMP_ACT_ERRNO",
      syscalls: [
        {
          names: [
            "execve",
            "write",
            "exit_group",
            "quite_another_thing_of_2031",
            "socketcall",
            "mseal",
            "s390_runtime_instr",
          ],
          action: "SCMP_ACT_ALLOW",
        },
      ],
    }),
  },
  {
    rule: "only what fails has an errno",
    options: filtered(filter({ names: ["getpid"], action: "SCMP_ACT_LOG", errnoRet: 1 })),
    path: "sys.seccomp.syscalls[0].errnoRet",
    words: /SCMP_ACT_LOG has no errno/,
    sound: filtered(filter(refuse(["getpid"], { errnoRet: 13 }))),
  },
  {
    rule: "a call can't be refused in two ways",
    options: filtered(filter(refuse(["getpid"]), refuse(["bpf", "getpid"], { errnoRet: 13 }))),
    path: "sys.seccomp.syscalls[1]",
    words: /^getpid is refused by a rule before this one too/,
    sound: filtered(filter(refuse(["getpid"]), refuse(["bpf", "getpid"], { errnoRet: 1 }))),
  },
  ...["execve", "write", "exit_group"].map(
    (name): Case => ({
      rule: `a command can't be started without ${name}`,
      options: filtered(filter(refuse([name], { args: [{ index: 0, value: 9, op: "SCMP_CMP_EQ" }] }))),
      path: "sys.seccomp",
      words: new RegExp(`^must allow ${name} whatever the arguments`),
    }),
  ),
];
