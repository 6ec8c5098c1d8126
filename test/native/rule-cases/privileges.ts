// Cases of the rules about privileges.

import { type Case, cloned, inUser, map, sys, USER, unshared } from "./case";

export const PRIVILEGES: readonly Case[] = [
  ...(["CLONE_NEWNS", "CLONE_NEWPID", "CLONE_NEWNET", "CLONE_NEWUTS", "CLONE_NEWIPC", "CLONE_NEWCGROUP"] as const).map(
    (flag): Case => ({
      rule: `${flag} needs CAP_SYS_ADMIN or a user namespace`,
      options: cloned(flag),
      by: USER,
      path: "sys.cloneflags",
      words: new RegExp(`^${flag} needs CAP_SYS_ADMIN.*clone\\(2\\): EPERM.*add CLONE_NEWUSER to sys.cloneflags`),
      sound: inUser([flag], {}, 1000),
      kernel: [`ordinary(); fork3(${flag.replace("CLONE_", "")}, 17)`, "EPERM"],
    }),
  ),
  {
    rule: "so does a namespace that is unshared",
    options: unshared("CLONE_NEWTIME"),
    by: USER,
    path: "sys.unshareflags",
    words: /^CLONE_NEWTIME needs CAP_SYS_ADMIN.*unshare\(2\): EPERM/,
    sound: sys({
      unshareflags: ["CLONE_NEWUSER", "CLONE_NEWTIME"],
      uidMappings: [map(0, 1000)],
      gidMappings: [map(0, 1000)],
    }),
    kernel: ["ordinary(); call('unshare', NEWTIME)", "EPERM"],
  },
  {
    rule: "a user namespace that comes with unshare is too late for the clone",
    options: sys({ cloneflags: ["CLONE_NEWNET"], unshareflags: ["CLONE_NEWUSER"] }),
    by: USER,
    path: "sys.cloneflags",
    words: /^CLONE_NEWNET needs CAP_SYS_ADMIN.*put it into sys.unshareflags/,
  },
  {
    rule: "who is in a chroot can't clone a user namespace",
    options: inUser([]),
    by: { chrooted: true },
    path: "sys.cloneflags",
    words: /refused to a process in a chroot.*clone\(2\): EPERM/,
    kernel: ["maps(0); call('chroot', '/proc/self'); fork3(NEWUSER, 17)", "EPERM"],
  },
  {
    rule: "who is in a chroot can't unshare a user namespace",
    options: sys({ unshareflags: ["CLONE_NEWUSER"] }),
    by: { chrooted: true },
    path: "sys.unshareflags",
    words: /refused to a process in a chroot.*unshare\(2\): EPERM/,
    kernel: ["maps(0); call('chroot', '/proc/self'); call('unshare', NEWUSER)", "EPERM"],
  },
  {
    rule: "chroot needs CAP_SYS_CHROOT",
    options: sys({ chroot: "/" }),
    by: USER,
    path: "sys.chroot",
    words: /^needs CAP_SYS_CHROOT.*chroot\(2\): EPERM/,
    sound: inUser([], { chroot: "/" }, 1000),
    kernel: ["ordinary(); call('chroot', '/')", "EPERM"],
  },
  {
    rule: "dropping capabilities needs CAP_SETPCAP",
    options: sys({ capabilities: {} }),
    by: USER,
    path: "sys.capabilities",
    words: /^needs CAP_SETPCAP.*prctl\(2\): EPERM/,
    sound: inUser([], { capabilities: {} }, 1000),
    kernel: ["ordinary(); call('prctl', 24, 60)", "EPERM"],
  },
];
