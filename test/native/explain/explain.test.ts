// explain() against the kernel: the steps that it prints and the system calls that strace sees the child make are held
// against each other, in order and with their arguments. A call that no step accounts for is a fault too.

import * as assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { skipBecause } from "../../support/skip";
import { optionSets, whyNot } from "../faults/option-sets";
import { type api, isRoot } from "../spawner-world";
import { compare } from "./expected";
import { type Traced, underStrace } from "./strace";

type Steps = ReturnType<typeof api.explain>;

/** Tracing stops at the execve of a traced child, and strace is a tracer already; a holder is no spawn. */
const LEFT_OUT = new Set(["traced", "held namespaces"]);

/** The helper makes itself undumpable (ptrace(2)). */
const UNDER_ROOT = new Set(["joined", "owned"]);

describe("explain(), against strace of the real run", function () {
  this.timeout(60_000);

  before(function () {
    const { error, status } = spawnSync("strace", ["-o", "/dev/null", "true"]);
    if (error !== undefined) skipBecause(this, "strace is not installed");
    if (status !== 0) skipBecause(this, "ptrace(2) is refused here");
  });

  for (const [name, set] of Object.entries(optionSets())) {
    if (LEFT_OUT.has(name)) continue;
    it(`says what is done, all of it, in order: ${name}`, async function () {
      const why = await whyNot(set);
      if (why !== undefined) skipBecause(this, why);
      if (UNDER_ROOT.has(name) && !isRoot)
        skipBecause(this, "a helper in no user namespace that this user made shows its memory to root's strace only");
      const traced: Traced = await underStrace([resolve("out/test/native/explain/once.js"), name]);
      const steps: Steps = JSON.parse(traced.stdout);
      assert.deepEqual(compare(steps, traced.calls), []);

      const cloned = steps.find((step) => step.name === "clone3")?.detail ?? "";
      const words = /new (.*) namespace/.exec(cloned)?.[1]?.split(", ") ?? [];
      const flags = words.map((word) => `CLONE_NEW${word === "mount" ? "NS" : word.toUpperCase()}`);
      assert.deepEqual((traced.clone.match(/CLONE_NEW\w+/g) ?? []).toSorted(), flags.toSorted());

      const maps = steps.find((step) => step.name === "id-map" && step.detail.endsWith("(written from outside)"));
      const [, uid, gid] = /^uid (.*); gid (.*) \(/.exec(maps?.detail ?? "") ?? [];
      const written = traced.parent.flatMap((call) => /^write\(\d+, "(\d+ \d+ \d+)\\n"/.exec(call)?.[1] ?? []);
      assert.deepEqual(written, maps === undefined ? [] : [uid, gid]);
    });
  }

  it("knows a call that no step accounts for, and a step that makes no call", () => {
    const steps = [{ name: "umask", detail: "27" }];
    assert.deepEqual(compare(steps, ["umask(027) = 022"]), []);
    assert.deepEqual(compare(steps, ["umask(027) = 022", "setsid() = 1"]), ["setsid() = 1"]);
    assert.match(compare(steps, ["umask(022) = 022"])[0] ?? "", /^umask 27: .* expected/);
    assert.equal(compare(steps, []).length, 1);
  });
});
