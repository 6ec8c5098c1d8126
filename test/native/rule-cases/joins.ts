// Cases of the rules about joins.

import { type Case, join, sys, USER } from "./case";

const NET = { fdTarget: () => "net:[4026531840]" };

export const JOINS: readonly Case[] = [
  { rule: "a join is of something", options: join([]), path: "sys.setns[0].nstype", words: /at least one/ },
  {
    rule: "only namespaces are joined",
    options: join(["CLONE_IO"]),
    path: "sys.setns[0].nstype",
    words: /"CLONE_IO" is no namespace/,
    kernel: ["call('setns', fd('/proc/self/ns/net'), IO)", "EINVAL"],
  },
  {
    rule: "a namespace is joined once",
    options: join(["CLONE_NEWNS", "CLONE_NEWNS"]),
    path: "sys.setns[0].nstype",
    words: /twice/,
  },
  {
    rule: "what is joined is open",
    options: join(["CLONE_NEWNET"]),
    by: { fdTarget: () => undefined },
    path: "sys.setns[0].fd",
    words: /not open.*EBADF/,
    kernel: ["call('setns', 999, NEWNET)", "EBADF"],
  },
  {
    rule: "what is joined is a namespace or a process",
    options: join(["CLONE_NEWNET"]),
    by: { fdTarget: () => "/etc/passwd" },
    path: "sys.setns[0].fd",
    words: /must be a pidfd or a namespace.*is \/etc\/passwd.*EINVAL/,
    kernel: ["call('setns', fd('/etc/passwd'), NEWNET)", "EINVAL"],
  },
  {
    rule: "a namespace's fd is of its own kind",
    options: join(["CLONE_NEWUTS"]),
    by: NET,
    path: "sys.setns[0].nstype",
    words: /the one namespace that fd is, a net namespace.*EINVAL/,
    kernel: ["call('setns', fd('/proc/self/ns/net'), NEWUTS)", "EINVAL"],
  },
  {
    rule: "one PID namespace is joined",
    options: sys({
      setns: [
        { fd: 3, nstype: ["CLONE_NEWPID"] },
        { fd: 4, nstype: ["CLONE_NEWPID"] },
      ],
    }),
    path: "sys.setns[1].nstype",
    words: /second PID namespace/,
  },
  {
    rule: "a PID namespace is joined or made",
    options: join(["CLONE_NEWPID"], { cloneflags: ["CLONE_NEWPID"] }),
    path: "sys.setns",
    words: /born in one/,
  },
  {
    rule: "a PID namespace is joined or unshared",
    options: join(["CLONE_NEWPID"], { unshareflags: ["CLONE_NEWPID"] }),
    path: "sys.setns",
    words: /born in one/,
    kernel: [
      "maps(0); my $n = fd('/proc/self/ns/pid'); call('unshare', NEWPID); unless (fork) { sleep 1; exit } call('setns', fd('/proc/self/ns/pid_for_children'), NEWPID); call('unshare', NEWPID)",
      "EINVAL",
    ],
  },
  {
    rule: "who made a user namespace has no rights in what others own",
    options: join(["CLONE_NEWNET"], { cloneflags: ["CLONE_NEWUSER"] }),
    path: "sys.setns",
    words: /excludes CLONE_NEWUSER in sys.cloneflags.*EPERM/,
    kernel: ["my $n = fd('/proc/self/ns/net'); maps(0); call('setns', $n, NEWNET)", "EPERM"],
  },
  {
    rule: "a namespace is not made to be left at once",
    options: join(["CLONE_NEWUTS"], { cloneflags: ["CLONE_NEWUTS"], hostname: "x" }),
    path: "sys.setns[0].nstype",
    words: /CLONE_NEWUTS is in sys.cloneflags too/,
  },
  {
    rule: "joining needs CAP_SYS_ADMIN, or the user namespace first",
    options: sys({
      setns: [
        { fd: 3, nstype: ["CLONE_NEWNET"] },
        { fd: 4, nstype: ["CLONE_NEWUSER", "CLONE_NEWUTS"] },
      ],
    }),
    by: USER,
    path: "sys.setns[0].nstype",
    words: /needs CAP_SYS_ADMIN.*join the target's CLONE_NEWUSER first/,
    kernel: ["ordinary(); call('setns', fd('/proc/self/ns/uts'), NEWUTS)", "EPERM"],
  },
];
