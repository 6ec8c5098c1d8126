// Hints: what the messages of ordinary programs say about the sandbox, and how little a program can do with them.

import assert from "node:assert/strict";
import type { Denial } from "../../src/sandbox/denials";
import { HintReader } from "../../src/sandbox/hint-reader";
import { type Finding, findingIn, hintOf, type OnHost, pathOf } from "../../src/sandbox/hints";
import type { HostFacts } from "../../src/sandbox/host";
import { layout } from "../../src/sandbox/layout";
import { resolveProfile } from "../../src/sandbox/profiles";
import type { ProfileRef } from "../../src/sandbox/schema";
import type { Isolation } from "../../src/sandbox/types";

const HOME = "/home/me";
const WORKSPACE = "/home/me/project";

const FACTS = {
  uid: 1000,
  gid: 1000,
  home: HOME,
  workspace: WORKSPACE,
  environment: {},
  privateFolders: ["/run", HOME],
  temporaryFolders: ["/tmp"],
  toolchains: [],
  secrets: [],
  sockets: [],
  protected: [{ path: `${WORKSPACE}/.git/hooks`, kind: "directory" }],
  resolver: undefined,
  links: [],
  paths: {},
  limits: [],
  inRootCgroup: false,
  inOldCgroups: false,
  caches: [],
  settings: [],
  mountPoints: [],
  matches: {},
  entries: {},
} satisfies HostFacts;

/** What a line of output comes to. */
function hint(
  line: string,
  ref: ProfileRef = "build",
  is: OnHost["is"] = "there",
  { isolation = "namespaces", canWrite = true }: { isolation?: Isolation; canWrite?: boolean } = {},
): Denial | undefined {
  const finding = findingIn(line);
  if (finding === undefined) return undefined;
  const profile = resolveProfile(ref);
  const shown = { profile, places: layout(profile, FACTS), facts: FACTS, isolation };
  return hintOf(finding, shown, pathOf(finding, FACTS, WORKSPACE), { is, canWrite });
}

describe("what programs print when they are refused", () => {
  const lines: readonly (readonly [line: string, finding: Finding | undefined])[] = [
    ["touch: cannot touch '/etc/x': Read-only file system", { error: "EROFS", path: "/etc/x" }],
    ["touch: cannot touch ‘/etc/x y’: Read-only file system", { error: "EROFS", path: "/etc/x y" }],
    ["sh: 1: cannot create /etc/x: Read-only file system", { error: "EROFS", path: "/etc/x" }],
    ["bash: line 1: /etc/x: Read-only file system", { error: "EROFS", path: "/etc/x" }],
    ["Error: EROFS: read-only file system, open '/etc/x'", { error: "EROFS", path: "/etc/x" }],
    ["OSError: [Errno 30] Read-only file system: '/etc/x'", { error: "EROFS", path: "/etc/x" }],
    ["cat: /home/me/.ssh/id: No such file or directory", { error: "ENOENT", path: "/home/me/.ssh/id" }],
    ["Error: ENOENT: no such file or directory, open '/srv/a'", { error: "ENOENT", path: "/srv/a" }],
    ["cat: /root/x: Permission denied", { error: "EACCES", path: "/root/x" }],
    ["PermissionError: [Errno 13] Permission denied: 'sub/x'", { error: "EACCES", path: "sub/x" }],
    ["curl: (6) Could not resolve host: example.com", { error: "EAI_AGAIN", what: "resolve example.com" }],
    ["Error: getaddrinfo EAI_AGAIN registry.npmjs.org", { error: "EAI_AGAIN", what: "resolve registry.npmjs.org" }],
    ["No way out: EAI_AGAIN", { error: "EAI_AGAIN", what: "resolve a host name" }],
    ["ping: x: Temporary failure in name resolution", { error: "EAI_AGAIN", what: "resolve a host name" }],
    ["Error: connect ENETUNREACH 192.0.2.1:443", { error: "ENETUNREACH", what: "connect 192.0.2.1:443" }],
    ["connect: Network is unreachable", { error: "ENETUNREACH", what: "connect" }],
    ["Permission denied", undefined],
    ["hello", undefined],
    ["", undefined],
  ];
  for (const [line, finding] of lines) {
    it(`is understood: ${line}`, () => assert.deepEqual(findingIn(line), finding));
  }
});

describe("a hint", () => {
  it("names the rule and what would allow it", () => {
    const cases: readonly (readonly [
      line: string,
      profile: ProfileRef,
      at: OnHost["is"],
      rule: string,
      allow: unknown,
    ])[] = [
      [
        "cat: /home/me/.config/app: No such file or directory",
        "build",
        "there",
        "filesystem.read",
        { read: ["/home/me/.config/app"] },
      ],
      [
        "touch: cannot touch '/srv/x/y': Read-only file system",
        "build",
        "there",
        "filesystem.write",
        { write: ["/srv/x/y"] },
      ],
      [
        "touch: cannot touch '/srv/x/y': Read-only file system",
        "build",
        "missing",
        "filesystem.write",
        { write: ["/srv/x"] },
      ],
      [
        "mkdir: cannot create directory 'dist': Read-only file system",
        "strict",
        "missing",
        "filesystem.workspace",
        { workspace: "readwrite" },
      ],
    ];
    for (const [line, profile, at, rule, filesystem] of cases) {
      const found = hint(line, profile, at);
      assert.equal(found?.certainty, "hint");
      assert.equal(found.by, "filesystem");
      assert.equal(found.rule, rule);
      assert.deepEqual(found.allow, { filesystem });
    }
    const network = hint("Error: connect ENETUNREACH 192.0.2.1:443");
    assert.deepEqual(network?.allow, { network: "host" });
    assert.equal(network.rule, "network");
  });

  it("offers nothing where a profile can't or should not allow it", () => {
    const refused: readonly (readonly [line: string, rule: string, profile?: ProfileRef])[] = [
      // Guarded in every profile.
      ["touch: cannot touch '.git/hooks/post-commit': Read-only file system", "filesystem"],
      // A folder of the system, writable as a whole.
      ["touch: cannot touch '/etc/x': Read-only file system", "filesystem.write"],
      // Keys: a program must not talk anybody into it.
      ["cat: /home/me/.ssh/id_ed25519: No such file or directory", "filesystem.read"],
      ["cat: /home/me/.npmrc: No such file or directory", "filesystem.read"],
      // What the user hides.
      [
        "cat: /srv/a: No such file or directory",
        "filesystem.hide",
        { extends: "build", filesystem: { hide: ["/srv/a"] } },
      ],
    ];
    for (const [line, rule, profile] of refused) {
      const found = hint(line, profile, line.includes("/etc/x") || line.includes("hooks") ? "missing" : "there");
      assert.equal(found?.rule, rule, line);
      assert.equal(found.allow, undefined, line);
    }
  });

  it("takes a refused permission for a refused write where Landlock alone holds", () => {
    const alone = { isolation: "landlock" } as const;
    const write = (path: string) => `sh: 1: cannot create ${path}: Permission denied`;
    const folder = { filesystem: { write: ["/srv/x"] } };
    assert.deepEqual(hint(write("/srv/x/y"), "build", "missing", alone)?.allow, folder);
    assert.deepEqual(hint(write("/srv/x"), "build", "there", alone)?.allow, folder);
    // In the home folder nothing is shown, and what is to be made there would show all of it.
    assert.equal(hint(write("/home/me/notes"), "build", "missing", alone)?.rule, "filesystem.write");
    assert.equal(hint(write("/home/me/notes"), "build", "missing", alone)?.allow, undefined);
    assert.deepEqual(hint(write("/home/me/a/b"), "build", "missing", alone)?.allow, {
      filesystem: { write: ["/home/me/a"] },
    });
    assert.equal(hint(write(".git/hooks/x"), "build", "missing", alone)?.allow, undefined);
    // Whoever may not write there outside has nothing from the profile.
    assert.equal(hint(write("/srv/x"), "build", "there", { ...alone, canWrite: false }), undefined);
  });

  it("is none where the sandbox had no part in it", () => {
    assert.equal(hint("cat: nothing.txt: No such file or directory", "build", "missing"), undefined);
    assert.equal(hint("cat: file.txt: Permission denied", "build", "there"), undefined);
    assert.equal(hint("cat: /home/other/x: Permission denied", "build", "refused"), undefined);
    assert.equal(hint("touch: cannot touch 'file.txt': Read-only file system", "build"), undefined);
    assert.equal(hint("Error: connect ENETUNREACH 192.0.2.1:443", "install"), undefined);
  });
});

describe("the reader of hints", () => {
  const LINE = "Error: connect ENETUNREACH 192.0.2.1:443";

  function reader() {
    const asked: Finding[] = [];
    const found: Denial[] = [];
    const one = new HintReader(
      async (finding) => {
        asked.push(finding);
        return hint(LINE);
      },
      (denial) => found.push(denial),
    );
    return { one, asked, found };
  }

  it("takes lines in pieces, with colours and carriage returns", async () => {
    const { one, found } = reader();
    void one.read("some output\r\n\x1b[31mError: connect ENET");
    assert.equal(found.length, 0);
    await one.read("UNREACH 192.0.2.1:443\x1b[0m\r\nmore");
    assert.equal(found.length, 1);
  });

  it("looks into each finding once, and counts it each time", async () => {
    const { one, asked, found } = reader();
    await one.read(`${LINE}\n${LINE}\n`);
    await one.read(`${LINE}\n`);
    assert.equal(asked.length, 1);
    assert.equal(found.length, 3);
  });

  it("looks into a bounded number of them, whatever is printed", async () => {
    const { one, asked } = reader();
    for (let i = 0; i < 100; i++) {
      const lines = Array.from({ length: 100 }, (_, j) => `cat: /x/${i}/${j}: No such file or directory`);
      await one.read(`${lines.join("\n")}\n`);
    }
    assert.equal(asked.length, 200);
  });

  it("keeps no line that does not end", async () => {
    const { one, asked } = reader();
    for (let i = 0; i < 100; i++) void one.read("x".repeat(10_000));
    await one.read(` ${LINE}\n`);
    // It is part of a line of a million characters: no message of anybody.
    assert.equal(asked.length, 0);
    await one.read(`${LINE}\n`);
    assert.equal(asked.length, 1);
  });

  it("goes on when a finding can't be looked into", async () => {
    const found: Denial[] = [];
    const one = new HintReader(
      () => Promise.reject(new Error("no")),
      (denial) => found.push(denial),
    );
    await one.read(`${LINE}\n`);
    assert.deepEqual(found, []);
  });
});
