// More rights than it was started with: capabilities, set-user-ID programs, cgroups of the machine.

import { chmodSync, chownSync, copyFileSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Attempt } from "../attempt";

const NOBODY = 65534;

/** A cgroup of version 1 names a program that the kernel runs, outside, as root. */
function releaseAgent(): string {
  const roots = existsSync("/sys/fs/cgroup") ? readdirSync("/sys/fs/cgroup") : [];
  const agents = roots.map((name) => `/sys/fs/cgroup/${name}/release_agent`);
  return agents.find((path) => existsSync(path)) ?? "/sys/fs/cgroup/release_agent";
}

export const privileges: readonly Attempt[] = [
  {
    group: "privileges",
    name: "have any capability",
    control: "loose",
    lay: ({ secret }) => ["any-capability", secret],
  },
  {
    group: "privileges",
    name: "become another user by a set-user-ID program",
    root: "bait",
    file: ({ secret }) => `/opt/${secret}`,
    lay: (bait) => {
      const { program, secret } = bait;
      const file = bait.removeLater(`/opt/${secret}`);
      copyFileSync(program, file);
      chownSync(file, NOBODY, NOBODY);
      chmodSync(file, 0o4755);
      return ["effective-user", String(NOBODY), secret];
    },
    // The folder is mounted nosuid.
    lacking: ["EPERM"],
  },
  {
    group: "privileges",
    name: "have root's rights by a program of the machine's",
    onlyUser: true,
    // It reads the shadow file for whoever asks about himself, and tells when the password was changed, which stands
    // nowhere else. Without that file it tells less, and ends as well as with it.
    file: () => "sh",
    lay: ({ secret }) => [
      "-c",
      'case $(passwd -S 2>/dev/null) in *" "????-??-??" "*) echo "$0" ;; *) echo "refused: passwd: 1 EPERM" ;; esac',
      secret,
    ],
    lacking: ["EPERM"],
  },
  {
    group: "cgroups",
    name: "make a cgroup",
    root: "control",
    lay: (bait) => ["make-folder", bait.cgroup()],
    seen: (bait) => existsSync(bait.cgroup()),
  },
  {
    group: "cgroups",
    name: "move itself to another cgroup",
    root: "control",
    lay: (bait) => ["write-text", join(bait.cgroup(), "../cgroup.procs"), "0", bait.secret],
  },
  {
    group: "cgroups",
    name: "say what is run when a cgroup is empty",
    root: "control",
    lay: ({ secret }) => ["write-same", releaseAgent(), secret],
    lacking: ["ENOENT"],
  },
  {
    group: "cgroups",
    name: "mount the cgroups to make one",
    control: "own mounts",
    root: "control",
    lay: (bait) => ["mount-cgroups", bait.empty, bait.cgroup().split("/").at(-1) ?? ""],
    seen: (bait) => existsSync(bait.cgroup()),
  },
];
