// Cases of the rules about namespaces.

import { type Case, inUser, map, mount, sys } from "./case";

export const NAMESPACES: readonly Case[] = [
  ...(
    [
      ["uidMappings", [map(0, 0)], "CLONE_NEWUSER"],
      ["rootfs", {}, "CLONE_NEWNS"],
      ["mounts", [{ destination: "/x", type: "tmpfs" }], "CLONE_NEWNS"],
      ["maskedPaths", ["/x"], "CLONE_NEWNS"],
      ["readonlyPaths", ["/x"], "CLONE_NEWNS"],
      ["hostname", "x", "CLONE_NEWUTS"],
      ["domainname", "x", "CLONE_NEWUTS"],
      ["loopback", true, "CLONE_NEWNET"],
      ["timeOffsets", {}, "CLONE_NEWTIME"],
    ] as const
  ).map(
    ([option, value, flag]): Case => ({
      rule: `${option} are the host's without ${flag}`,
      options: sys({ [option]: value }),
      path: `sys.${option}`,
      words: new RegExp(`^needs ${flag} in sys.cloneflags: `),
      ...(option === "uidMappings" ? {} : { sound: inUser([flag], { [option]: value }) }),
    }),
  ),
  {
    rule: "a namespace that is made before its user namespace is out of reach",
    options: sys({
      cloneflags: ["CLONE_NEWNS"],
      unshareflags: ["CLONE_NEWUSER"],
      uidMappings: [map(0, 0)],
      gidMappings: [map(0, 0)],
    }),
    path: "sys.cloneflags",
    words: /CLONE_NEWNS would be made before .*Put it into sys.unshareflags/,
    sound: sys({
      cloneflags: ["CLONE_NEWUTS", "CLONE_NEWPID"],
      unshareflags: ["CLONE_NEWUSER", "CLONE_NEWNS"],
      uidMappings: [map(0, 0)],
      gidMappings: [map(0, 0)],
    }),
    kernel: [
      "maps(0); call('unshare', NEWNS); call('unshare', NEWUSER); call('mount', 0, '/', 0, 0x44000, 0)",
      "EPERM",
    ],
  },
  ...(
    [
      ["proc", "CLONE_NEWPID"],
      ["sysfs", "CLONE_NEWNET"],
      ["mqueue", "CLONE_NEWIPC"],
      ["cgroup2", "CLONE_NEWCGROUP"],
    ] as const
  ).map(
    ([type, flag]): Case => ({
      rule: `${type} shows a namespace that the sandbox must own`,
      options: mount({ type }),
      path: "sys.mounts[0].type",
      words: new RegExp(`^needs ${flag} in sys.cloneflags.*EPERM`),
      sound: inUser(["CLONE_NEWNS", flag], { mounts: [{ destination: "/x", type }] }),
      kernel: [
        `maps(0); call('unshare', NEWNS); call('mount', 0, '/', 0, 0x44000, 0); call('mount', '${type}', '/tmp', '${type}', 0, 0)`,
        "EPERM",
      ],
    }),
  ),
  {
    rule: "a PID namespace that is unshared is not the one that proc shows",
    options: inUser(["CLONE_NEWNS"], {
      unshareflags: ["CLONE_NEWPID"],
      mounts: [{ destination: "/proc", type: "proc" }],
    }),
    path: "sys.mounts[0].type",
    words: /CLONE_NEWPID in sys.cloneflags/,
    kernel: [
      "maps(0); call('unshare', NEWNS | NEWPID); call('mount', 0, '/', 0, 0x44000, 0); call('mount', 'proc', '/tmp', 'proc', 0, 0)",
      "EPERM",
    ],
  },
  {
    rule: "there is no PID 1 of ours in somebody else's PID namespace",
    options: sys({ init: true }),
    path: "sys.init",
    words: /^needs CLONE_NEWPID/,
    sound: sys({ init: false }),
  },
  {
    rule: "a new time namespace is not the command's own before Linux 6.2, but below a PID 1",
    options: inUser(["CLONE_NEWTIME"]),
    path: "sys.cloneflags",
    words: /for the command's children alone.*add CLONE_NEWPID/,
    sound: inUser(["CLONE_NEWTIME", "CLONE_NEWPID"]),
    by: { execEntersTime: false },
  },
];
