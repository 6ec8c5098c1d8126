// Profiles: what may be written, what is said about what may not, and how they build on each other.

import assert from "node:assert/strict";
import fc from "fast-check";
import { describeProfile } from "../../src/sandbox/describe";
import { ProfileError } from "../../src/sandbox/errors";
import { BUILT_IN_PROFILES, profileNames, resolveProfile, withEnvironment } from "../../src/sandbox/profiles";
import { parseDuration, parseSize } from "../../src/sandbox/quantities";
import { type ProfileRef, profileSchema } from "../../src/sandbox/schema";

/** A profile as it comes from a JSON file: nothing is known about its type. */
function written(json: object): ProfileRef {
  return JSON.parse(JSON.stringify({ extends: "build", ...json }));
}

function errorOf(act: () => unknown): ProfileError {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof ProfileError, String(error));
    return error;
  }
  throw new Error("was not refused");
}

const refusal = (json: object): string => errorOf(() => resolveProfile(written(json))).message;

describe("profiles: what is refused, and in which words", () => {
  const cases: readonly [what: string, json: object, message: string | RegExp][] = [
    ["a misspelt key", { netwrok: "none" }, 'netwrok: unknown key; did you mean "network"?'],
    ["a misspelt key inside", { limits: { memroy: "2G" } }, 'limits.memroy: unknown key; did you mean "memory"?'],
    [
      "a key like no other",
      { colour: 1 },
      `colour: unknown key; known are ${Object.keys(profileSchema.shape).join(", ")}`,
    ],
    ["a misspelt value", { network: "hots" }, 'network: unknown value "hots"; did you mean "host"?'],
    [
      "a value like no other",
      { network: "everything" },
      'network: "everything" is not one of "none", "loopback", "host"',
    ],
    ["a value of the wrong kind", { network: 3 }, 'network: a number is not one of "none", "loopback", "host"'],
    [
      "a namespace nobody knows",
      { namespaces: ["user", "mont"] },
      'namespaces[1]: unknown value "mont"; did you mean "mount"?',
    ],
    ["a string for a list", { filesystem: { read: "/srv" } }, "filesystem.read: a list is needed here, not a string"],
    [
      "a number in a list of paths",
      { filesystem: { read: [1] } },
      "filesystem.read[0]: a string is needed here, not a number",
    ],
    ["an empty path", { filesystem: { read: [""] } }, "filesystem.read[0]: an empty path"],
    [
      "another user's home",
      { filesystem: { read: ["~bob/x"] } },
      /^filesystem.read\[0\]: another user's home is not looked up/,
    ],
    ["a list for an object", { limits: [] }, "limits: an object is needed here, not a list"],
    [
      "a duration without a unit",
      { limits: { wallTime: 90 } },
      /^limits.wallTime: a duration is a number with a unit in quotes/,
    ],
    ["no duration", { limits: { wallTime: "soon" } }, /^limits.wallTime: not a duration: write/],
    ["no size", { limits: { fileSize: "much" } }, /^limits.fileSize: not a size: write/],
    ["memory without its unit", { limits: { memory: 2 } }, /^limits.memory: less than 1M: no program runs in that/],
    ["memory in words", { limits: { memory: "lots" } }, /^limits.memory: not a size/],
    ["no process but our PID 1", { limits: { pids: 1 } }, "limits.pids: 1 is too small"],
    ["no CPU", { limits: { cpus: 0 } }, "limits.cpus: 0 is too small"],
    ["more than the whole disk", { limits: { ioWeight: 10_001 } }, "limits.ioWeight: 10001 is too big"],
    ["no files at all", { limits: { openFiles: 0 } }, "limits.openFiles: 0 is too small"],
    ["half a file", { limits: { openFiles: 1.5 } }, /^limits.openFiles: a whole number is needed here/],
    [
      "one variable for a list",
      { environment: { inherit: "PATH" } },
      'environment.inherit: a list of variable names, or "all"',
    ],
    ["a variable with a '='", { environment: { inherit: ["A=B"] } }, /^environment.inherit\[0\]: a variable's name/],
    [
      "a number as a variable's value",
      { environment: { set: { A: 1 } } },
      "environment.set.A: a string is needed here, not a number",
    ],
  ];
  for (const [what, json, message] of cases) {
    it(what, () => {
      const said = refusal(json);
      typeof message === "string" ? assert.equal(said, message) : assert.match(said, message);
    });
  }

  it("what a later version will offer: by name, and never ignored", () => {
    assert.match(refusal({ network: { allow: ["x"] } }), /^network: \{allow, publish\} is not supported yet/);
  });

  it("capabilities, each with why it is not granted", () => {
    const of = (name: string): string => refusal({ capabilities: ["CAP_KILL", name] });
    assert.equal(of("CAP_KIL"), 'capabilities[1]: unknown value "CAP_KIL"; did you mean "CAP_KILL"?');
    assert.match(of("CAP_SYS_ADMIN"), /^capabilities\[1\]: CAP_SYS_ADMIN can't be granted: .* unmount what hides/);
    assert.match(of("CAP_SYS_PTRACE"), /can't be granted: .* joins the sandbox from outside/);
    assert.match(of("CAP_SETFCAP"), /can't be granted: .* would hold outside/);
    assert.match(of("CAP_SYS_TIME"), /can't be granted: the kernel asks for it in the initial user namespace/);
    assert.match(refusal({ capabilities: "CAP_KILL" }), /^capabilities: a list is needed here/);
  });

  it("patterns that can't be told apart from others", () => {
    assert.match(refusal({ filesystem: { hide: ["*/../x"] } }), /^filesystem.hide\[0\]: ".." can't stand behind/);
    assert.match(refusal({ filesystem: { read: ["{a/b,c}"] } }), /^filesystem.read\[0\]: a {choice} can't hold a \//);
  });

  it("several at once, each on a line of its own", () => {
    const error = errorOf(() => resolveProfile(written({ netwrok: 1, limits: { wallTime: "x", opnFiles: 3 } })));
    assert.equal(error.problems.length, 3);
    assert.equal(error.message.split("\n").length, 3);
    assert.ok(error.problems.some(({ path, suggestion }) => path === "limits.opnFiles" && suggestion === "openFiles"));
  });

  it("a profile that is no object", () => {
    assert.equal(
      errorOf(() => resolveProfile("mine", { mine: 3 })).message,
      "sandbox.profiles.mine: an object is needed here, not a number",
    );
  });

  it("an unknown profile, with the nearest one, a user's own too", () => {
    const error = errorOf(() => resolveProfile("biuld"));
    assert.equal(error.message, 'profile: unknown profile "biuld"; did you mean "build"?');
    assert.equal(error.suggestion, "build");
    assert.equal(errorOf(() => resolveProfile("Frontent", { frontend: {} })).suggestion, "frontend");
    assert.match(errorOf(() => resolveProfile("quux")).message, /known are strict, build, install, shell$/);
    assert.equal(
      errorOf(() => resolveProfile({ extends: "instal" })).message,
      'extends: unknown profile "instal"; did you mean "install"?',
    );
  });

  it("names that every object has", () => {
    for (const name of ["constructor", "toString", "__proto__"]) {
      assert.throws(() => resolveProfile(name), ProfileError);
      assert.throws(
        () => resolveProfile(written(JSON.parse(`{"${name}": 1}`))),
        (error) => error instanceof ProfileError || name === "__proto__",
      );
    }
  });

  it("profiles that extend each other in a circle", () => {
    const own = { a: { extends: "b" }, b: { extends: "c" }, c: { extends: "a" } };
    assert.equal(
      errorOf(() => resolveProfile("a", own)).message,
      "sandbox.profiles.c.extends: profiles extend each other in a circle: a -> b -> c -> a",
    );
    assert.match(errorOf(() => resolveProfile("x", { x: { extends: "x" } })).message, /in a circle: x -> x/);
  });

  it("an error in a base is told where the base stands", () => {
    const own = { mine: { extends: "base" }, base: { limits: { openFile: 1 } } };
    assert.equal(errorOf(() => resolveProfile("mine", own)).path, "sandbox.profiles.base.limits.openFile");
  });

  it("whatever is written, the answer is a profile or a ProfileError", () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom("filesystem", "network", "namespaces", "limits", "environment", "extends", "x"),
          fc.json().map((text): unknown => JSON.parse(text)),
        ),
        (json) => {
          try {
            resolveProfile(JSON.parse(JSON.stringify(json)));
          } catch (error) {
            assert.ok(error instanceof ProfileError, String(error));
            assert.ok(error.problems.every(({ path, message }) => path !== "" && message !== ""));
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("profiles: how they build on each other", () => {
  it("the built-in ones are what the manual says", () => {
    assert.deepEqual(Object.keys(BUILT_IN_PROFILES), ["strict", "build", "install", "shell"]);
    assert.equal(resolveProfile("build").filesystem.workspace, "readwrite");
    assert.equal(resolveProfile("build").network, "loopback");
    assert.equal(resolveProfile("strict").filesystem.workspace, "readonly");
    assert.equal(resolveProfile("strict").network, "none");
    assert.equal(resolveProfile("install").network, "host");
    assert.deepEqual({ ...resolveProfile("shell"), name: "build" }, resolveProfile("build"));
  });

  it("lists add up, so that nothing a base hides is shown again; the rest is replaced", () => {
    const own = {
      base: {
        filesystem: { hide: ["/srv"], workspace: "readonly" },
        limits: { wallTime: "1m", openFiles: 9 },
        environment: { set: { A: "1", B: "1" } },
      },
      mine: {
        extends: "base",
        filesystem: { hide: ["/opt"] },
        limits: { wallTime: "2m" },
        environment: { set: { B: "2" } },
      },
    };
    const profile = resolveProfile("mine", own);
    assert.deepEqual(profile.filesystem.hide, ["/srv", "/opt"]);
    assert.equal(profile.filesystem.workspace, "readonly");
    assert.deepEqual(profile.limits, { wallTime: "2m", openFiles: 9 });
    assert.deepEqual(profile.environment.set, { A: "1", B: "2" });
  });

  it("a user's profile may change a built-in one of its name, without changing the others", () => {
    const own = { build: { extends: "build", network: "host" } };
    assert.equal(resolveProfile("build", own).network, "host");
    assert.equal(resolveProfile({ extends: "build", limits: { wallTime: "1s" } }, own).network, "host");
    assert.equal(resolveProfile("strict", own).network, "none");
    assert.equal(resolveProfile("shell", own).network, "loopback");
    assert.equal(resolveProfile("build", { build: {} }).network, "loopback");
  });

  it("one that names no base starts from build", () => {
    assert.deepEqual({ ...resolveProfile("mine", { mine: {} }), name: "build" }, resolveProfile("build"));
  });

  it("one that was changed in place says so in its name", () => {
    assert.equal(resolveProfile({ extends: "strict" }).name, "strict");
    assert.equal(resolveProfile({ extends: "strict", network: "host" }).name, "strict (changed)");
  });

  it("do not count a task's own variables as a change", () => {
    assert.equal(resolveProfile(withEnvironment("build", { A: "1" })).name, "build");
    assert.equal(resolveProfile({ extends: "build", environment: { set: { A: "1" } } }).name, "build");
    assert.equal(
      resolveProfile(withEnvironment({ extends: "build", network: "host" }, { A: "1" })).name,
      "build (changed)",
    );
    assert.equal(resolveProfile({ extends: "build", environment: { inherit: ["A"] } }).name, "build (changed)");
  });

  it("knows the user's names beside the built-in ones", () => {
    assert.deepEqual(profileNames({ mine: {}, build: {} }), ["strict", "build", "install", "shell", "mine"]);
  });

  it("a task's own variables are added to whichever profile it names", () => {
    assert.equal(withEnvironment("build", {}), "build");
    const ref = withEnvironment({ extends: "build", environment: { inherit: ["X"], set: { A: "1" } } }, { B: "2" });
    assert.deepEqual(resolveProfile(ref).environment, { inherit: ["X"], set: { A: "1", B: "2" } });
  });
});

describe("profiles: in plain words", () => {
  it("say what may be done", () => {
    assert.equal(
      describeProfile(resolveProfile("build")),
      "workspace writable, host read-only, home hidden but for toolchains, no network but its own loopback",
    );
    assert.match(describeProfile(resolveProfile("strict")), /^workspace read-only, .* no network$/);
    assert.match(
      describeProfile(resolveProfile("install")),
      /package caches writable, the host's network and local services$/,
    );
    const thrown = resolveProfile({
      extends: "build",
      filesystem: { workspace: "copy-on-write" },
      capabilities: ["CAP_NET_RAW"],
    });
    assert.match(describeProfile(thrown), /^changes to the workspace thrown away, .*, with CAP_NET_RAW inside$/);
  });

  it("name what differs", () => {
    const profile = resolveProfile({
      extends: "build",
      filesystem: { write: ["~/.npm"], hide: ["a", "b", "c", "d"], tmp: "shared" },
      limits: { wallTime: "10m" },
      environment: { inherit: "all" },
    });
    assert.equal(
      describeProfile(profile),
      "workspace writable, host read-only, home hidden but for toolchains, can write ~/.npm, can't see a, b and 2 more, the host's /tmp, " +
        "no network but its own loopback, the editor's whole environment, ended after 10m",
    );
  });
});

describe("profiles: durations and sizes", () => {
  it("are read as people write them", () => {
    assert.equal(parseDuration("500ms"), 500);
    assert.equal(parseDuration("1h30m"), 5_400_000);
    assert.equal(parseDuration(" 1.5 s "), 1500);
    assert.equal(parseSize("4096"), 4096);
    assert.equal(parseSize("2G"), 2 ** 31);
    assert.equal(parseSize("1.5 MiB"), 1.5 * 2 ** 20);
    assert.equal(parseSize("10kb"), 10240);
  });

  it("are refused when they are none, or make no sense", () => {
    for (const text of ["", "10", "m", "10 minutes", "-5s", "0s", "1m5", "1e3s", "999999d"]) {
      assert.equal(parseDuration(text), undefined, text);
    }
    for (const text of ["", "G", "-1", "1 X", "1e9", "99999999T", "0x10"]) {
      assert.equal(parseSize(text), undefined, text);
    }
  });
});
