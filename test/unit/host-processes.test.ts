// The search for what a VS Code left behind: it must find a process that hides from its parent's group and session.

import * as assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { endGroup, endMarked, MARK, markedProcesses, waitUntil } from "../support/processes";

const GRACE_MS = 100;

describe("what a host leaves behind", () => {
  it("is found by its mark and killed, also in a session of its own", async () => {
    const mark = randomUUID();
    const child = spawn("setsid", ["sleep", "300"], { env: { ...process.env, [MARK]: mark }, stdio: "ignore" });
    const exited = once(child, "exit");
    await waitUntil("sleep runs", () => markedProcesses(mark).some(({ command }) => command === "sleep 300"));
    const killed = await endMarked(mark, GRACE_MS);
    assert.deepEqual(
      killed.map(({ command }) => command),
      ["sleep 300"],
    );
    await exited;
    assert.deepEqual(markedProcesses(mark), []);
  });

  it("is nothing when everything ended in time", async () => {
    assert.deepEqual(await endMarked(randomUUID(), GRACE_MS), []);
  });

  it("is no process of the group, even of one that ignores SIGTERM", async () => {
    const child = spawn("sh", ["-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"], {
      detached: true,
      stdio: ["ignore", "pipe", "ignore"],
    });
    const exited = once(child, "exit");
    await once(child.stdout, "data");
    assert.ok(child.pid !== undefined);
    await endGroup(child.pid, GRACE_MS);
    assert.deepEqual(await exited, [null, "SIGKILL"]);
  });
});
