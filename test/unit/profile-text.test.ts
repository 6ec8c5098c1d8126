// What "Explain Profile" says, for a machine that is described and not had.

import assert from "node:assert/strict";
import { resolveProfile } from "../../src/sandbox";
import { layout } from "../../src/sandbox/layout";
import type { ProfileRef } from "../../src/sandbox/schema";
import { profileText } from "../../src/views/profileText";
import { compiled, FACTS } from "./compiled";

describe("a profile, explained", () => {
  const textOf = (ref: ProfileRef): string => {
    const facts = {
      ...FACTS,
      caches: [{ path: "/home/me/.npm/_cacache", real: "/data/npm" }],
      settings: [{ path: "/home/me/.npmrc", content: "registry=https://x/\n" }],
      toolchains: [{ path: "/home/me/.cargo", real: "/home/me/.cargo" }],
      sockets: ["/var/lib/app/sock"],
      protected: [{ path: "/home/me/project/.git/hooks", kind: "directory" as const }],
    };
    const profile = resolveProfile(ref);
    const steps = [
      { name: "clone3", detail: "new user namespace" },
      { name: "seccomp", detail: "a filter of 9 instructions" },
    ];
    return profileText({ profile, facts, places: layout(profile, facts), options: compiled(ref, facts), steps });
  };

  it("names real paths with what may be done there, and why others are hidden", () => {
    const text = textOf("build");
    assert.match(
      text,
      /^What a task may do under the profile build\n=+\n\nFolder: \/home\/me\/project\nIn short: workspace writable, /,
    );
    assert.match(text, /^ {2}\/home\/me\/project: can be read and written$/m);
    assert.match(text, /^ {2}\/home\/me: empty and the sandbox's own; what is written there ends with it$/m);
    assert.match(text, /^ {2}\/data\/npm: can be read and written, and what is written ends with the sandbox$/m);
    assert.match(text, /^ {2}\/home\/me\/.npm\/_cacache: a link \(it is \/data\/npm\)$/m);
    assert.match(text, /^ {2}\/home\/me\/.cargo\/credentials.toml: passwords, tokens or keys$/m);
    assert.match(text, /^ {2}\/var\/lib\/app\/sock: a socket, through which/m);
    assert.match(text, /Protected[^\n]*\n-+\n\n {2}\/home\/me\/project\/.git\/hooks\n/);
    assert.match(text, /^ {2}Capabilities: none, in any of the five sets\.$/m);
    assert.match(text, /^ {2}seccomp: a filter of 9 instructions$/m);
    assert.match(text, /gets\n-+\n\n {2}HOME PATH TMPDIR\n/);
    assert.match(text, /^ {4}1 {2}clone3 new user namespace$/m);
  });

  it("follows the profile", () => {
    const text = textOf({
      extends: "strict",
      filesystem: { caches: "writable" },
      limits: { wallTime: "10m" },
      capabilities: ["CAP_KILL"],
    });
    assert.match(text, /^ {2}\/home\/me\/project: can be read$/m);
    assert.match(text, /^ {2}\/data\/npm: can be read and written$/m);
    assert.match(text, /^ {2}wallTime: 10m$/m);
    assert.match(text, /sandbox's own: CAP_KILL$/m);
    assert.match(text, /^ {2}None: no interface is up/m);
    assert.ok(!text.includes("Protected"));
  });
});
