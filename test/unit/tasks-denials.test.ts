// What was refused, in the words of the terminal, and the question before a profile is changed.

import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import { allowText } from "../../src/commands/allowText";
import { denialLabel, describeDenial } from "../../src/format";
import { changeToAllow } from "../../src/sandbox/allow";
import type { Denial } from "../../src/sandbox/denials";
import { loosenings } from "../../src/sandbox/loosening";
import { resolveProfile } from "../../src/sandbox/profiles";
import { denialText } from "../../src/tasks/denialText";

const HINT: Denial = {
  by: "filesystem",
  certainty: "hint",
  what: "/srv/data",
  path: "/srv/data",
  rule: "filesystem.read",
  count: 1,
  allow: { filesystem: { read: ["/srv/data"] } },
};

const TOLD: Denial = { by: "seccomp", certainty: "told", what: "keyctl", rule: "seccomp", command: "npm", count: 3 };

describe("the end of a terminal", () => {
  const text = (denials: readonly Denial[]): string =>
    stripVTControlCharacters(denialText(denials, ({ allow }) => allow && "Allow this... [1]", 200));

  it("says nothing when nothing was refused", () => assert.equal(text([]), ""));

  it("says what was refused, by which rule, how sure that is, and how to allow it", () => {
    assert.deepEqual(text([TOLD, HINT]).split("\r\n"), [
      "⊘ The sandbox refused 2 things:",
      "  keyctl",
      "    seccomp · npm · 3 times",
      "  /srv/data",
      "    filesystem.read · a guess from what was printed",
      "    Allow this... [1]",
      "",
    ]);
    assert.match(text([TOLD]), /^⊘ The sandbox refused this:/);
    assert.equal(describeDenial({ ...TOLD, count: 1 }), "seccomp · npm");
  });

  it("is short, and can't be steered by what was refused", () => {
    const many = Array.from({ length: 100 }, (_, i): Denial => ({ ...TOLD, what: `x${i}\x1b[2J\r\n` }));
    const raw = denialText(many, () => undefined, 200);
    assert.ok(!raw.includes("\x1b[2J"));
    assert.ok(raw.split("\r\n").length < 15);
    assert.match(raw, /and 95 more, in the view Sandboxes/);
  });
});

describe("a row of the tree", () => {
  it("names the file first, and behind the rule its folder, so that neither is cut off in a narrow sidebar", () => {
    const path = "/home/me/project/a/folder/with/a/long/name/data.json";
    const row = (denial: Denial) => denialLabel(denial, "/home/me");
    assert.deepEqual(row({ ...HINT, what: path, path }), {
      label: "data.json",
      description: "read · ~/project/a/folder/with/a/long/name · a guess from what was printed",
    });
    assert.equal(
      row({ ...HINT, what: "/home/me/x", path: "/home/me/x", rule: "filesystem" }).description.slice(0, 14),
      "filesystem · ~",
    );
    assert.match(
      row({ ...HINT, what: "/home/metoo/x", path: "/home/metoo/x" }).description,
      /^read · \/home\/metoo · /,
    );
  });

  it("leaves all that is no path as it is", () => {
    assert.deepEqual(denialLabel(TOLD, "/home/me"), { label: "keyctl", description: "seccomp · npm · 3 times" });
    assert.equal(denialLabel({ ...HINT, what: "/", path: "/" }, "/home/me").label, "/");
  });
});

describe("the question before a profile is changed", () => {
  function ask(denial: Denial, own: Record<string, unknown> = {}, profile = "build") {
    const change = changeToAllow(own, profile, denial.allow ?? {});
    const facts = { home: "/home/me", workspace: "/home/me/project", paths: {}, matches: {} };
    const beyond = loosenings(resolveProfile(profile, change.profiles), resolveProfile(profile, own), facts);
    return allowText(denial, change, beyond);
  }

  it("says for whom, what it allows, and every line of the settings", () => {
    const { message, detail } = ask(HINT);
    assert.equal(message, 'Let every task under the profile "build" do this, in every folder?');
    assert.match(detail, /^That this was refused is a guess/);
    assert.match(detail, /• read \/srv\/data \(filesystem\.read\)\n {3}Risk: /);
    assert.match(detail, /gets an entry that changes the built-in profile of this name:/);
    const [, json = ""] = detail.split("of this name:\n");
    const lines = json.split("\n");
    assert.ok(lines.every((line) => line.startsWith("+ ")));
    assert.deepEqual(JSON.parse(`{${lines.map((line) => line.slice(2)).join("")}}`), {
      build: { extends: "build", filesystem: { read: ["/srv/data"] } },
    });
  });

  it("marks what goes and what comes in an entry that is there", () => {
    const { detail } = ask({ ...TOLD, allow: { network: "host" } }, { mine: { network: "none", limits: {} } }, "mine");
    assert.ok(!detail.includes("guess"));
    assert.match(detail, /In your settings, this entry of sandbox\.profiles changes:/);
    assert.match(detail, /^-\s+"network": "none",\n\+\s+"network": "host",$/m);
    assert.match(detail, /^\s+"limits": \{\}$/m);
  });
});
