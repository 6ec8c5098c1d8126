// Cases of the rules about id maps.

import { type Case, cloned, inUser, map, sys, USER } from "./case";

export const MAPS: readonly Case[] = [
  {
    rule: "both ids are mapped, or neither",
    options: sys({ cloneflags: ["CLONE_NEWUSER"], uidMappings: [map(0, 0)] }),
    path: "sys.gidMappings",
    words: /must be given too/,
    sound: cloned("CLONE_NEWUSER"),
  },
  {
    rule: "a map has at most 340 lines",
    options: inUser([], { uidMappings: Array.from({ length: 341 }, (_, i) => map(i * 2, i * 2)) }),
    path: "sys.uidMappings",
    words: /at most 340 lines/,
    sound: inUser([], { uidMappings: Array.from({ length: 340 }, (_, i) => map(i * 2, i * 2)) }),
    kernel: ["call('unshare', NEWUSER); put('/proc/self/uid_map', join('', map { \"$_ $_ 1\\n\" } 0..340))", "EINVAL"],
  },
  {
    rule: "a map is written at once, in less than a page",
    options: inUser([], {
      gidMappings: Array.from({ length: 340 }, (_, i) =>
        map(3_000_000_000 + i * 200_000, 3_000_000_000 + i * 200_000, 100_000),
      ),
    }),
    path: "sys.gidMappings",
    words: /less than a page/,
    kernel: ["call('unshare', NEWUSER); put('/proc/self/uid_map', '0 0 1' . (' ' x 70000))", "EINVAL"],
  },
  {
    rule: "a range ends with the last id",
    options: inUser([], { uidMappings: [map(0, 4_294_967_290, 6)] }),
    path: "sys.uidMappings[0].size",
    words: /hostID and size must add up to at most 4294967295, not 4294967296/,
    sound: inUser([], { uidMappings: [map(0, 4_294_967_290, 5)] }),
    kernel: ["call('unshare', NEWUSER); put('/proc/self/uid_map', '0 4294967290 6')", "EINVAL"],
  },
  {
    rule: "an id inside is mapped once",
    options: inUser([], { uidMappings: [map(10, 100, 10), map(0, 200, 11)] }),
    path: "sys.uidMappings[1].containerID",
    words: /overlaps/,
    sound: inUser([], { uidMappings: [map(10, 100, 10), map(0, 200, 10)] }),
    kernel: ["call('unshare', NEWUSER); put('/proc/self/uid_map', \"10 100 10\\n0 200 11\\n\")", "EINVAL"],
  },
  {
    rule: "an id outside is mapped once",
    options: inUser([], { gidMappings: [map(0, 100, 10), map(10, 200), map(20, 109)] }),
    path: "sys.gidMappings[2].hostID",
    words: /overlaps/,
    kernel: ["call('unshare', NEWUSER); put('/proc/self/gid_map', \"0 100 10\\n10 200 1\\n20 109 1\\n\")", "EINVAL"],
  },
  {
    rule: "without CAP_SETUID one maps oneself alone",
    options: inUser([], { uidMappings: [map(0, 1000, 2)] }, 1000),
    by: USER,
    path: "sys.uidMappings",
    words: /one line only, with hostID 1000 and size 1: without CAP_SETUID/,
    sound: inUser([], {}, 1000),
    kernel: ["ordinary(); my $u = $>; call('unshare', NEWUSER); put('/proc/self/uid_map', \"0 $u 2\")", "EPERM"],
  },
  {
    rule: "without CAP_SETGID one maps one's own group alone",
    options: inUser([], { gidMappings: [map(0, 5)] }, 1000),
    by: USER,
    path: "sys.gidMappings",
    words: /one line only, with hostID 1000 and size 1: without CAP_SETGID/,
  },
  {
    rule: "ids outside exist in our own user namespace",
    options: inUser([], { uidMappings: [map(0, 1000, 2)] }),
    by: { uidRanges: [{ first: 0, size: 1001 }] },
    path: "sys.uidMappings[0].hostID",
    words: /not mapped in your own user namespace/,
    kernel: ["maps(7); call('unshare', NEWUSER); put('/proc/self/uid_map', '0 8 1')", "EPERM"],
  },
  {
    rule: "setgroups is allowed by who may change groups",
    options: inUser([], { gidMappingsEnableSetgroups: true }, 1000),
    by: USER,
    path: "sys.gidMappingsEnableSetgroups",
    words: /^needs CAP_SETGID/,
    sound: inUser([], { gidMappingsEnableSetgroups: false }, 1000),
    kernel: ["ordinary(); my $g = $) + 0; call('unshare', NEWUSER); put('/proc/self/gid_map', \"0 $g 1\")", "EPERM"],
  },
  {
    rule: "setgroups is of no use without a map",
    options: sys({ gidMappingsEnableSetgroups: true }),
    path: "sys.gidMappingsEnableSetgroups",
    words: /^needs sys.gidMappings/,
  },
];
