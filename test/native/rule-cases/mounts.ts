// Cases of the rules about mounts.

import { type Case, inUser, mount } from "./case";

export const MOUNTS: readonly Case[] = [
  { rule: "a mount has a type", options: mount({}), path: "sys.mounts[0].type", words: /must be given/ },
  {
    rule: "a bind has a source",
    options: mount({ type: "bind" }),
    path: "sys.mounts[0].source",
    words: /must be given for a bind/,
    sound: mount({ source: "/tmp", options: ["rbind", "ro", "nosuid", "nofollow", "optional"] }),
  },
  {
    rule: "a symlink has a text",
    options: mount({ type: "symlink" }),
    path: "sys.mounts[0].source",
    words: /must be given for a symlink/,
  },
  {
    rule: "a file has data and no source",
    options: mount({ type: "file", source: "/etc/passwd" }),
    path: "sys.mounts[0].source",
    words: /not for a file.*use type bind/,
    sound: mount({ type: "file", mode: 0o600 }),
  },
  {
    rule: "a dir has no source",
    options: mount({ type: "dir", source: "/x" }),
    path: "sys.mounts[0].source",
    words: /not for a dir/,
  },
  {
    rule: "a bind has no data",
    options: mount({ source: "/", data: "x" }),
    path: "sys.mounts[0].data",
    words: /content of a file/,
  },
  {
    rule: "a bind keeps its mode",
    options: mount({ source: "/", mode: 0 }),
    path: "sys.mounts[0].mode",
    words: /not for bind/,
  },
  ...["/", "//", "/./"].map(
    (destination): Case => ({
      rule: `a mount can't be on the root (${destination})`,
      options: mount({ destination, type: "tmpfs" }),
      path: "sys.mounts[0].destination",
      words: /below the root/,
    }),
  ),
  {
    rule: "a mount is on a name",
    options: mount({ destination: "/a/..b/..", type: "tmpfs" }),
    path: "sys.mounts[0].destination",
    words: /must end in a name/,
    sound: mount({ destination: "/a/../b/...", type: "tmpfs" }),
  },
  {
    rule: "a dir has no options that would be dropped",
    options: mount({ type: "dir", options: ["ro"] }),
    path: "sys.mounts[0].options",
    words: /not for a dir/,
  },
  {
    rule: "a bind has no option that would be dropped",
    options: mount({ source: "/", options: ["ro", "nosiud"] }),
    path: "sys.mounts[0].options",
    words: /"nosiud" is no option of a bind \(did you mean "nosuid"\?\)/,
  },
  {
    rule: "a copy-on-write has no option that would be dropped",
    options: mount({ type: "copy-on-write", source: "/a", options: ["nodve"] }),
    path: "sys.mounts[0].options",
    words: /"nodve" is no option of a copy-on-write \(did you mean "nodev"\?\)/,
    sound: mount({ type: "copy-on-write", source: "/a", options: ["nodev", "nofollow"] }),
  },
  {
    rule: "a copy-on-write is one folder",
    options: mount({ type: "copy-on-write", source: "/a", options: ["rbind"] }),
    path: "sys.mounts[0].options",
    words: /"rbind" is not for a copy-on-write/,
  },
  {
    rule: "a copy-on-write has a source",
    options: mount({ type: "copy-on-write" }),
    path: "sys.mounts[0].source",
    words: /must be given for a copy-on-write/,
  },
  {
    rule: "a source inside has no links to refuse",
    options: mount({ source: "/a", options: ["inside", "nofollow"] }),
    path: "sys.mounts[0].options",
    words: /inside and nofollow contradict/,
    sound: mount({ source: "/a", options: ["rbind", "inside"] }),
  },
  {
    rule: "an option of binds is for binds",
    options: mount({ type: "tmpfs", options: ["rbind"] }),
    path: "sys.mounts[0].options",
    words: /"rbind" is for binds, not for tmpfs/,
    sound: mount({ type: "tmpfs", options: ["size=1m", "ro", "nr_inodes=9"], mode: 0o700 }),
  },
  {
    rule: "options don't contradict each other",
    options: mount({ source: "/", options: ["rw", "ro"] }),
    path: "sys.mounts[0].options",
    words: /ro and rw contradict each other/,
  },
  {
    rule: "an option's value has 255 bytes",
    options: mount({ type: "overlay", options: [`lowerdir=/${"x".repeat(255)}`] }),
    path: "sys.mounts[0].options",
    words: /values of at most 255/,
    kernel: [
      "maps(0); call('unshare', NEWNS); my $f = call('fsopen', 'tmpfs', 0); call('fsconfig', $f, 1, 'size', 'x' x 256, 0)",
      "EINVAL",
    ],
  },
  {
    rule: "an overlay lies over something",
    options: mount({ type: "overlay" }),
    path: "sys.mounts[0].options",
    words: /must have lowerdir=/,
    sound: mount({ type: "overlay", options: ["lowerdir=/a:/b"] }),
  },
  {
    rule: "an overlay that is written to has a place to work in",
    options: mount({ type: "overlay", options: ["lowerdir=/a", "upperdir=/b"] }),
    path: "sys.mounts[0].options",
    words: /must have workdir=/,
    sound: mount({ type: "overlay", options: ["lowerdir=/a", "upperdir=/b", "workdir=/c"] }),
  },
  {
    rule: "the root is not masked",
    options: inUser(["CLONE_NEWNS"], { maskedPaths: ["/a", "/"] }),
    path: "sys.maskedPaths[1]",
    words: /root itself/,
  },
  {
    rule: "the root is made read-only by name",
    options: inUser(["CLONE_NEWNS"], { readonlyPaths: ["/"] }),
    path: "sys.readonlyPaths[0]",
    words: /sys.rootfs.readonly/,
  },
  {
    rule: "options of a root need a path",
    options: inUser(["CLONE_NEWNS"], { rootfs: { options: ["nosuid"] } }),
    path: "sys.rootfs.options",
    words: /with a path/,
    sound: inUser(["CLONE_NEWNS"], { rootfs: { path: "/", options: ["nosuid"] } }),
  },
];
