// What the doctor concludes from a refusal on a machine, and what it prescribes there, word for word.

import assert from "node:assert/strict";
import { CAUSE_IDS, diagnose } from "../../src/sandbox/doctor/diagnose";
import { distributionOf, parseOsRelease } from "../../src/sandbox/doctor/distribution";
import { ENTRIES } from "../../src/sandbox/doctor/entries";
import { readFacts } from "../../src/sandbox/doctor/facts";
import { makeReport } from "../../src/sandbox/doctor/report";
import { lineOfFeature, reportText } from "../../src/sandbox/doctor/text";
import { FEATURES } from "../../src/spawner/features";
import { CASES } from "./doctor-cases";
import * as machines from "./doctor-machines";
import { machine } from "./doctor-machines";

describe("the doctor", () => {
  for (const { about, on, cause, lines, ...failure } of CASES) {
    it(`tells ${cause}: ${about}`, () => {
      const found = diagnose(failure, readFacts(machine(on)));
      assert.equal(found.id, cause);
      assert.match(found.title, /^[A-Z].*[^.]$/);
      assert.match(found.why, /^["/\w].*\.$/s);
      const all = found.remedies.flatMap((remedy) => remedy.lines);
      for (const line of lines) assert.ok(all.includes(line), `${line}\nis not among\n${all.join("\n")}`);
      assert.ok(found.remedies.length > 0);
    });
  }

  it("has a case here for each cause that it knows", () => {
    assert.deepEqual([...new Set(CASES.map(({ cause }) => cause))].sort(), [...CAUSE_IDS].sort());
  });

  it("blames no filter that is not there, and no AppArmor on a program that has its permission", () => {
    const docker = readFacts(
      machine({ files: { ...machines.DOCKER_UNCONFINED, "/proc/self/attr/current": "" }, uid: 0 }),
    );
    assert.equal(diagnose({ feature: "session keyring", errno: "EPERM" }, docker).id, "unknown");
    const files = { ...machines.UBUNTU_24_04, "/proc/self/attr/current": "vscode (unconfined)\n" };
    assert.equal(diagnose({ feature: "id maps", errno: "EPERM" }, readFacts(machine({ files }))).id, "unknown");
  });

  it("asks root of nobody who is root already", () => {
    const found = diagnose(
      { feature: "user namespace", errno: "ENOSPC" },
      readFacts(machine({ files: machines.ROCKY_STIG, uid: 0 })),
    );
    assert.doesNotMatch(JSON.stringify(found), /sudo/);
  });

  it("says that a container's knobs are the host's", () => {
    const files = { ...machines.DOCKER, "/proc/sys/user/max_user_namespaces": "0\n" };
    const found = diagnose({ feature: "user namespace", errno: "ENOSPC" }, readFacts(machine({ files, uid: 0 })));
    assert.match(found.remedies[0]?.what ?? "", /On the host, not in this container/);
  });

  it("always has something to say", () => {
    const found = diagnose(
      { feature: "uts namespace", errno: "EIO", remedy: "Do this." },
      readFacts(machine({ files: {} })),
    );
    assert.deepEqual([found.id, found.why], ["unknown", "Do this."]);
  });
});

describe("os-release", () => {
  it("is read with its quotes and escapes", () => {
    const text = `# a comment\nID=x\nNAME="A \\"B\\" \\$C"\nPRETTY_NAME='one'\nbad line\nEMPTY=\n`;
    assert.deepEqual(parseOsRelease(text), { ID: "x", NAME: 'A "B" $C', PRETTY_NAME: "one", EMPTY: "" });
  });

  it("tells derivatives by ID_LIKE, and falls back on /usr/lib", () => {
    const of = (text: string, path = "/etc/os-release") => distributionOf(machine({ files: { [path]: text } })).family;
    assert.equal(of("ID=linuxmint\nID_LIKE='ubuntu debian'"), "ubuntu");
    assert.equal(of("ID=opensuse-tumbleweed"), "suse");
    assert.equal(of("ID=manjaro\nID_LIKE=arch", "/usr/lib/os-release"), "arch");
    assert.equal(of("ID=void"), "other");
  });
});

describe("the report", () => {
  const facts = readFacts(machine({ files: machines.UBUNTU_24_04 }));
  const features = FEATURES.map((feature) => {
    const refused = FEATURES.indexOf(feature) >= FEATURES.indexOf("id maps") && FEATURES.indexOf(feature) <= 13;
    return refused
      ? { feature, available: false, errno: "EPERM", reason: `${feature}: EPERM, operation not permitted` }
      : feature === "cpu controller"
        ? { feature, available: false, errno: "ENOENT" }
        : { feature, available: true };
  });
  const refused = makeReport(facts, features, [{ profile: "build", runs: false, reason: "mount: EPERM" }]);
  const lines = reportText(refused).split("\n");

  it("begins with the answer", () => {
    assert.equal(lines[3], "Sandboxes can't run here, because: AppArmor refuses user namespaces to this editor.");
    const fine = makeReport(facts, [], [{ profile: "build", runs: true }]);
    assert.match(reportText(fine), /^.*\n=+\n\nSandboxes can run here\.\nNothing is missing\.\n/);
    const more = makeReport(facts, features.slice(14), [{ profile: "build", runs: true }]);
    assert.match(reportText(more), /\nSandboxes can run here\.\nFor more than `build` asks, one thing can be mended/);
  });

  it("says whether Landlock alone could hold a sandbox, and that it is less", () => {
    const text = (fallback: { runs: boolean; reason?: string }): string =>
      reportText(makeReport(facts, [], [{ profile: "build", runs: false, reason: "clone3: EPERM" }], fallback));
    assert.match(
      text({ runs: true }),
      /\n {2}- "fallback": "landlock" in a profile of yours would let it run here.*less/,
    );
    assert.match(text({ runs: false, reason: "the user is root" }), /can't hold a sandbox here: the user is root\./);
  });

  it("says one cause of many features once, the serious one first", () => {
    assert.deepEqual(
      refused.findings.map(({ id, serious }) => [id, serious]),
      [
        ["apparmor_restrict_unprivileged_userns", true],
        ["cgroup_not_delegated", false],
      ],
    );
    assert.equal(lines.filter((line) => line.includes("apparmor_parser -r")).length, 1);
  });

  it("says of a profile which finding keeps it from running, or else what was refused", () => {
    const profiles = [
      { profile: "build", runs: false, reason: "mount: EPERM", feature: "mount namespace" },
      { profile: "mine", runs: false, reason: "no such folder" },
    ];
    const text = reportText(makeReport(facts, features, profiles));
    assert.match(text, /^ {2}✘ build {2}can't run, see 1\n {2}✘ mine {3}can't run:\n {6}no such folder$/m);
  });

  it("has a line for every feature, with the number of what to do about it", () => {
    for (const { feature, available } of features) {
      const line = lines.find((text) => text.slice(4).startsWith(feature.padEnd(31)));
      assert.ok(line, feature);
      assert.equal(/see [12]$/.test(line), !available, line);
    }
  });

  it("is jumped into at what to do about a feature, or else at its line", () => {
    assert.match(lines[lineOfFeature(refused, "proc file system") ?? -1] ?? "", /^1\. AppArmor refuses/);
    assert.match(lines[lineOfFeature(refused, "cpu controller") ?? -1] ?? "", /^2\. The cpu controller/);
    assert.match(lines[lineOfFeature(refused, "user namespace") ?? -1] ?? "", /^ {2}✔ user namespace/);
    assert.equal(lineOfFeature(refused, "teleportation"), undefined);
  });

  it("keeps to the width of a page, but for what is to be pasted", () => {
    for (const line of lines.filter((text) => !text.startsWith("       "))) assert.ok(line.length <= 100, line);
  });

  it("colours nothing by itself, and everything to be typed when asked", () => {
    assert.ok(!lines.some((line) => line.includes("\x1b")));
    const painted = reportText(refused, (text, tone) => (tone === "command" ? `<${text}>` : text));
    assert.match(painted, /^ {7}<sudo apparmor_parser -r .*>$/m);
  });

  it("knows each feature's use and cost", () => {
    for (const [feature, { use, costs }] of Object.entries(ENTRIES)) assert.ok(use !== "" && costs !== "", feature);
  });
});
