// A child that hangs in its set-up, wherever that is, is ended by a timeout or an AbortSignal, while the event loop goes
// on: nothing but the spawner's own thread waits for it.

import * as assert from "node:assert/strict";
import type { HangReport } from "./hang-worker";
import { underSupervision } from "./world";

/** Option set, role and system call, and the step that is under way then. */
const HANGS: readonly (readonly [set: string, role: string, call: string, step: string])[] = [
  ["plain", "child", "rt_sigaction", "signals"],
  ["plain", "child", "execve", "exec"],
  ["process", "child", "prlimit64", "rlimit"],
  ["full", "child", "unshare", "unshare"],
  ["full", "child", "move_mount", "rootfs"],
  // The helper shares no memory with us: of it is known only that it had begun.
  ["full", "child", "mmap", "exec"],
  ["full", "child.1", "setsid", "exec"],
  ["terminal", "child", "sendmsg", "terminal"],
  ["held namespaces", "child", "rt_sigprocmask", "exec"],
];

describe("a child that hangs in its set-up", () => {
  for (const [set, role, call, step] of HANGS) {
    it(`is ended in ${call} of its ${role === "child" ? "own" : "PID 1's child"} (${set})`, async () => {
      const report = await underSupervision<HangReport>("hang-worker", set, role, call);
      assert.equal(report.hung, 2);
      assert.equal(report.timeout.code, "ETIMEDOUT");
      assert.equal(report.timeout.step, step);
      const words = `still in the set-up after ${report.limitMs} ms \\(step \\d+ of \\d+\\)$`;
      assert.match(report.timeout.message, new RegExp(words));
      assert.ok(report.timeout.remedy);
      assert.equal(report.aborted.reason, "no longer wanted");
      assert.ok(report.ticks > 10, `${report.ticks} turns of the event loop`);
      assert.deepEqual(report.children, []);
      assert.equal(report.fds[1], report.fds[0]);
      assert.equal(report.next, 0);
    });
  }
});
