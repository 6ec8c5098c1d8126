// The doctor where something really is taken away: by a seccomp filter as container engines have it, by limits on
// namespaces, in a chroot, behind a masked /proc, in a container of our own making.

import assert from "node:assert/strict";
import { lstatSync, readdirSync, readlinkSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { LIBRARY_NODE } from "../support/library";
import { program } from "../support/programs";
import type { Examination } from "./doctor-worker";
import { type Options, run, type Sys } from "./spawner-world";

type Mounts = NonNullable<Sys["mounts"]>;

const WORKER = resolve("out/test/native/doctor-worker.js");

/** What Docker's default filter says to somebody without CAP_SYS_ADMIN, as far as we are concerned. */
const DOCKER_FILTER =
  "clone3=ENOSYS,clone:0&0x7e020000=EPERM,unshare=EPERM,setns=EPERM,mount=EPERM,keyctl=EPERM,fsopen=EPERM,open_tree=EPERM,move_mount=EPERM";

/** What the doctor finds for a program that is started so. */
async function examined(options: Options, args: readonly string[] = [], rules?: string): Promise<Examination> {
  const command = [LIBRARY_NODE, WORKER, ...args];
  const [file = "", ...rest] = rules === undefined ? command : [program("refuse"), rules, "--", ...command];
  const result = await run(file, rest, { cwd: process.cwd(), ...options });
  assert.equal(result.status.code, 0, result.stderr);
  return JSON.parse(result.stdout) as Examination;
}

/** Root of a user namespace, who may set its knobs and be chrooted. */
function asRootInside(flags: NonNullable<Sys["cloneflags"]>, more: Sys): Options {
  const ids = (hostID: number) => [{ containerID: 0, hostID, size: 1 }];
  return {
    sys: {
      cloneflags: ["CLONE_NEWUSER", ...flags],
      uidMappings: ids(process.getuid?.() ?? 0),
      gidMappings: ids(process.getgid?.() ?? 0),
      ...more,
    },
  };
}

/** The folders of this system and the one we are in, without the marks that a container of its own has left. */
function hostFolders(below: string): Mounts {
  const names = readdirSync("/").filter((name) => !["proc", "tmp", ".dockerenv"].includes(name));
  const folders = names.filter((name) => statSync(`/${name}`, { throwIfNoEntry: false })?.isDirectory());
  return folders.map((name): Mounts[number] =>
    lstatSync(`/${name}`).isSymbolicLink()
      ? { destination: `${below}/${name}`, type: "symlink", source: readlinkSync(`/${name}`) }
      : { destination: `${below}/${name}`, source: `/${name}`, options: ["rbind"] },
  );
}

/** An empty /tmp, but for the project where that is kept there, as that of an ordinary user may be. */
function temporary(below: string): Mounts {
  const here = process.cwd();
  const shown: Mounts = here.startsWith("/tmp/")
    ? [{ destination: `${below}${here}`, source: here, options: ["rbind"] }]
    : [];
  return [{ destination: `${below}/tmp`, type: "tmpfs", mode: 0o1777 }, ...shown];
}

function serious(examination: Examination): string[] {
  return examination.report.findings.filter((finding) => finding.serious).map(({ id }) => id);
}

function cantRun({ report, text }: Examination): void {
  assert.equal(report.ok, false, text);
  assert.match(text, /^Sandboxes can't run here, because: /m);
  assert.ok(report.profiles.every(({ runs }) => !runs));
}

describe("the doctor, where something is taken away", function () {
  this.timeout(60_000);

  it("tells a container's seccomp filter, and the options that lift it", async () => {
    const container = asRootInside(["CLONE_NEWNS", "CLONE_NEWPID"], {
      rootfs: {},
      mounts: [
        ...hostFolders(""),
        ...temporary(""),
        { destination: "/proc", type: "proc" },
        { destination: "/.dockerenv", type: "file" },
      ],
    });
    const found = await examined({ ...container, env: { ...process.env, TMPDIR: "/tmp" } }, [], DOCKER_FILTER);
    cantRun(found);
    assert.deepEqual(serious(found), ["container_seccomp"]);
    assert.match(found.text, /"runArgs": \[\n +"--security-opt", "seccomp=unconfined",\n/);
    assert.equal(found.lacks, "user namespace");
    const of = (name: string) => found.report.features.find(({ feature }) => feature === name);
    assert.deepEqual([of("user namespace")?.errno, of("no_new_privs")?.available], ["EPERM", true]);
  });

  it("tells a filter of nobody knows whom outside of a container", async () => {
    const bare = asRootInside(["CLONE_NEWNS", "CLONE_NEWPID"], {
      rootfs: {},
      mounts: [...hostFolders(""), ...temporary(""), { destination: "/proc", type: "proc" }],
    });
    // A machine that is a container itself says so in its environment too.
    const env = { ...process.env, TMPDIR: "/tmp", container: undefined, KUBERNETES_SERVICE_HOST: undefined };
    const found = await examined({ ...bare, env }, [], "keyctl=EPERM");
    cantRun(found);
    assert.deepEqual(
      found.report.findings.filter((finding) => finding.serious).map(({ features }) => features),
      [["session keyring"]],
    );
    assert.ok(!serious(found).includes("unknown"), found.text);
  });

  for (const [kind, feature] of [
    ["user", "user namespace"],
    ["net", "network namespace with loopback"],
    ["mnt", "mount namespace"],
  ] as const) {
    it(`tells that no ${kind} namespace may be made, and the knob`, async () => {
      const inside = asRootInside(["CLONE_NEWNS", "CLONE_NEWPID"], {
        mounts: [{ destination: "/proc", type: "proc" }],
      });
      const found = await examined(inside, [`max_${kind}_namespaces`]);
      assert.equal(found.report.ok, false, found.text);
      assert.deepEqual(serious(found), ["max_namespaces"]);
      assert.equal(found.report.features.find(({ available }) => !available)?.feature, feature);
      assert.match(found.text, new RegExp(`user\\.max_${kind}_namespaces = 15000`));
      assert.equal(found.lacks, feature);
      // Those with the host's network need no network namespace.
      assert.equal(found.report.profiles.find(({ profile }) => profile === "install")?.runs, kind === "net");
    });
  }

  it("tells a chroot", async () => {
    const inside = asRootInside(["CLONE_NEWNS", "CLONE_NEWPID"], {
      rootfs: {},
      mounts: [
        { destination: "/jail", type: "dir" },
        ...hostFolders("/jail"),
        ...temporary("/jail"),
        { destination: "/jail/proc", type: "proc" },
      ],
      chroot: "/jail",
    });
    const found = await examined({ ...inside, env: { ...process.env, TMPDIR: "/tmp" } });
    cantRun(found);
    assert.ok(serious(found).includes("chroot"), found.text);
    assert.match(found.text, /because: The editor runs in a chroot\./);
  });

  it("tells a masked /proc, as containers have it", async () => {
    const inside = asRootInside(["CLONE_NEWNS", "CLONE_NEWPID"], {
      rootfs: { path: "/" },
      mounts: [{ destination: "/proc", type: "proc" }],
      maskedPaths: ["/proc/kcore", "/proc/acpi", "/proc/timer_list"],
      readonlyPaths: ["/proc/sys"],
    });
    const found = await examined(inside);
    cantRun(found);
    assert.deepEqual(serious(found), ["masked_proc"]);
    assert.match(found.text, /Mounted over, or read-only: \/proc\//);
    assert.equal(found.lacks, "proc file system");
  });
});
