// From a profile to spawn options: pure, so every machine can be described and none has to be had.

import assert from "node:assert/strict";
import { ProfileError, SandboxError } from "../../src/sandbox/errors";
import type { HostFacts } from "../../src/sandbox/host";
import { isInside } from "../../src/sandbox/paths";
import type { ProfileRef } from "../../src/sandbox/schema";
import { validate } from "../../src/spawner/validate";
import { compiled, mountAt, mountsOf, orderOf } from "./compiled";

describe("compile: the build profile", () => {
  const options = compiled("build");

  it("is accepted by the spawner", () => {
    for (const name of ["strict", "build", "install", "shell"]) {
      assert.deepEqual(validate(compiled(name)), []);
      assert.deepEqual(validate(compiled(name, {}, { file: "sh", terminal: { columns: 80, rows: 24 } })), []);
    }
  });

  it("is in new namespaces of every kind but time", () => {
    assert.deepEqual(options.sys?.cloneflags, [
      "CLONE_NEWUSER",
      "CLONE_NEWNS",
      "CLONE_NEWPID",
      "CLONE_NEWIPC",
      "CLONE_NEWUTS",
      "CLONE_NEWCGROUP",
      "CLONE_NEWNET",
    ]);
    assert.equal(options.sys?.loopback, true);
    assert.equal(options.sys?.hostname, "sandbox");
  });

  it("gives no right away", () => {
    assert.deepEqual(options.sys?.capabilities, { bounding: [], effective: [], permitted: [], inheritable: [] });
    assert.equal(options.sys?.noNewPrivileges, true);
    assert.equal(options.sys?.pdeathsig, "SIGKILL");
    assert.equal(options.sys?.newSessionKeyring, true);
    assert.deepEqual(options.sys?.uidMappings, [{ containerID: 1000, hostID: 1000, size: 1 }]);
    assert.deepEqual(options.sys?.rootfs, { path: "/", readonly: true, options: ["nosuid", "nodev"] });
  });

  it("makes outer mounts before those inside them", () => {
    const order = orderOf(options);
    for (const [index, path] of order.entries()) {
      assert.ok(!order.slice(0, index).some((earlier) => earlier !== path && isInside(earlier, path)), order.join(" "));
    }
    assert.deepEqual(order, [
      "/proc",
      "/dev",
      "/sys",
      "/sys/fs/cgroup",
      "/sys/fs/cgroup",
      "/run",
      "/home",
      "/root",
      "/tmp",
      "/home/me",
      "/var/tmp",
      "/home/me/project",
    ]);
  });

  it("shows the workspace writable, without set-id programs and devices", () => {
    assert.deepEqual(mountAt(options, "/home/me/project"), {
      destination: "/home/me/project",
      type: "bind",
      source: "/home/me/project",
      options: ["rbind", "rw", "nosuid", "nodev", "nofollow"],
    });
    assert.ok(mountAt(compiled("strict"), "/home/me/project")?.options?.includes("ro"));
    assert.equal(options.cwd, "/home/me/project");
  });

  it("gives home to its owner alone and /tmp to all", () => {
    assert.equal(mountAt(options, "/home/me")?.mode, 0o700);
    assert.equal(mountAt(options, "/tmp")?.mode, 0o1777);
    assert.equal(mountAt(options, "/home")?.mode, 0o755);
  });
});

describe("compile: the network", () => {
  it("none has a loopback that is down, host has no namespace of its own", () => {
    assert.equal(compiled("strict").sys?.loopback, false);
    const host = compiled("install");
    assert.ok(!host.sys?.cloneflags?.includes("CLONE_NEWNET"));
    assert.equal(host.sys?.loopback, undefined);
  });

  it("shows where names are looked up only where that is of use", () => {
    const at = "/run/systemd/resolve/stub-resolv.conf";
    assert.ok(mountAt(compiled("install"), at)?.options?.includes("ro"));
    assert.equal(mountAt(compiled("build"), at), undefined);
    assert.equal(
      mountAt(compiled("install", { resolver: "/etc/resolv.conf" }), "/etc/resolv.conf"),
      undefined,
      "it is visible already",
    );
  });

  it("and the list of namespaces must agree", () => {
    const all = ["user", "mount", "pid", "net"] as const;
    assert.throws(() => compiled({ extends: "install", namespaces: [...all] }), {
      name: "ProfileError",
      message: /^namespaces: "net" can't be new with network "host"/,
    });
    assert.throws(
      () => compiled({ extends: "build", namespaces: ["user", "mount", "pid"] }),
      /^ProfileError: namespaces: "net" is needed for network "loopback"/,
    );
    for (const missing of ["user", "mount", "pid"] as const) {
      assert.throws(
        () => compiled({ extends: "build", namespaces: all.filter((name) => name !== missing) }),
        new RegExp(`"${missing}" can't be left out`),
      );
    }
    const fewer = compiled({ extends: "build", namespaces: [...all, "time"] });
    assert.deepEqual(fewer.sys?.cloneflags, [
      "CLONE_NEWUSER",
      "CLONE_NEWNS",
      "CLONE_NEWPID",
      "CLONE_NEWNET",
      "CLONE_NEWTIME",
    ]);
    assert.equal(fewer.sys?.hostname, undefined);
    assert.deepEqual(validate(fewer), []);
  });
});

describe("compile: toolchains, secrets and sockets", () => {
  it("shows toolchains read-only; a link to one as a link", () => {
    const options = compiled("build", {
      toolchains: [
        { path: "/home/me/.nvm", real: "/data/nvm" },
        { path: "/home/me/.cargo", real: "/home/me/.cargo" },
        { path: "/home/me/.cargo/bin", real: "/home/me/.cargo/bin" },
        { path: "/home/me/.pyenv", real: "/home/me/tools/pyenv" },
      ],
    });
    assert.ok(mountAt(options, "/home/me/.cargo")?.options?.includes("ro"));
    assert.equal(mountAt(options, "/home/me/.cargo/bin"), undefined, "its folder is shown");
    assert.deepEqual(mountAt(options, "/home/me/.nvm"), {
      destination: "/home/me/.nvm",
      type: "symlink",
      source: "/data/nvm",
    });
    assert.equal(mountAt(options, "/data/nvm"), undefined, "it is visible already");
    assert.equal(mountAt(options, "/home/me/.pyenv")?.type, "symlink");
    assert.ok(mountAt(options, "/home/me/tools/pyenv")?.options?.includes("ro"));
  });

  it("leaves the workspace's own tools writable", () => {
    const options = compiled("build", {
      toolchains: [{ path: "/home/me/project/.venv", real: "/home/me/project/.venv" }],
    });
    assert.equal(mountAt(options, "/home/me/project/.venv"), undefined);
  });

  it("does not show what the user hides", () => {
    const paths = { "/home/me/.cargo": { real: "/home/me/.cargo", kind: "directory" } } as const;
    const options = compiled(
      { extends: "build", filesystem: { hide: ["~/.cargo"] } },
      { paths, toolchains: [{ path: "/home/me/.cargo/bin", real: "/home/me/.cargo/bin" }] },
    );
    assert.equal(mountAt(options, "/home/me/.cargo/bin"), undefined);
  });

  it("masks credentials where they can be seen, and only there", () => {
    const masked = (facts: Partial<HostFacts>, ref: ProfileRef = "build"): readonly string[] =>
      compiled(ref, facts).sys?.maskedPaths ?? [];
    assert.ok(!masked({}).includes("/home/me/.cargo/credentials.toml"), "home is empty");
    assert.ok(
      masked({ toolchains: [{ path: "/home/me/.cargo", real: "/home/me/.cargo" }] }).includes(
        "/home/me/.cargo/credentials.toml",
      ),
    );
    const others = { path: "/root/.cargo", real: "/root/.cargo", otherHome: "/root" };
    assert.ok(masked({ toolchains: [others] }).includes("/root/.cargo/credentials.toml"), "nor in another's home");
    const paths = {
      "/home/me/.config": { real: "/home/me/.config", kind: "directory" },
      "/home/me/.config/gh": { real: "/home/me/.config/gh", kind: "directory" },
    } as const;
    assert.ok(
      masked({ paths }, { extends: "build", filesystem: { read: ["~/.config"] } }).includes("/home/me/.config/gh"),
    );
    assert.ok(
      !masked({ paths }, { extends: "build", filesystem: { read: ["~/.config", "~/.config/gh"] } }).includes(
        "/home/me/.config/gh",
      ),
      "named by the user",
    );
    assert.ok(masked({}).includes("/var/lib/docker"));
    assert.ok(masked({}).includes("/proc/kcore"));
  });

  it("masks sockets outside of what is hidden anyway", () => {
    const sockets = [
      "/run/docker.sock",
      "/var/lib/mysql/mysql.sock",
      "/home/me/project/dev.sock",
      "/home/me/.agent.sock",
      "/tmp/x.sock",
    ];
    const masked = compiled("build", { sockets }).sys?.maskedPaths ?? [];
    assert.deepEqual(
      sockets.filter((path) => masked.includes(path)),
      ["/var/lib/mysql/mysql.sock", "/home/me/project/dev.sock"],
    );
    const shared = compiled({ extends: "build", filesystem: { tmp: "shared" } }, { sockets }).sys?.maskedPaths ?? [];
    assert.ok(shared.includes("/tmp/x.sock"));
  });
});

describe("compile: what a task may not change", () => {
  const guarded: HostFacts["protected"] = [
    { path: "/home/me/project/.vscode", kind: "directory" },
    { path: "/home/me/project/.git/hooks", kind: "directory" },
    { path: "/home/me/project/.git/config", kind: "file" },
    { path: "/home/me/project/.git/commondir", kind: "missing" },
    { path: "/home/me/project/.git/modules/a/hooks", kind: "directory" },
  ];

  it("is read-only, and the folders around it can't be moved", () => {
    const options = compiled("build", { protected: guarded });
    const inside = mountsOf(options).filter(({ destination }) => destination.startsWith("/home/me/project/"));
    const kept = inside.filter(({ options: how }) => how?.includes("rw"));
    assert.deepEqual(
      kept.map(({ destination }) => destination),
      ["/home/me/project/.git", "/home/me/project/.git/modules", "/home/me/project/.git/modules/a"],
    );
    // A link that was put in the way since the look at it must not be followed, and nothing may be passed over.
    assert.ok(inside.every(({ destination, source }) => source === destination));
    assert.ok(inside.every(({ options: how }) => how?.includes("nofollow") && !how.includes("optional")));
    const readonly = inside.filter(({ options: how }) => how?.includes("ro")).map(({ destination }) => destination);
    for (const { path, kind } of guarded) {
      assert.equal(readonly.includes(path), kind !== "missing", path);
    }
  });

  it("needs nothing more where nothing can be written", () => {
    const options = compiled("strict", { protected: guarded });
    assert.ok(!mountsOf(options).some(({ destination }) => destination.startsWith("/home/me/project/")));
    assert.ok(!options.sys?.readonlyPaths?.some((path) => path.startsWith("/home")));
  });

  it("is kept when a profile makes the workspace writable by its path", () => {
    const paths = { "/home/me/project": { real: "/home/me/project", kind: "directory" } } as const;
    const options = compiled({ extends: "strict", filesystem: { write: ["."] } }, { protected: guarded, paths });
    assert.ok(mountAt(options, "/home/me/project/.git")?.options?.includes("rw"));
    const hooks = mountsOf(options).find(({ destination }) => destination === "/home/me/project/.git/hooks");
    assert.ok(hooks?.options?.includes("ro"));
  });

  it("can't be a link, and can't be asked for", () => {
    const link: HostFacts["protected"] = [{ path: "/home/me/project/.git/hooks", kind: "symlink" }];
    assert.throws(() => compiled("build", { protected: link }), {
      name: "SandboxError",
      part: "protected",
      path: "/home/me/project/.git/hooks",
    });
    compiled("strict", { protected: link });
    const paths = { "/home/me/project/.vscode": { real: "/home/me/project/.vscode", kind: "directory" } } as const;
    assert.throws(
      () => compiled({ extends: "build", filesystem: { write: [".vscode"] } }, { protected: guarded, paths }),
      /^ProfileError: filesystem.write\[0\]: .vscode is protected/,
    );
  });
});

describe("compile: paths of the profile", () => {
  const directory = (real: string): { real: string; kind: "directory" } => ({ real, kind: "directory" });

  it("that are missing are refused by name; hidden ones need not be there", () => {
    const paths = { "/home/me/x": "missing" } as const;
    assert.throws(() => compiled({ extends: "build", filesystem: { read: ["~/x"] } }, { paths }), {
      name: "ProfileError",
      path: "filesystem.read[0]",
      message: /\/home\/me\/x does not exist/,
    });
    assert.throws(() => compiled({ extends: "build", filesystem: { write: ["~/x"] } }, { paths }), {
      path: "filesystem.write[0]",
    });
    compiled({ extends: "build", filesystem: { hide: ["~/x"] } }, { paths });
  });

  it("that would show everything are refused", () => {
    assert.throws(
      () => compiled({ extends: "build", filesystem: { write: ["/"] } }, { paths: { "/": directory("/") } }),
      ProfileError,
    );
    assert.throws(
      () =>
        compiled({ extends: "build", filesystem: { write: ["~"] } }, { paths: { "/home/me": directory("/home/me") } }),
      ProfileError,
    );
    assert.throws(
      () =>
        compiled(
          { extends: "build", filesystem: { read: ["/proc/1"] } },
          { paths: { "/proc/1": directory("/proc/1") } },
        ),
      ProfileError,
    );
  });

  it("that are shown and hidden at once are refused; the inner one decides otherwise", () => {
    const paths = { "/srv": directory("/srv"), "/srv/data": directory("/srv/data") };
    assert.throws(
      () => compiled({ extends: "build", filesystem: { read: ["/srv"], hide: ["/srv"] } }, { paths }),
      /filesystem.read\[0\]: \/srv is in filesystem.hide as well/,
    );
    const inner = compiled({ extends: "build", filesystem: { read: ["/srv/data"], hide: ["/srv"] } }, { paths });
    assert.equal(mountAt(inner, "/srv")?.type, "tmpfs");
    assert.ok(mountAt(inner, "/srv/data")?.options?.includes("ro"));
    const plain = compiled({ extends: "build", filesystem: { hide: ["/srv"] } }, { paths });
    assert.ok(plain.sys?.maskedPaths?.includes("/srv"));
    assert.equal(mountAt(plain, "/srv"), undefined);
    assert.throws(
      () => compiled({ extends: "build", filesystem: { hide: ["."] } }),
      /filesystem.hide\[0\]: this is the workspace itself/,
    );
  });
});

describe("compile: working directory and limits", () => {
  it("a working directory must be visible", () => {
    const at = (cwd: string, facts: Partial<HostFacts> = {}): string | undefined =>
      compiled("build", facts, { file: "true", cwd }).cwd;
    assert.equal(at("sub"), "/home/me/project/sub");
    assert.equal(at("/usr/share"), "/usr/share");
    assert.equal(at("/tmp"), "/tmp");
    assert.equal(at("~"), "/home/me");
    for (const hidden of ["/home/me/other", "/run/user", "/tmp/x", "/root"]) {
      assert.throws(
        () => at(hidden),
        (error) => error instanceof SandboxError && error.part === "cwd" && error.message.includes(hidden),
        hidden,
      );
    }
  });

  it("limits become rlimits and a timeout", () => {
    const options = compiled({
      extends: "build",
      limits: { wallTime: "1m", cpuTime: "1500ms", openFiles: 100, fileSize: "1M" },
    });
    assert.equal(options.timeout, 60_000);
    assert.deepEqual(options.sys?.rlimits, [
      { type: "RLIMIT_CPU", soft: 2, hard: 3 },
      { type: "RLIMIT_NOFILE", soft: 100, hard: 100 },
      { type: "RLIMIT_FSIZE", soft: 1048576, hard: 1048576 },
    ]);
    assert.equal(compiled("build").sys?.rlimits, undefined);
  });

  it("a limit above the editor's own is refused", () => {
    assert.throws(() => compiled({ extends: "build", limits: { openFiles: 5000 } }), {
      name: "ProfileError",
      path: "limits.openFiles",
      message: /5000 is more than .*4096/,
    });
  });

  it("without a terminal there is a session of its own; with one there is no stdio", () => {
    assert.equal(compiled("build").sys?.setsid, true);
    const options = compiled("shell", {}, { file: "sh", terminal: { columns: 1, rows: 1 }, stdio: "inherit" });
    assert.equal(options.stdio, undefined);
    assert.deepEqual(options.terminal, { columns: 1, rows: 1 });
  });
});
