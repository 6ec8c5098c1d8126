// The editor dies in the hardest way: the extension host is killed by SIGKILL and can clean up nothing. Everything that
// ran in a sandbox must be dead all the same.

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import { cgroupFolder } from "../support/cgroups";
import { LIBRARY } from "../support/library";
import { waitUntil } from "../support/processes";
import { useSampleWorkbench } from "./sample-workbench";
import { waitForTerminal } from "./terminal";
import { runTask } from "./workbench";

const library: typeof import("../../src/api") = require(LIBRARY);

interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

function allProcesses(): ProcessFacts[] {
  const found: ProcessFacts[] = [];
  for (const name of fs.readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = fs.readFileSync(`/proc/${name}/stat`, "latin1");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      const command = fs.readFileSync(`/proc/${name}/cmdline`, "latin1").replaceAll("\0", " ").trim();
      found.push({ pid: Number(name), parent, command });
    } catch {
      // Ended while we looked.
    }
  }
  return found;
}

/** All processes below one, at any depth. */
function descendants(pid: number): ProcessFacts[] {
  const all = allProcesses();
  const below = (parent: number): ProcessFacts[] =>
    all.filter((one) => one.parent === parent).flatMap((one) => [one, ...below(one.pid)]);
  return below(pid);
}

describe("when the extension host is killed by SIGKILL", function () {
  this.timeout(120_000);

  const sample = useSampleWorkbench();

  sample.it("leaves no process of a sandbox behind", async (page) => {
    const { server } = sample.workbench;
    await runTask(page, "long running counter (kill it)");
    await waitForTerminal(page, "tick 2");
    const host = descendants(server.pid).find(({ command }) => command.includes("--type=extensionHost"));
    assert.ok(host !== undefined, "the server has an extension host");
    const sandboxed = descendants(host.pid).filter(
      ({ pid }) => fs.readlinkSync(`/proc/${pid}/ns/pid`) !== fs.readlinkSync("/proc/self/ns/pid"),
    );
    assert.ok(
      sandboxed.some(({ command }) => command.includes("counter.sh")),
      "the counter runs below it",
    );

    // Where it has one of its own, it is named after its maker.
    const cgroups = [...new Set(sandboxed.map(({ pid }) => cgroupFolder(pid)))].filter((one) =>
      one.includes(`-${host.pid}-`),
    );
    assert.equal(cgroups.length, process.getuid?.() === 0 ? 1 : cgroups.length, "root's sandboxes have one");
    process.kill(host.pid, "SIGKILL");
    for (const { pid, command } of sandboxed) {
      await waitUntil(`${command} (${pid}) is gone`, () => !fs.existsSync(`/proc/${pid}`));
    }
    // Nobody is left to remove their cgroup: the next that starts a sandbox does, here without an editor around it.
    const next = await library.sandbox.run({ file: "true" }, "build", { workspace: sample.workspace });
    await next.exited;
    assert.deepEqual(cgroups.filter(fs.existsSync), []);
  });
});
