// Options of the wrong type or range, and unknown ones: the path of each is named, and nothing is run.

import assert from "node:assert/strict";
import { api, inNamespaces, type Options, rejection, run } from "./spawner-world";

/** Options that the types forbid, as they come from a user's JSON. */
const untyped = (json: string): Options => JSON.parse(json) as Options;

describe("validate", () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    [
      '{"sys":{"uidMappings":[{"containerID":0,"hostID":0,"size":0}]}}',
      "sys.uidMappings[0].size",
      /must be at least 1/,
    ],
    [
      '{"sys":{"cloneflags":["CLONE_NEWPIDS"]}}',
      "sys.cloneflags[0]",
      /unknown flag "CLONE_NEWPIDS" \(did you mean "CLONE_NEWPID"\?\)/,
    ],
    ['{"sys":{"cloneflag":[]}}', "sys.cloneflag", /unknown option \(did you mean "cloneflags"\?\)/],
    ['{"stdoi":"pipe"}', "stdoi", /did you mean "stdio"/],
    ['{"cwd":7}', "cwd", /must be a string/],
    ['{"cwd":"a\\u0000b"}', "cwd", /NUL/],
    ['{"env":{"A=B":"x"}}', "env.A=B", /name of a variable/],
    ['{"terminal":{"columns":0,"rows":24}}', "terminal.columns", /at least 1/],
    ['{"terminal":{"columns":80,"rows":24},"stdio":"pipe"}', "stdio", /excludes terminal/],
    ['{"sys":{"hostname":"x"}}', "sys.hostname", /needs CLONE_NEWUTS/],
    ['{"sys":{"rootfs":{}}}', "sys.rootfs", /needs CLONE_NEWNS/],
    ['{"sys":{"loopback":true}}', "sys.loopback", /needs CLONE_NEWNET/],
    ['{"sys":{"init":true}}', "sys.init", /needs CLONE_NEWPID/],
    ['{"sys":{"rlimits":[{"type":"RLIMIT_NOFILES","soft":1,"hard":1}]}}', "sys.rlimits[0].type", /RLIMIT_NOFILE/],
    ['{"sys":{"rlimits":[{"type":"RLIMIT_NOFILE","soft":2,"hard":1}]}}', "sys.rlimits[0].soft", /above the hard limit/],
    [
      '{"sys":{"cloneflags":["CLONE_NEWUSER","CLONE_NEWNS"],"mounts":[{"destination":"etc","type":"tmpfs"}]}}',
      "sys.mounts[0].destination",
      /absolute/,
    ],
    [
      '{"sys":{"cloneflags":["CLONE_NEWUSER","CLONE_NEWNS"],"mounts":[{"destination":"/etc"}]}}',
      "sys.mounts[0].type",
      /must be given/,
    ],
    ['{"sys":{"secomp":{}}}', "sys.secomp", /unknown option/],
    ['{"sys":{"seccomp":{}}}', "sys.seccomp.defaultAction", /must be one of SCMP_ACT_KILL, /],
    ['{"sys":{"cloneflags":[5]}}', "sys.cloneflags[0]", /must be a string/],
    ['{"sys":{"cloneflags":{}}}', "sys.cloneflags", /must be an array/],
    ['{"sys":[]}', "sys", /must be an object/],
    ["null", "", /must be an object/],
    ['{"timeout":-1}', "timeout", /at least 0/],
    ['{"cwd":""}', "cwd", /must not be empty/],
    [`{"cwd":"/${"x".repeat(4095)}"}`, "cwd", /at most 4095 bytes/],
    ['{"argv0":"\\ud800"}', "argv0", /half a surrogate pair/],
    ['{"stdio":["pip"]}', "stdio[0]", /must be 'pipe', 'ignore', 'inherit', an fd or null/],
    ['{"stdio":[4294967296]}', "stdio[0]", /at most 2147483647/],
    ['{"stdio":"pip"}', "stdio", /must be 'pipe', 'ignore', 'inherit' or a list/],
    ['{"killSignal":"SIGKIL"}', "killSignal", /did you mean "SIGKILL"/],
    ['{"sys":{"credential":{"uid":4294967295,"gid":0}}}', "sys.credential.uid", /at most 4294967294/],
    ['{"sys":{"ambientCaps":["CAP_NET_ADMINS"]}}', "sys.ambientCaps[0]", /did you mean "CAP_NET_ADMIN"/],
    ['{"sys":{"oomScoreAdj":1001}}', "sys.oomScoreAdj", /at most 1000/],
    ['{"sys":{"umask":0.5}}', "sys.umask", /must be a whole number/],
  ];
  for (const [json, path, message] of cases) {
    it(`names ${path} in ${json}`, async () => {
      const problem = api.validate(untyped(json)).find((one) => one.path === path);
      assert.match(problem?.message ?? "", message);
      const error = await rejection(api.spawn("true", [], untyped(json)));
      assert.equal(error.step, "validate");
      assert.ok(error.message.startsWith(path === "" ? "must" : `${path}: `), error.message);
    });
  }

  it("finds nothing wrong with sound options", () => {
    assert.deepEqual(api.validate({}), []);
    assert.deepEqual(api.validate(inNamespaces(["CLONE_NEWPID", "CLONE_NEWNS"], { rootfs: {} })), []);
  });

  it("refuses a NUL in the command and its arguments", async () => {
    assert.match((await rejection(api.spawn("tr\0ue"))).message, /^file: must not contain a NUL byte/);
    assert.match((await rejection(api.spawn("true", ["a", "b\0"]))).message, /^args\[1\]: must not contain a NUL byte/);
    const number = JSON.parse("7") as string[];
    assert.match((await rejection(api.spawn("true", number))).message, /^args: must be an array/);
  });

  it("tells of an option that can't even be read", () => {
    const options = {
      get cwd(): string {
        throw new Error("not today");
      },
    };
    assert.deepEqual(api.validate(options), [{ path: "", message: "can't be read: not today" }]);
  });

  it("reads each option once: what was checked is what is run", async () => {
    let reads = 0;
    const options = {
      get cwd(): string {
        return reads++ === 0 ? "/proc" : "/tmp";
      },
    };
    assert.equal((await run("pwd", [], options)).stdout, "/proc\n");
    assert.equal(reads, 1);
  });
});
