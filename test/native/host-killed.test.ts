// A host that is killed takes everything with it: whatever it had started, and whatever it was just starting.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isSanitized, LIBRARY_NODE } from "../support/library";
import { MARK, waitUntil } from "../support/processes";
import { SLOWNESS } from "../support/slowness";
import { makeTemp, removeTemp } from "../support/temp";
import { parseStat } from "./proc-stat";
import { api } from "./spawner-world";

const PROGRAM = resolve("out/test/native/hosts/restless.js");
/** Three hosts at a time: the moments spread when they are in each other's way. */
const ROUNDS = isSanitized ? 4 : 10;
const AT_ONCE = 3;
const LONGEST_MS = 300 * SLOWNESS;
/** So many processes must have been there to be left; an emulated machine has not many of them at a time. */
const FEWEST = SLOWNESS > 1 ? 4 : 10;

/** A program of ours has the mark in its environment; the helper has an empty one, but stays in the host's session. */
function belongs(pid: string, mark: string, session: number): boolean {
  try {
    const stat = parseStat(readFileSync(`/proc/${pid}/stat`, "latin1"));
    if (stat.state === "Z") return false;
    if (stat.session === session) return true;
    return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(`${MARK}=${mark}`);
  } catch {
    return false; // ended meanwhile, or another user's
  }
}

function allOf(mark: string, session: number): string[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name) && belongs(name, mark, session));
}

const mounts = (): string => readFileSync("/proc/self/mountinfo", "utf8");

async function round(): Promise<{ most: number }> {
  const mark = randomUUID();
  const folder = makeTemp("host");
  try {
    const host = await api.spawn(LIBRARY_NODE, [PROGRAM], {
      env: { ...process.env, [MARK]: mark, TMPDIR: folder },
      stdio: ["ignore", "pipe", "inherit"],
      sys: { setsid: true },
    });
    assert.ok(host.stdout);
    const output = host.stdout[Symbol.asyncIterator]();
    assert.match(String((await output.next()).value), /^spawned\n/);
    host.stdout.resume();
    await delay(Math.random() * LONGEST_MS);
    const most = allOf(mark, host.pid).length;
    host.kill("SIGKILL");
    assert.equal((await host.exited).signal, "SIGKILL", "it ended by itself");
    await waitUntil("nothing of it runs", () => allOf(mark, host.pid).length === 0).catch((error: unknown) => {
      const left = allOf(mark, host.pid).map((pid) => readFileSync(join("/proc", pid, "stat"), "latin1"));
      for (const pid of allOf(mark, host.pid)) process.kill(Number(pid), "SIGKILL");
      throw new Error(`${String(error)} Left:\n${left.join("")}`);
    });
    assert.deepEqual(readdirSync(folder), []);
    return { most };
  } finally {
    removeTemp(folder);
  }
}

describe("a host that is killed at any moment", () => {
  it("leaves no process, mount or temporary file", async function () {
    this.timeout(240_000);
    const before = mounts();
    const counts: number[] = [];
    for (let i = 0; i < ROUNDS; i++) {
      const ended = await Promise.all(Array.from({ length: AT_ONCE }, round));
      counts.push(...ended.map(({ most }) => most));
    }
    assert.ok(Math.max(...counts) > FEWEST, `never more than ${Math.max(...counts)} processes to be left`);
    assert.equal(mounts(), before);
  });
});
