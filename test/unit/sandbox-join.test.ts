// What a command that joins a sandbox keeps of the options that the sandbox was started with.

import assert from "node:assert/strict";
import { compile, readHostFacts, resolveProfile } from "../../src/sandbox";
import { compileJoin } from "../../src/sandbox/join";

describe("compileJoin", () => {
  const profile = resolveProfile("build");
  const context = { workspace: process.cwd() };
  const command = { file: "true" };

  it("keeps every restriction of the first command, one that is new to it too", async () => {
    const facts = await readHostFacts(context, { profile, command });
    const first = compile(command, profile, context, facts);
    const rlimits = [{ type: "RLIMIT_CORE", soft: 0, hard: 0 }];
    const joined = compileJoin(command, profile, facts, 9, { ...first, sys: { ...first.sys, rlimits, umask: 0o77 } });
    assert.deepEqual(joined.sys, {
      setns: [{ fd: 9, nstype: first.sys?.cloneflags }],
      setsid: true,
      pdeathsig: "SIGKILL",
      rlimits,
      umask: 0o77,
      capabilities: { bounding: [], effective: [], permitted: [], inheritable: [] },
      noNewPrivileges: true,
      landlock: first.sys?.landlock,
      newSessionKeyring: true,
      seccomp: first.sys?.seccomp,
    });
  });
});
