// The file system inside: roots, mounts, masks, and that nothing is ever made on the host.

import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { layersKeepAttributes } from "../support/layers";
import { waitUntil } from "../support/processes";
import { skipBecause } from "../support/skip";
import { under } from "./mount-fallbacks/world";
import { api, inNamespaces, isRoot, openFds, rejection, type Sys, sh, WHOLE_ROOT } from "./spawner-world";

describe("file system", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "mounts-"));
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, "data/sub"), { recursive: true });
    writeFileSync(join(folder, "data/file"), "content\n");
    writeFileSync(join(folder, "data/sub/deep"), "deep\n");
  });
  after(() => rmSync(folder, { recursive: true }));

  const inside = (sys: Sys): { sys: Sys } => inNamespaces(["CLONE_NEWNS", "CLONE_NEWPID", "CLONE_NEWIPC"], sys);
  const onTmpfs = (mounts: NonNullable<Sys["mounts"]>, more: Sys = {}): { sys: Sys } =>
    inside({
      rootfs: {},
      mounts: [
        ...["/usr", "/etc"].map((path) => ({ destination: path, source: path, options: ["rbind", "ro"] })),
        ...["bin", "lib", "lib64", "sbin"].map((name) => ({
          destination: `/${name}`,
          type: "symlink" as const,
          source: `usr/${name}`,
        })),
        { destination: "/proc", type: "proc" as const },
        { destination: "/dev", type: "dev" as const },
        ...mounts,
      ],
      ...more,
    });

  it("is a fresh tmpfs with what was mounted into it, and nothing of the host", async () => {
    const { stdout, stderr } = await sh(
      "ls /; ls /data; cat /data/sub/deep",
      onTmpfs([{ destination: "/data", source: join(folder, "data") }]),
    );
    assert.equal(stderr, "");
    assert.equal(stdout, "bin\ndata\ndev\netc\nlib\nlib64\nproc\nsbin\nusr\nfile\nsub\ndeep\n");
  });

  it("is read-only where it was asked, recursively", async () => {
    const options = inside({
      ...WHOLE_ROOT,
      mounts: [...(WHOLE_ROOT.mounts ?? []), { destination: folder, source: folder, options: ["rbind", "ro"] }],
    });
    const { stdout } = await sh(
      `for p in /x ${folder}/x ${folder}/data/sub/x /etc/x; do touch $p 2>/dev/null && echo wrote $p; done; touch /tmp/x && echo tmp`,
      options,
    );
    assert.equal(stdout, "tmp\n");
  });

  it("has a /dev with the default devices only", async () => {
    const { stdout } = await sh(
      "ls /dev; echo x > /dev/null; head -c3 /dev/zero | wc -c; echo /dev/pts/*",
      onTmpfs([]),
    );
    assert.equal(
      stdout,
      "fd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n3\n/dev/pts/ptmx\n",
    );
  });

  it("holds folders, files and links that were asked for", async () => {
    const { stdout } = await sh(
      "stat -c '%a %F' /a/b /a/file; cat /a/link; stat -f -c %T /t; stat -c %a /t",
      onTmpfs([
        { destination: "/a/b", type: "dir", mode: 0o1777 },
        { destination: "/a/file", type: "file", data: "text\n", mode: 0o640 },
        { destination: "/a/link", type: "symlink", source: "file" },
        { destination: "/t", type: "tmpfs", options: ["size=1m", "mode=0700"] },
      ]),
    );
    assert.equal(stdout, "1777 directory\n640 regular file\ntext\ntmpfs\n700\n");
  });

  it("makes a folder or a file that is written with a slash at its end", async () => {
    const mounts: Sys["mounts"] = [
      { destination: "/tmp", type: "tmpfs" },
      { destination: "/tmp/a/b/", type: "dir" },
      { destination: "/tmp/c//", source: "/dev/null" },
    ];
    const options = inNamespaces(["CLONE_NEWNS"], { rootfs: { path: "/", readonly: true }, mounts });
    assert.equal((await sh("test -d /tmp/a/b -a -c /tmp/c && echo both", options)).stdout, "both\n");
  });

  it("covers masked paths and makes others read-only, and passes over those that do not exist", async () => {
    const options = inside({
      ...WHOLE_ROOT,
      mounts: [...(WHOLE_ROOT.mounts ?? []), { destination: folder, source: folder, options: ["rbind"] }],
      maskedPaths: [join(folder, "data/sub"), join(folder, "data/file"), join(folder, "none"), "/none"],
      readonlyPaths: [join(folder, "data"), join(folder, "none")],
    });
    const { stdout } = await sh(
      `ls ${folder}/data/sub; cat ${folder}/data/file; touch ${folder}/data/x 2>/dev/null && echo wrote; touch ${folder}/y && echo y; ls ${folder}`,
      options,
    );
    assert.equal(stdout, "y\ndata\ny\n");
    assert.ok(!existsSync(join(folder, "none")));
    rmSync(join(folder, "y"));
  });

  it("never makes a mount point on the host", async () => {
    const options = inside({
      ...WHOLE_ROOT,
      mounts: [
        { destination: folder, source: folder, options: ["rbind"] },
        { destination: join(folder, "new/deep"), type: "tmpfs" },
      ],
    });
    const error = await rejection(api.spawn("true", [], options));
    assert.equal(error.step, "mount");
    assert.equal(error.code, "EROFS");
    assert.match(error.message, /^mount tmpfs on .*new\/deep/);
    assert.match(error.remedy ?? "", /nothing is ever created on the host/);
    assert.ok(!existsSync(join(folder, "new")));
  });

  it("never makes a folder, a file or a link on the host", async () => {
    for (const type of ["dir", "file", "symlink"] as const) {
      const source = type === "symlink" ? { source: "data" } : {};
      const options = inside({
        ...WHOLE_ROOT,
        mounts: [
          { destination: folder, source: folder, options: ["rbind"] },
          { destination: join(folder, "new"), type, ...source },
        ],
      });
      const error = await rejection(api.spawn("true", [], options));
      assert.equal(error.code, "EROFS");
      assert.match(error.remedy ?? "", /never on the host: mount a tmpfs above .*new first/);
      assert.ok(!existsSync(join(folder, "new")));
    }
  });

  it("shows the host's root where that is bound, and not the new root over it", async () => {
    const bind = { destination: "/host", source: "/", options: ["rbind", "ro"] };
    const { stdout } = await sh(`cat /host${folder}/data/file; ls -d /host/host`, onTmpfs([bind]));
    assert.equal(stdout, "content\n");
  });

  it("makes a mount point also when a slash ends its name", async () => {
    assert.equal(
      (await sh("stat -f -c %T /a/b", onTmpfs([{ destination: "/a/b/", type: "tmpfs" }]))).stdout,
      "tmpfs\n",
    );
  });

  it("never follows a link in a destination out of the root", async () => {
    const trap = join(folder, "trap");
    symlinkSync("/etc", trap);
    try {
      // Inside the root, /etc is the tmpfs root's own: the mount lands there, and the host's /etc is untouched.
      const { stdout } = await sh(
        "cat /etc/marker",
        onTmpfs([
          { destination: "/w", source: folder, options: ["rbind"] },
          { destination: "/etc", type: "tmpfs" },
          { destination: "/w/trap/sub", type: "tmpfs" },
          { destination: "/w/trap/marker", type: "file", data: "inside\n" },
        ]),
      );
      assert.equal(stdout, "inside\n");
      assert.ok(!existsSync("/etc/marker"));
    } finally {
      rmSync(trap);
    }
  });

  it("can be written to without being changed, where a copy-on-write was asked for", async () => {
    const empty = layersKeepAttributes() ? "rm -r sub; mkdir sub" : "rm sub/deep";
    const { stdout, stderr } = await sh(
      `cd /copy; echo changed > file; ${empty}; echo new > new; cat file new; ls -A sub; stat -c %a .; echo x > /bound/y; cat /copy/y; ls /two`,
      onTmpfs([
        { destination: "/copy", type: "copy-on-write", source: join(folder, "data") },
        { destination: "/two", type: "copy-on-write", source: join(folder, "data/sub"), options: ["ro", "nofollow"] },
        { destination: "/bound", source: "/copy", options: ["rbind", "inside"] },
      ]),
    );
    assert.equal(stderr, "");
    assert.equal(stdout, "changed\nnew\n755\nx\ndeep\n");
    assert.equal(readFileSync(join(folder, "data/file"), "utf8"), "content\n");
    assert.ok(existsSync(join(folder, "data/sub/deep")) && !existsSync(join(folder, "data/new")));
  });

  it("refuses a copy-on-write of what is no folder, with the reason", async () => {
    for (const [source, code] of [
      ["data/file", "ENOTDIR"],
      ["none", "ENOENT"],
    ] as const) {
      const mount = { destination: "/copy", type: "copy-on-write" as const, source: join(folder, source) };
      const error = await rejection(api.spawn("true", [], onTmpfs([mount])));
      assert.equal(error.code, code);
      assert.match(error.message, /^mount copy-on-write .* on \/copy/);
    }
  });

  it("refuses a source with a link in it where none was expected", async () => {
    const link = join(folder, "link");
    symlinkSync("data", link);
    try {
      const mount = { destination: "/m", source: join(link, "sub") };
      assert.equal((await sh("cat /m/deep", onTmpfs([mount]))).stdout, "deep\n");
      const error = await rejection(api.spawn("true", [], onTmpfs([{ ...mount, options: ["nofollow"] }])));
      assert.equal(error.code, "ELOOP");
      assert.match(error.remedy ?? "", /redirect the mount/);
    } finally {
      rmSync(link);
    }
  });

  it("passes over an optional source that does not exist, and names one that must", async () => {
    const missing = { destination: "/m", source: join(folder, "missing") };
    assert.equal(
      (await sh("ls -d /m 2>/dev/null || echo none", onTmpfs([{ ...missing, options: ["optional"] }]))).stdout,
      "none\n",
    );
    const error = await rejection(api.spawn("true", [], onTmpfs([missing])));
    assert.match(error.message, /^mount bind .*missing on \/m: ENOENT/);
    assert.equal(error.path, "/m");
  });

  it("passes over an optional file system that the kernel refuses, and names one that must be there", async () => {
    // A new /sys would show what is covered in the one that is there, so the kernel does not make it.
    const mounts = "mount -t tmpfs none /sys/firmware";
    const request = (options: string[]): Parameters<typeof under>[1][number] => ({
      line: "grep -c ' /sys ' /proc/self/mountinfo",
      options: inNamespaces(["CLONE_NEWNS", "CLONE_NEWNET"], {
        rootfs: { path: "/" },
        mounts: [{ destination: "/sys", type: "sysfs", options }],
      }),
    });
    const requests = [request(["ro", "optional"]), request(["ro"])];
    const [optional, needed] = await under({ mounts }, requests);
    assert.equal(optional?.stdout, "1\n");
    assert.equal(needed?.error?.code, "EPERM");
    assert.equal((await under({}, requests))[1]?.stdout, "2\n");
  });

  it("can be a chroot", async function () {
    if (!isRoot) skipBecause(this, "only root may chroot without a user namespace");
    assert.equal((await sh("pwd", { sys: { chroot: "/" } })).stdout, "/\n");
    const error = await rejection(api.spawn("true", [], { sys: { chroot: folder } }));
    assert.equal(error.step, "exec");
  });

  it("leaves no mount and no fd behind", async () => {
    await sh("true", inside(WHOLE_ROOT));
    const [mounts, fds] = [readFileSync("/proc/self/mountinfo", "utf8"), openFds().length];
    for (let i = 0; i < 5; i++) await sh("true", inside(WHOLE_ROOT));
    assert.equal(readFileSync("/proc/self/mountinfo", "utf8"), mounts);
    await waitUntil("every stream is closed", () => openFds().length <= fds);
  });
});
