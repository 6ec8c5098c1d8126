// The log of what a sandbox refused: merged, bounded, and told about seldom.

import assert from "node:assert/strict";
import { type Denial, DenialLog } from "../../src/sandbox/denials";

const keyctl: Denial = {
  by: "seccomp",
  certainty: "told",
  what: "keyctl",
  syscall: "keyctl",
  rule: "seccomp",
  count: 1,
};

describe("DenialLog", () => {
  it("merges what the same wall refused of the same thing", () => {
    const log = new DenialLog();
    log.add([keyctl, { ...keyctl, count: 4 }, { ...keyctl, what: "bpf" }, { ...keyctl, by: "landlock" }]);
    assert.deepEqual(
      log.all.map(({ by, what, count }) => [by, what, count]),
      [
        ["seccomp", "keyctl", 5],
        ["seccomp", "bpf", 1],
        ["landlock", "keyctl", 1],
      ],
    );
  });

  it("prefers what the kernel tells to what was only concluded, in whatever order they come", () => {
    for (const order of [
      ["hint", "told"],
      ["told", "hint"],
    ] as const) {
      const log = new DenialLog();
      for (const certainty of order) log.add([{ ...keyctl, certainty, rule: certainty }]);
      assert.deepEqual(log.all, [{ ...keyctl, certainty: "told", rule: "told", count: 2 }]);
    }
  });

  it("keeps a hundred, and counts on for those", () => {
    const log = new DenialLog();
    for (let i = 0; i < 1000; i++) log.add([{ ...keyctl, what: `call ${i}` }]);
    log.add([{ ...keyctl, what: "call 0" }]);
    assert.equal(log.all.length, 100);
    assert.equal(log.all[0]?.count, 2);
  });

  it("tells of many changes at once, and not of none", async () => {
    let told = 0;
    const [first, listen] = ((): [Promise<void>, () => void] => {
      let done: () => void = () => {};
      return [new Promise((resolve) => (done = resolve)), () => done()];
    })();
    const log = new DenialLog();
    log.onDidChange(() => {
      told++;
      listen();
    });
    for (let i = 0; i < 50; i++) log.add([keyctl]);
    assert.equal(told, 0);
    await first;
    assert.equal(told, 1);
  });
});
