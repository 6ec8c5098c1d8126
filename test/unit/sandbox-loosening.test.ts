// What a task asks beyond the user's profile: every key of the schema, loosened alone, is seen and named.

import assert from "node:assert/strict";
import { z } from "zod";
import { type LooseningFacts, loosenings } from "../../src/sandbox/loosening";
import type { PathFact } from "../../src/sandbox/path-facts";
import { BUILT_IN_PROFILES, resolveProfile, withEnvironment } from "../../src/sandbox/profiles";
import { requestHash, type TaskRequest } from "../../src/sandbox/request";
import { type ProfileDefinition, type ProfileRef, profileSchema } from "../../src/sandbox/schema";
import { steers } from "../../src/sandbox/steering-variables";

const facts: LooseningFacts = { home: "/home/me", workspace: "/home/me/project", paths: {}, matches: {} };

/** What is beyond, as "key: what it allows". */
function beyond(asked: ProfileRef, own: ProfileRef = "build", paths: Record<string, PathFact> = {}): string[] {
  const found = loosenings(resolveProfile(asked), resolveProfile(own), { ...facts, paths });
  for (const { allows, why } of found) assert.ok(allows !== "" && why !== "", "said in words");
  return found.map(({ key, allows }) => `${key}: ${allows}`);
}

/** For each key of the schema: what a user may have, and something looser that a task asks for. */
const LOOSER: readonly (readonly [key: string, own: ProfileDefinition, asked: ProfileDefinition])[] = [
  ["filesystem.workspace", { filesystem: { workspace: "readonly" } }, { filesystem: { workspace: "readwrite" } }],
  ["filesystem.read", {}, { filesystem: { read: ["~/.config/app"] } }],
  ["filesystem.write", {}, { filesystem: { write: ["~/.npm"] } }],
  ["filesystem.write", { filesystem: { read: ["~/.npm"] } }, { filesystem: { write: ["~/.npm"] } }],
  ["filesystem.hide", { filesystem: { hide: ["secrets"] } }, {}],
  ["filesystem.workspace", { filesystem: { workspace: "readonly" } }, { filesystem: { workspace: "copy-on-write" } }],
  ["filesystem.workspace", { filesystem: { workspace: "copy-on-write" } }, {}],
  ["filesystem.tmp", {}, { filesystem: { tmp: "shared" } }],
  ["filesystem.caches", {}, { filesystem: { caches: "writable" } }],
  ["capabilities", { capabilities: ["CAP_KILL"] }, { capabilities: ["CAP_KILL", "CAP_NET_RAW"] }],
  ["network", { network: "none" }, { network: "loopback" }],
  ["network", {}, { network: "host" }],
  ["network", { network: "none" }, { network: "host" }],
  ["namespaces", {}, { namespaces: ["user", "mount", "pid", "uts", "cgroup", "net"] }],
  ["namespaces", { namespaces: ["user", "mount", "pid", "ipc", "uts", "cgroup", "net", "time"] }, {}],
  ["seccomp", {}, { seccomp: "off" }],
  ["seccomp", {}, { seccomp: { extends: "default", syscalls: [{ names: ["keyctl"], action: "SCMP_ACT_ALLOW" }] } }],
  ["limits.wallTime", { limits: { wallTime: "90s" } }, { limits: { wallTime: "2m" } }],
  ["limits.wallTime", { limits: { wallTime: "90s" } }, {}],
  ["limits.cpuTime", { limits: { cpuTime: "5m" } }, { limits: { cpuTime: "1h" } }],
  ["limits.openFiles", { limits: { openFiles: 100 } }, { limits: { openFiles: 101 } }],
  ["limits.fileSize", { limits: { fileSize: "100M" } }, { limits: { fileSize: 2 ** 30 } }],
  ["limits.memory", { limits: { memory: "512M" } }, { limits: { memory: "2G" } }],
  ["limits.memory", { limits: { memory: "512M" } }, {}],
  ["limits.swap", { limits: { memory: "1G" } }, { limits: { memory: "1G", swap: "1G" } }],
  ["limits.pids", { limits: { pids: 100 } }, { limits: { pids: 101 } }],
  ["limits.cpus", { limits: { cpus: 0.5 } }, {}],
  ["limits.ioWeight", { limits: { ioWeight: 50 } }, {}],
  ["limits.ioWeight", {}, { limits: { ioWeight: 500 } }],
  ["landlock", {}, { landlock: "off" }],
  ["fallback", {}, { fallback: "landlock" }],
  ["environment.inherit", {}, { environment: { inherit: ["GITHUB_TOKEN"] } }],
  ["environment.inherit", { environment: { inherit: ["GITHUB_TOKEN"] } }, { environment: { inherit: "all" } }],
  ["environment.set.LD_PRELOAD", {}, { environment: { set: { LD_PRELOAD: "./x.so" } } }],
];

/** Every key of a profile that holds a value: 'filesystem.read'. */
function schemaKeys(schema: z.ZodObject, prefix = ""): string[] {
  return Object.entries(schema.shape).flatMap(([key, value]) => {
    const inner: unknown = value instanceof z.ZodOptional ? value.unwrap() : value;
    const isGroup = inner instanceof z.ZodObject && ["filesystem", "limits", "environment"].includes(key);
    return isGroup ? schemaKeys(inner, `${key}.`) : [`${prefix}${key}`];
  });
}

/** A whole profile that takes nothing from anywhere but "build". */
function ref(definition: ProfileDefinition): ProfileRef {
  return { ...definition, extends: "build" };
}

describe("loosening", () => {
  it("is held against every key of the schema", () => {
    const tried = new Set(LOOSER.map(([key]) => key.split(".").slice(0, 2).join(".")));
    const keys = schemaKeys(profileSchema).filter((key) => key !== "extends");
    assert.deepEqual([...tried].sort(), keys.sort());
  });

  for (const [key, own, asked] of LOOSER) {
    it(`sees ${key} go from ${JSON.stringify(own)} to ${JSON.stringify(asked)}, and nothing else`, () => {
      const found = loosenings(resolveProfile(ref(asked)), resolveProfile(ref(own)), facts);
      assert.deepEqual(
        found.map((one) => one.key),
        [key],
      );
    });

    it(`asks nothing for less: ${key} from ${JSON.stringify(asked)} to ${JSON.stringify(own)}`, () => {
      assert.deepEqual(beyond(ref(own), ref(asked)), []);
    });
  }

  it("asks nothing for the same", () => {
    for (const name of Object.keys(BUILT_IN_PROFILES)) assert.deepEqual(beyond(name, name), []);
  });

  it("sees a looser profile behind a name", () => {
    assert.deepEqual(beyond("strict"), []);
    assert.match(beyond("install").join("\n"), /^network: reach the network of this machine/m);
    assert.deepEqual(
      beyond("build", "strict").map((one) => one.split(":")[0]),
      ["filesystem.workspace", "network"],
    );
  });

  it("counts a path only when it is the very same: what lies in a folder may be a link", () => {
    const own = ref({ filesystem: { read: ["/srv/data"], write: ["../shared"] } });
    assert.deepEqual(beyond(ref({ filesystem: { read: ["/srv/../srv/data/", "/home/me/shared"] } }), own), []);
    assert.deepEqual(beyond(ref({ filesystem: { read: ["/srv/data/sub"] } }), own), [
      "filesystem.read: read /srv/data/sub",
    ]);
    assert.deepEqual(beyond(ref({ filesystem: { write: ["/srv/data"] } }), own), [
      "filesystem.write: read and change /srv/data",
    ]);
  });

  it("tells where a link leads", () => {
    const paths: Record<string, PathFact> = {
      "/home/me/project/cache": { real: "/home/me/.ssh", kind: "directory" },
    };
    assert.deepEqual(beyond(ref({ filesystem: { write: ["cache"] } }), "build", paths), [
      "filesystem.write: read and change /home/me/project/cache (leads to /home/me/.ssh)",
    ]);
  });

  it("tells where the matches of a pattern lie, when its folder is a link", () => {
    const asked = ref({ filesystem: { read: ["links/*"] } });
    const matching = (...reals: string[]): LooseningFacts => ({
      ...facts,
      matches: { "links/*": reals.map((real): PathFact => ({ real, kind: "file" })) },
    });
    const words = (at: LooseningFacts): string | undefined =>
      loosenings(resolveProfile(asked), resolveProfile("build"), at)[0]?.allows;
    assert.equal(words(matching("/home/me/project/links/a")), "read /home/me/project/links/*");
    assert.equal(
      words(matching("/home/me/.ssh/id", "/home/me/.ssh/config")),
      "read /home/me/project/links/* (leads to /home/me/.ssh/id, /home/me/.ssh/config)",
    );
  });

  it("sees the variables that steer programs, and no others", () => {
    const task = (set: Record<string, string>): string[] => beyond(withEnvironment("build", set));
    assert.deepEqual(task({ CI: "1", NODE_ENV: "test", GREETING: "hello", CC: "clang" }), []);
    assert.deepEqual(task({ PATH: "./bin" }), ['environment.set.PATH: set the variable PATH to "./bin"']);
    for (const name of ["LD_PRELOAD", "NODE_OPTIONS", "GIT_SSH_COMMAND", "BASH_ENV", "https_proxy", "PYTHONPATH"]) {
      assert.equal(task({ [name]: "x" }).length, 1, name);
    }
    assert.equal(steers("PATHS"), undefined);
    // What the user's own profile sets to the same value is the user's.
    assert.deepEqual(beyond(withEnvironment("build", { PATH: "a" }), withEnvironment("build", { PATH: "a" })), []);
  });

  it("does not ask for variables that every sandbox gets", () => {
    assert.deepEqual(beyond(ref({ environment: { inherit: ["LANG", "PATH"] } })), []);
    assert.deepEqual(beyond(ref({ environment: { inherit: ["LANG", "A", "B", "NPM_TOKEN"] } })), [
      "environment.inherit: get NPM_TOKEN of the editor's environment",
      "environment.inherit: get A, B of the editor's environment",
    ]);
    assert.deepEqual(beyond(ref({ environment: { inherit: ["X"] } }), ref({ environment: { inherit: "all" } })), []);
  });
});

describe("the hash of a request", () => {
  const profile = resolveProfile({
    extends: "install",
    filesystem: { write: ["~/x"] },
    environment: { set: { A: "1", B: "2" } },
  });
  const request: TaskRequest = {
    name: "setup",
    workspace: "/home/me/project",
    file: "/bin/sh",
    args: ["-c", "npm ci"],
    cwd: "/home/me/project",
    profile,
    beyond: loosenings(profile, resolveProfile("build"), facts),
  };
  const hash = requestHash(request);

  it("is SHA-256 in hexadecimal", () => assert.match(hash, /^[0-9a-f]{64}$/));

  it("is of the content, not of the order of keys", () => {
    const turned = JSON.parse(JSON.stringify(request), (_, value: unknown) =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).reverse())
        : value,
    );
    assert.equal(requestHash(turned), hash);
  });

  /** Every place in a JSON value that holds a string, a number or a truth value: as a function that changes it. */
  function* changes(value: unknown, path: string): Generator<readonly [path: string, changed: unknown]> {
    if (Array.isArray(value)) {
      for (const [index, inner] of value.entries()) {
        for (const [at, changed] of changes(inner, `${path}[${index}]`)) yield [at, value.with(index, changed)];
        yield [`${path} without [${index}]`, value.toSpliced(index, 1)];
      }
      yield [`${path} with one more`, [...value, "more"]];
    } else if (typeof value === "object" && value !== null) {
      for (const [key, inner] of Object.entries(value)) {
        for (const [at, changed] of changes(inner, `${path}.${key}`)) yield [at, { ...value, [key]: changed }];
      }
      yield [`${path} with one more`, { ...value, more: "more" }];
    } else {
      yield [path, `${String(value)} `];
    }
  }

  it("is another after any change to what is run, to its profile, or to what was shown", () => {
    const tried = [...changes(request, "request")].filter(([at]) => at !== "request with one more");
    assert.ok(tried.length > 40, `${tried.length}`);
    const hashes = new Set([hash, ...tried.map(([, changed]) => requestHash(changed as TaskRequest))]);
    assert.equal(hashes.size, tried.length + 1, "each change gives a hash of its own");
  });

  it("does not take one argument with a separator for two", () => {
    const split = requestHash({ ...request, args: ["-c", "npm", "ci"] });
    assert.notEqual(requestHash({ ...request, args: ["-c,npm", "ci"] }), split);
    assert.notEqual(requestHash({ ...request, args: ['-c","npm', "ci"] }), split);
  });
});
