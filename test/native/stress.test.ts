// Thousands of children of every kind: what one of them would leave behind unnoticed shows here.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { waitUntil } from "../support/processes";
import { api, children, inNamespaces, isRoot, openFds, rejection, WHOLE_ROOT } from "./spawner-world";

/** An ordinary user's differ in their id maps alone. */
const COUNT = isRoot ? 10_000 : 4000;
/** Until then libuv has its threads, V8 its heap and the allocator its arenas. */
const WARM_UP = 2000;
const AT_ONCE = 64;
/** Two kilobytes a spawn; a leaked fd, plan or stream costs more. */
const GROWTH = 16 * 1024 * 1024;

async function ends(child: Awaited<ReturnType<typeof api.spawn>>): Promise<void> {
  child.stdout?.resume();
  child.terminal?.output.resume();
  await child.exited;
}

const KINDS = {
  plain: async () => ends(await api.spawn("/bin/true", [], { stdio: "ignore" })),
  piped: async () => ends(await api.spawn("/bin/true")),
  failing: async () => void (await rejection(api.spawn("/no/such/command"))),
  "failing in a step": async () => void (await rejection(api.spawn("/bin/true", [], { cwd: "/no/such/folder" }))),
  killed: async () => {
    const child = await api.spawn("/bin/sleep", ["1000"], { stdio: "ignore" });
    child.kill("SIGKILL");
    await child.exited;
  },
  terminal: async () => ends(await api.spawn("/bin/true", [], { terminal: { columns: 80, rows: 24 } })),
  sandboxed: async () =>
    ends(await api.spawn("/bin/true", [], inNamespaces(["CLONE_NEWPID", "CLONE_NEWNS"], WHOLE_ROOT))),
  "failing under PID 1": async () =>
    void (await rejection(api.spawn("/no/such/command", [], inNamespaces(["CLONE_NEWPID", "CLONE_NEWNS"])))),
};

/** One in so many is of this kind; all others are plain. */
const EACH: readonly (readonly [number, keyof typeof KINDS])[] = [
  [100, "sandboxed"],
  [61, "failing under PID 1"],
  [40, "terminal"],
  [23, "killed"],
  [17, "failing in a step"],
  [13, "failing"],
  [5, "piped"],
];

async function spawnMany(first: number, end: number): Promise<void> {
  let next = first;
  const lane = async (): Promise<void> => {
    while (next < end) {
      const i = next++;
      const [, kind] = EACH.find(([one]) => i % one === 0) ?? [1, "plain" as const];
      await KINDS[kind]();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

/** Everything that could be left behind, but memory, in numbers. */
function counted(): Record<string, number> {
  const cgroup = /^0::(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8"))?.[1] ?? "/";
  const folders = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].flatMap((root) => {
    try {
      return readdirSync(`${root}${cgroup}`, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    } catch {
      return []; // not mounted there
    }
  });
  return {
    fds: openFds().length,
    children: children().length,
    threads: readdirSync("/proc/self/task").length,
    mounts: readFileSync("/proc/self/mountinfo", "utf8").split("\n").length,
    cgroups: folders.length,
  };
}

describe(`${COUNT} spawns, 64 at a time`, () => {
  it("leave no fd, zombie, thread, mount or cgroup behind, and memory flat", async function () {
    this.timeout(300_000);
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;

    await spawnMany(0, WARM_UP);
    const before = await waitUntil("the first are gone", () => {
      collect();
      const now = counted();
      return now.children === 0 ? now : undefined;
    });
    const memory = process.memoryUsage.rss();

    await spawnMany(WARM_UP, COUNT);
    let after = counted();
    await waitUntil("everything is closed", () => {
      collect();
      after = counted();
      return Object.entries(before).every(([what, count]) => (after[what] ?? 0) <= count);
    }).catch(() => assert.deepEqual(after, before));
    await waitUntil("the memory is back", () => {
      collect();
      return process.memoryUsage.rss() < memory + GROWTH;
    }).catch(() => assert.fail(`${(process.memoryUsage.rss() - memory) / 1024} KiB more than after ${WARM_UP}`));
  });
});
