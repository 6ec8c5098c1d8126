// The parent's side of a spawn is refused: pipes, memory, threads, the clone itself, and the id maps that are written from
// outside.

import * as assert from "node:assert/strict";
import { skipBecause } from "../../support/skip";
import { faultsIn, withoutRemedy } from "./judge";
import { optionSets, whyNot } from "./option-sets";
import type { ThreadReport } from "./thread-worker";
import type { Report } from "./worker";
import { underSupervision } from "./world";

const MUST_FAIL: Readonly<Record<string, readonly string[]>> = {
  plain: ["pipe2", "clone3", "read"],
  process: ["pipe2", "openat", "socketpair", "clone3"],
  full: ["pipe2", "eventfd2", "memfd_create", "clone3", "recvmsg"],
  terminal: ["socketpair", "recvmsg"],
  "maps from outside": ["socketpair", "setsockopt", "openat", "write"],
};

for (const [name, calls] of Object.entries(MUST_FAIL)) {
  describe(`a failing system call of the parent: ${name}`, function () {
    this.timeout(120_000);
    let report: Report;

    before(async function () {
      const set = optionSets()[name];
      assert.ok(set, `There is no set ${name}.`);
      const why = await whyNot(set);
      if (why !== undefined) skipBecause(this, why);
      report = await underSupervision<Report>("worker", name, "outside");
    });

    it("is named, with what to do about it, and leaves nothing", () => {
      assert.deepEqual(faultsIn(report), []);
      assert.deepEqual(withoutRemedy(report), []);
      assert.equal(report.threads[1], report.threads[0]);
      const failed = new Set(report.outcomes.flatMap(({ name, started }) => (started ? [] : [name])));
      assert.deepEqual(
        calls.filter((call) => !failed.has(call)),
        [],
      );
    });
  });
}

describe("no thread can be started", () => {
  it("is an error of spawn(), and the next spawn succeeds", async () => {
    const { code, syscall, step, remedy, next } = await underSupervision<ThreadReport>("thread-worker");
    assert.deepEqual({ code, syscall, step }, { code: "EAGAIN", syscall: "clone3", step: "prepare" });
    assert.match(remedy, /limit on processes/);
    assert.equal(next, 0);
  });
});
