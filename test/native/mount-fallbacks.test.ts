// Without mount_setattr(2) (Linux before 5.12) and openat2(2) (before 5.6), or behind filters that hide them, the file
// system inside must be the same, and no less closed.

import assert from "node:assert/strict";
import { spawn as start } from "node:child_process";
import { once } from "node:events";
import { chmodSync, lchownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { isSanitized } from "../support/library";
import { skipBecause } from "../support/skip";
import type { Answer } from "./mount-fallbacks/worker";
import { type Circumstances, under, visibleMounts } from "./mount-fallbacks/world";
import { listing } from "./sandbox-world";
import { isRoot, type Options, type Sys, WHOLE_ROOT } from "./spawner-world";

type Mounts = NonNullable<Sys["mounts"]>;

const MISSING: readonly (readonly string[])[] = [["mount_setattr"], ["openat2"], ["mount_setattr", "openat2"]];

function inside(sys: Sys): Options {
  return {
    sys: { cloneflags: ["CLONE_NEWUSER", "CLONE_NEWNS", "CLONE_NEWPID", "CLONE_NEWIPC"], pdeathsig: "SIGKILL", ...sys },
  };
}

/** An empty root with the programs of the host in it. */
function onTmpfs(mounts: Mounts, more: Sys = {}): Options {
  const programs = ["/usr", "/etc"].map((path) => ({ destination: path, source: path, options: ["rbind", "ro"] }));
  const links = ["bin", "lib", "lib64", "sbin"].map((name) => ({
    destination: `/${name}`,
    type: "symlink" as const,
    source: `usr/${name}`,
  }));
  const own = ["proc", "dev"] as const;
  const kernels = own.map((type) => ({ destination: `/${type}`, type }));
  return inside({ rootfs: {}, mounts: [...programs, ...links, ...kernels, ...mounts], ...more });
}

async function one(circumstances: Circumstances, line: string, options: Options): Promise<Answer> {
  const [answer] = await under(circumstances, [{ line, options }]);
  assert.ok(answer !== undefined);
  return answer;
}

async function output(circumstances: Circumstances, line: string, options: Options): Promise<string> {
  const { stdout, stderr, error } = await one(circumstances, line, options);
  assert.equal(error?.message, undefined);
  assert.equal(stderr, "");
  return stdout ?? "";
}

describe("a file system made without the newer system calls", () => {
  let folder: string;
  /** Shell commands for a tree of mounts below the folder: nested, stacked, hidden, with flags and with odd names. */
  let tree: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "fallbacks-"));
    chmodSync(folder, 0o755);
    for (const path of ["a", "data", "c"]) mkdirSync(join(folder, path));
    writeFileSync(join(folder, "data/file"), "content\n");
    tree = [
      `cd ${folder}`,
      "mount -t tmpfs -o nosuid,nodev none a",
      'mkdir a/b a/bound a/twice a/cover a/cover/in "a/sp ace\ttab\nline\\040"',
      "mount -t tmpfs -o noexec,noatime none a/b",
      "mkdir a/b/deep && mount -t tmpfs none a/b/deep",
      'mount -t tmpfs none "a/sp ace\ttab\nline\\040"',
      "mount -t tmpfs none a/twice && mount -t tmpfs -o nosuid none a/twice",
      "mount -t tmpfs none a/cover/in && mount -t tmpfs none a/cover && mkdir a/cover/in",
      "mount --bind data a/bound && mount -o remount,bind,ro,nodev a/bound",
      "cd /",
    ].join("\n");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Prints the numbers of the places that can be written to. */
  const write = (places: readonly string[]): string =>
    places.map((place, i) => `touch '${place}/x' 2>/dev/null && rm '${place}/x' && echo ${i}`).join("\n");
  const nested = (): string[] =>
    ["", "b", "b/deep", "twice", "cover", "cover/in", "sp ace\ttab\nline\\040"].map((name) => `/m/${name}`);

  const sandboxes: Readonly<Record<string, () => Options>> = {
    "a read-only root": () =>
      inside({ ...WHOLE_ROOT, rootfs: { path: "/", readonly: true, options: ["nosuid", "nodev"] } }),
    "binds with every option": () =>
      onTmpfs([
        { destination: "/m", source: join(folder, "a"), options: ["rbind", "ro", "noexec"] },
        { destination: "/n", source: join(folder, "a"), options: ["rbind", "nosymfollow"] },
        { destination: "/n/b/deep", source: join(folder, "data"), options: ["ro", "nosuid", "nodev", "noexec"] },
        { destination: "/file", source: join(folder, "data/file"), options: ["ro", "nosuid", "nofollow"] },
        { destination: "/host", source: "/", options: ["rbind", "ro", "nofollow"] },
      ]),
    "masks and read-only paths": () =>
      onTmpfs([{ destination: "/m", source: join(folder, "a"), options: ["rbind"] }], {
        rootfs: { readonly: true },
        maskedPaths: ["/m/b/deep", "/m/bound/file", "/m/none"],
        readonlyPaths: ["/m/b", "/m/twice", "/etc/hostname", "/m/none"],
      }),
  };

  for (const [name, options] of Object.entries(sandboxes)) {
    it(`has the same mounts with the same options: ${name}`, async () => {
      const table = async (without: readonly string[]): Promise<string[]> =>
        visibleMounts(await output({ without, mounts: tree }, "cat /proc/self/mountinfo", options()));
      const expected = await table([]);
      for (const without of MISSING) assert.deepEqual(await table(without), expected, without.join());
    });
  }

  it("has the same mounts with the same options, among those of this machine", async () => {
    const table = async (without: readonly string[]): Promise<string[]> =>
      visibleMounts(await output({ without }, "cat /proc/self/mountinfo", inside(WHOLE_ROOT)));
    const expected = await table([]);
    for (const without of MISSING) assert.deepEqual(await table(without), expected, without.join());
  });

  describe("mount_setattr(2)", () => {
    const without = ["mount_setattr"];

    it("is not missed: no mount below a read-only one can be written to", async () => {
      const mount = (how: string[]): Options =>
        onTmpfs([{ destination: "/m", source: join(folder, "a"), options: how }]);
      const circumstances = { without, mounts: tree };
      const line = write(nested());
      const all = nested()
        .map((_, i) => `${i}\n`)
        .join("");
      assert.equal(await output(circumstances, line, mount(["rbind"])), all);
      assert.equal(await output(circumstances, line, mount(["rbind", "ro"])), "");
      assert.equal(
        await output(
          circumstances,
          line,
          onTmpfs([{ destination: "/m", source: join(folder, "a"), options: ["rbind"] }], { readonlyPaths: ["/m"] }),
        ),
        "",
      );
    });

    it("is not missed: what the host's mounts forbid stays forbidden", async () => {
      const bind = { destination: "/m", source: join(folder, "a"), options: ["rbind", "ro"] };
      const table = await output({ without, mounts: tree }, "grep ' /m' /proc/self/mountinfo", onTmpfs([bind]));
      const optionsOf = (path: string): string | undefined =>
        table
          .split("\n")
          .map((line) => line.split(" "))
          .findLast((fields) => fields[4] === path)?.[5];
      assert.equal(optionsOf("/m"), "ro,nosuid,nodev,relatime");
      assert.equal(optionsOf("/m/b"), "ro,noexec,noatime");
      assert.equal(optionsOf("/m/bound"), "ro,nodev,relatime");
    });

    it("is not missed: access times are kept as asked, where that may be chosen", async function () {
      if (!isRoot)
        skipBecause(this, "in a user namespace access times stay as they are outside (mount_setattr(2): EPERM)");
      const bind = { destination: folder, source: join(folder, "a"), options: ["rbind", "noatime"] };
      const options: Options = { sys: { cloneflags: ["CLONE_NEWNS"], rootfs: { path: "/" }, mounts: [bind] } };
      const line = `grep ' ${folder}[ /]' /proc/self/mountinfo`;
      const expected = visibleMounts(await output({ mounts: tree }, line, options));
      assert.ok(expected.length > 5 && expected.every((mount) => mount.includes("noatime")), expected.join("\n"));
      assert.deepEqual(visibleMounts(await output({ without, mounts: tree }, line, options)), expected);
    });

    it("covers a folder that it may not search, when there is a mount in it", async function () {
      if (!isRoot) skipBecause(this, "only root makes mounts where an ordinary user may not look");
      const mounts = `cd ${folder}; mkdir -p c/closed/m; chown 54321:54321 c/closed; chmod 700 c/closed; mount -t tmpfs none c/closed/m; cd /`;
      const bind = { destination: "/m", source: join(folder, "c"), options: ["rbind", "ro"] };
      const line = "stat -c %A /m/closed; ls /m/closed; grep -c ' /m/closed ro' /proc/self/mountinfo";
      assert.equal(await output({ without, mounts }, line, onTmpfs([bind])), "dr-xr-xr-x\n1\n");
    });

    it("needs a /proc in its place, and says so", async function () {
      if (isSanitized) skipBecause(this, "the sanitizers need /proc themselves");
      const sys: Sys = { cloneflags: ["CLONE_NEWNS"], rootfs: { path: "/", readonly: true } };
      const fake = "mkdir -p /proc/self/fd /proc/self/fdinfo; cp /dev/null /proc/self/mountinfo";
      for (const more of ["", fake]) {
        // The spawner itself reads its limits there.
        const limits =
          'limits=$(cat /proc/self/limits); mount -t tmpfs none /proc; mkdir /proc/self; echo "$limits" > /proc/self/limits';
        const mounts = `${limits}\n${more}`;
        const { error } = await one({ without, mounts }, "true", { sys });
        assert.equal(error?.code, "ENOENT");
        assert.match(error?.remedy ?? "", /^mount_setattr\(2\) is missing here.* needs a \/proc/);
      }
    });

    it("fails when there are too many mounts for the older way", async function () {
      this.timeout(60_000);
      // Each bind of the tree into itself doubles it.
      const mounts = `cd ${folder}/c; mount -t tmpfs none .; cd ../c; mkdir $(seq 13); for i in $(seq 13); do mount --rbind . $i; done; cd /`;
      const { error } = await one(
        { without, mounts },
        "true",
        onTmpfs([{ destination: "/m", source: join(folder, "c"), options: ["rbind", "ro"] }]),
      );
      assert.equal(error?.code, "E2BIG");
    });
  });

  describe("openat2(2)", () => {
    const without = ["openat2"];
    /** Where the bind of a marker file or folder came to lie inside, or the error's code. */
    const WHERE = "grep 'marker /' /proc/self/mountinfo | cut -d' ' -f5";
    const landing = ({ stdout, error }: Answer): string => error?.code ?? stdout?.trim() ?? "";

    /** Links of every kind in the folder, which is /w inside. */
    function makeLinks(): void {
      writeFileSync(join(folder, "marker"), "");
      mkdirSync(join(folder, "data/marker"));
      mkdirSync(join(folder, "data/sub/deep"), { recursive: true });
      const links: Record<string, string> = {
        absolute: "/t",
        relative: "../t",
        above: "../../../../../../../t",
        "above-absolute": "/../../t/../t",
        itself: "itself",
        circle: "circle-2",
        "circle-2": "./circle",
        dangling: "/nothing/here",
        folder: "data/",
        "file-slash": "data/file/",
        file: "data/file",
        "to-host": folder,
        root: "/proc/self/root",
        "in-root": "/proc/self/root/t",
        "working-directory": "/proc/self/cwd",
        "proc-self": "/proc/self",
        dot: ".",
        "dot-dot": "..",
        "link-0": "data",
      };
      for (let i = 1; i <= 41; i++) links[`link-${i}`] = `link-${i - 1}`;
      for (const [name, target] of Object.entries(links)) symlinkSync(target, join(folder, name));
    }

    const DESTINATIONS = [
      ...["absolute", "relative", "above", "above-absolute", "itself", "circle", "dangling", "folder", "file-slash"],
      ...["file", "to-host", "root", "in-root", "working-directory", "proc-self", "dot", "dot-dot", "link-39"],
      ...["link-40", "link-0/", "file/", "data/file/", "data/file/x", "data/../data", "data/./sub/../../data/sub/"],
      ...[
        "absolute/sub",
        "relative/../t",
        "data//sub///deep",
        "dot/dot/dot-dot/w/data",
        "dangling/x",
        "none",
        "none/x",
      ],
      ...["data/..", "data/.", "link-20/../link-19/sub", "folder/sub", "../../..//t", "dot-dot/dot-dot/t/file"],
      ...["x".repeat(255), "x".repeat(256), "data/".repeat(700), `${"data/../".repeat(400)}data`],
    ].map((path) => `/w/${path}`);

    it("is not missed: every kind of mount point is found, or refused, as with it", async () => {
      makeLinks();
      const paths = [...DESTINATIONS, "/", "//", "/.", "/..", "/t/", "/t/new/", "/t/new/er/", "/n/absolute", "/n/data"];
      const requests = ["marker", "data/marker"].flatMap((marker) =>
        paths.map((destination) => ({
          line: WHERE,
          options: onTmpfs([
            { destination: "/t/sub", type: "dir" as const },
            { destination: "/t/file", type: "file" as const, data: "" },
            { destination: "/w", source: folder, options: ["rbind"] },
            { destination: "/n", source: folder, options: ["rbind", "nosymfollow"] },
            { destination, source: join(folder, marker) },
          ]),
        })),
      );
      const host = listing(folder);
      const expected = (await under({}, requests)).map(landing);
      assert.deepEqual((await under({ without }, requests)).map(landing), expected);
      // The comparison means something: of all kinds there are some.
      for (const kind of ["/t", "/w/data", "ELOOP", "EROFS", "ENOTDIR", "ENAMETOOLONG"])
        assert.ok(expected.includes(kind), kind);
      assert.deepEqual(listing(folder), host);
    });

    it("is not missed: a source with a link in it is refused where none is expected", async () => {
      makeLinks();
      const sources = ["data", "data/", "data/file", "data/file/", "file", "link-0/file", "data/../data/sub", "none"];
      const requests = sources.map((source) => ({
        line: "grep -c ' /m' /proc/self/mountinfo",
        options: onTmpfs([
          { destination: "/m", source: join(folder, "data/..", source), options: ["rbind", "nofollow"] },
        ]),
      }));
      const expected = (await under({}, requests)).map(landing);
      assert.deepEqual(expected, ["1", "1", "1", "ENOTDIR", "ELOOP", "ELOOP", "1", "ENOENT"]);
      assert.deepEqual((await under({ without }, requests)).map(landing), expected);
    });

    it("is not missed: in a folder open to all, a stranger's link is not followed", async function () {
      if (!isRoot) skipBecause(this, "only root makes a link that is somebody else's");
      symlinkSync("/t", join(folder, "c/marked"));
      const options = onTmpfs([
        { destination: "/t", type: "dir" },
        { destination: "/w", source: folder, options: ["rbind"] },
        { destination: "/w/c/marked", source: join(folder, "data") },
      ]);
      const line = "grep -c ' /t ' /proc/self/mountinfo";
      chmodSync(join(folder, "c"), 0o1777);
      assert.equal(await output({ without }, line, options), "1\n");
      lchownSync(join(folder, "c/marked"), 54321, 54321);
      assert.equal((await one({ without }, line, options)).error?.code, "EACCES");
      chmodSync(join(folder, "c"), 0o755);
      assert.equal(await output({ without }, line, options), "1\n");
    });

    it("is not missed: nothing leads out of the root while folders are moved and links put in their place", async () => {
      for (const path of ["ws/a/deep", "ws/target", "ws/b/target", "a/deep", "target", "outside/target"]) {
        mkdirSync(join(folder, path), { recursive: true });
      }
      mkdirSync(join(folder, "data/marker"));
      symlinkSync(join(folder, "outside"), join(folder, "link"));
      const swapper = resolve("out/test/native/mount-fallbacks/swapper.js");
      const swappers = [
        ["ws/a/deep", "outside/deep"],
        ["ws/b", "ws/aside", "link"],
      ].map((paths) =>
        start(process.execPath, [swapper, ...paths.map((path) => join(folder, path))], { stdio: "inherit" }),
      );
      const ended = swappers.map((child) => once(child, "exit"));
      try {
        // ".." from the moved folder would lead to the host's outside/, and the link does: there, a mount is not seen.
        const destinations: Readonly<Record<string, string>> = {
          [`/w/${"a/deep/../deep/../../".repeat(8)}target`]: "/w/target",
          "/w/b/target": "/w/b/target",
        };
        const requests = Array.from({ length: 100 }, () => Object.keys(destinations)).flatMap((paths) =>
          paths.map((destination) => ({
            line: WHERE,
            options: onTmpfs([
              { destination: "/w", source: join(folder, "ws"), options: ["rbind"] },
              { destination, source: join(folder, "data/marker") },
            ]),
          })),
        );
        const landings = (await under({ without }, requests)).map(landing);
        const allowed = new Set(["ENOENT", "EROFS", "/w/aside/target", ...Object.values(destinations)]);
        assert.deepEqual(
          landings.filter((one) => !allowed.has(one)),
          [],
        );
        for (const place of Object.values(destinations)) assert.ok(landings.includes(place), place);
      } finally {
        for (const child of swappers) child.kill("SIGKILL");
        await Promise.all(ended);
      }
    });
  });
});
