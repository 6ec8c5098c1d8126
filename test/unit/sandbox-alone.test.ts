// Landlock alone, without a kernel: which rules and which filter follow from a profile, and what is refused by name.

import assert from "node:assert/strict";
import { aloneFilter } from "../../src/sandbox/alone/filter";
import { refuseWhatCantBeHeld } from "../../src/sandbox/alone/refusals";
import { aloneRules } from "../../src/sandbox/alone/rules";
import type { HostFacts } from "../../src/sandbox/host";
import { layout } from "../../src/sandbox/layout";
import { resolveProfile } from "../../src/sandbox/profiles";
import type { ProfileDefinition } from "../../src/sandbox/schema";
import { FACTS } from "./compiled";

const OWN = "/tmp/sandbox-tasks-1-2-3-4";

const profileOf = (definition: ProfileDefinition) =>
  resolveProfile({ ...definition, extends: "build", fallback: "landlock" });

/** Path to rights. */
function rules(definition: ProfileDefinition = {}, facts: Partial<HostFacts> = {}): Record<string, readonly string[]> {
  const all = { ...FACTS, ...facts };
  const profile = profileOf(definition);
  const landlock = aloneRules(profile, layout(profile, all), all, OWN, false);
  assert.equal(landlock.minimumAbi, 6);
  assert.deepEqual(landlock.scoped, ["abstract_unix_socket", "signal"]);
  return Object.fromEntries((landlock.rules ?? []).map(({ path, access }) => [path, access]));
}

function refusal(definition: ProfileDefinition, facts: Partial<HostFacts> = {}, abi = 7): string {
  const all = { ...FACTS, ...facts };
  const profile = profileOf(definition);
  try {
    refuseWhatCantBeHeld(profile, layout(profile, all), all, abi, {
      reason: "clone3: EPERM",
      feature: "user namespace",
    });
    return "";
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
}

describe("Landlock alone: rules", () => {
  it("gives rights to what is shown, by name, and none to the root, to homes or to temporary folders", () => {
    const all = rules();
    for (const path of [
      "/",
      "/home",
      "/home/me",
      "/root",
      "/run",
      "/tmp",
      "/var/tmp",
      "/dev",
      "/dev/pts",
      "/dev/shm",
    ]) {
      assert.equal(all[path], undefined, path);
    }
    assert.deepEqual(all["/usr"], ["execute", "read_file", "read_dir"]);
    assert.deepEqual(all["/proc"], ["read_file", "read_dir"]);
    assert.ok(all["/home/me/project"]?.includes("write_file") && all[OWN]?.includes("make_dir"));
    assert.ok(!all["/home/me/project"]?.includes("ioctl_dev") && !all[OWN]?.includes("make_char"));
    assert.deepEqual(
      Object.keys(all).filter((path) => path.startsWith("/dev")),
      ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"],
    );
  });

  it("leaves out the credentials of a toolchain, and caches that begin empty", () => {
    const facts: Partial<HostFacts> = {
      toolchains: [{ path: "/home/me/.cargo", real: "/home/me/.cargo" }],
      caches: [{ path: "/home/me/.cargo/registry", real: "/home/me/.cargo/registry" }],
      entries: { ...FACTS.entries, "/home/me/.cargo": ["bin", "registry", "credentials.toml"] },
    };
    const all = rules({}, facts);
    assert.deepEqual(
      Object.keys(all).filter((path) => path.startsWith("/home/me/.cargo")),
      ["/home/me/.cargo/bin"],
    );
    const shared = rules({ filesystem: { caches: "shared" } }, facts);
    assert.ok(
      shared["/home/me/.cargo/registry"] !== undefined && shared["/home/me/.cargo/credentials.toml"] === undefined,
    );
  });
});

describe("Landlock alone: filter", () => {
  const permitted = (definition: ProfileDefinition, name: string): number[][] =>
    (aloneFilter(profileOf(definition)).syscalls ?? [])
      .filter(({ names, action }) => names.includes(name) && action === "SCMP_ACT_ALLOW")
      .map(({ args = [] }) => args.map(({ valueTwo }) => Number(valueTwo)));

  it("permits sockets of the machine's network only with it, and none of AF_UNIX", () => {
    assert.deepEqual(permitted({}, "socket"), []);
    assert.deepEqual(permitted({ network: "host" }, "socket"), [[2], [10], [16, 0]]);
    assert.deepEqual(permitted({ network: "host" }, "socketpair"), [[1, 1]]);
  });

  it("permits what is about a process only for one's own", () => {
    assert.deepEqual(permitted({}, "prlimit64"), [[0]]);
    assert.deepEqual(permitted({}, "setpriority"), [[0, 0]]);
    for (const name of ["shmget", "mq_open", "process_mrelease"]) assert.deepEqual(permitted({}, name), [], name);
    assert.deepEqual(permitted({}, "read"), [[]]);
  });

  it("does not let through again what a profile's own rules refuse", () => {
    const seccomp = {
      extends: "default" as const,
      syscalls: [{ names: ["prlimit64", "read"], action: "SCMP_ACT_ERRNO" as const }],
    };
    assert.equal(refusal({ seccomp }), "");
    assert.deepEqual(permitted({ seccomp }, "prlimit64"), []);
    assert.deepEqual(permitted({ seccomp }, "read"), []);
  });
});

describe("Landlock alone: refusals", () => {
  it("name the kernel and the user", () => {
    assert.equal(refusal({}), "");
    assert.match(refusal({}, {}, 5), /takes Landlock ABI 6, Linux 6.12, .*this kernel has ABI 5, Linux 6.10/);
    assert.match(refusal({}, {}, -95), /this kernel has no Landlock, or it is off/);
    assert.match(
      refusal({}, { uid: 0 }),
      /^Namespaces are refused here \(clone3: EPERM\).*the user is root.*ordinary user\.$/,
    );
  });

  it("name a filter that is none of ours, or that looks at other architectures", () => {
    const words = /without the default filter of system calls/;
    assert.match(refusal({ seccomp: { defaultAction: "SCMP_ACT_ERRNO" } }), words);
    assert.match(refusal({ seccomp: { extends: "default", architectures: ["SCMP_ARCH_X86"] } }), words);
  });

  it("name what is protected in any folder that can be written, unless it was given up by name", () => {
    const facts: Partial<HostFacts> = {
      protected: [
        { path: "/home/me/project/.git/hooks", kind: "directory" },
        { path: "/home/me/project/.vscode", kind: "missing" },
      ],
      paths: { "/home/me/project/.git/hooks": { real: "/home/me/project/.git/hooks", kind: "directory" } },
    };
    assert.match(refusal({}, facts), /acts upon \/home\/me\/project\/.git\/hooks outside/);
    assert.equal(refusal({ filesystem: { write: [".git/hooks"] } }, facts), "");
    assert.equal(refusal({ filesystem: { workspace: "readonly" } }, facts), "");
  });

  it("name a secret in a folder that can be written", () => {
    const facts: Partial<HostFacts> = {
      paths: { "/home/me/.config": { real: "/home/me/.config", kind: "directory" } },
    };
    assert.match(
      refusal({ filesystem: { write: ["~/.config"] } }, facts),
      /\/home\/me\/.config\/.* would be hidden or read-only/,
    );
  });
});
