// Files of the user and of the machine, by their paths and around them.

import { join } from "node:path";
import type { Attempt } from "../attempt";

export const files: readonly Attempt[] = [
  { group: "files", name: "read a key in the home folder", lay: ({ key }) => ["read", key] },
  {
    group: "files",
    name: "read a file in another's home folder",
    root: "bait",
    lay: (bait) => ["read", bait.fileIn("/home")],
  },
  { group: "files", name: "read a file of root's", root: "bait", lay: (bait) => ["read", bait.fileIn("/root")] },
  { group: "files", name: "read a file in /tmp", lay: (bait) => ["read", bait.fileIn("/tmp")] },
  { group: "files", name: "read a file in /var/tmp", lay: (bait) => ["read", bait.fileIn("/var/tmp")] },
  { group: "files", name: "read shared memory of others", lay: (bait) => ["read", bait.fileIn("/dev/shm")] },
  { group: "files", name: "read a file in /run", root: "bait", lay: (bait) => ["read", bait.fileIn("/run")] },
  {
    group: "files",
    name: "read the password hashes",
    root: "control",
    lay: ({ secret }) => ["read-something", "/etc/shadow", secret],
  },
  {
    group: "files",
    name: "reach a file by the root of another process",
    lay: async (bait) => {
      await bait.victim();
      return ["through-processes", "root", bait.key];
    },
  },
  {
    group: "files",
    name: "reach a file by the working directory of another process",
    lay: async (bait) => {
      await bait.victim();
      bait.write(join(bait.home, bait.secret));
      return ["through-processes", "cwd", bait.secret];
    },
  },
  {
    group: "files",
    name: "reach a file by the open files of another process",
    lay: async (bait) => {
      await bait.victim();
      return ["through-open-files"];
    },
  },
  {
    group: "files",
    name: "read a file that was left open",
    lay: () => ["inherited", "none"],
    descriptors: (bait) => [bait.open(bait.key)],
  },
  {
    group: "files",
    name: "start from a folder that was left open",
    lay: () => ["inherited", ".ssh/id_ed25519"],
    descriptors: (bait) => [bait.open(bait.home)],
  },
  {
    group: "files",
    name: "follow a link in the workspace to a key",
    lay: ({ workspace }) => ["read", join(workspace, "link")],
  },
  {
    group: "files",
    name: "follow a link of its own to a key",
    lay: ({ key, workspace }) => ["symbolic-link", key, join(workspace, "own-link")],
    only: ["build"],
  },
  {
    group: "files",
    name: "give a key a name in the workspace",
    lay: ({ key, workspace }) => ["hard-link-read", key, join(workspace, "hard-link")],
  },
  {
    group: "files",
    name: "open a key by its inode",
    root: "control",
    lay: (bait) => ["open-by-handle", bait.workspace, bait.lay("handle-of", bait.key)],
  },
  {
    group: "files",
    name: "write a start-up file of the shell",
    lay: ({ home, secret }) => ["append", join(home, ".bashrc"), secret],
    seen: (bait) => bait.isWritten(join(bait.home, ".bashrc")),
  },
  {
    group: "files",
    name: "write a program that the user runs",
    lay: ({ tool, secret }) => ["append", tool, secret],
    seen: (bait) => bait.isWritten(bait.tool),
  },
  {
    group: "files",
    name: "write a program by a name in the workspace",
    lay: ({ tool, workspace, secret }) => ["hard-link", tool, join(workspace, "hard-link"), secret],
    seen: (bait) => bait.isWritten(bait.tool),
  },
  {
    group: "files",
    name: "write a program by its open file",
    lay: ({ tool, secret }) => ["reopen", tool, secret],
    seen: (bait) => bait.isWritten(bait.tool),
  },
  {
    group: "files",
    name: "make the mapping of a program writable",
    lay: ({ tool, secret }) => ["make-writable", tool, secret],
    seen: (bait) => bait.isWritten(bait.tool),
  },
];
