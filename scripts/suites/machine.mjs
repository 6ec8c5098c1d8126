// The suites in the test machine, which has a cgroup v2 hierarchy, systemd and a user whose cgroup is delegated.

import { join } from "node:path";
import { hasImage, whyNoImage } from "../vm/image.mjs";
import { runInMachine } from "../vm/job.mjs";
import { limitRuns, nativeRun, reportFile } from "../vm/runs.mjs";
import { failure, heading, RESULTS, resultOf } from "./results.mjs";

/**
 * @param {string} name of the suite
 * @param {import("../vm/image.mjs").Kernel} kernel
 * @param {import("../vm/runs.mjs").Run[]} runs one after another
 * @returns {Promise<import("./results.mjs").Result[]>}
 */
async function inMachine(name, kernel, runs) {
  heading(name);
  // Several minutes for who has not asked: on two busy cores it took five to build, and as long to run.
  const isAsked = process.env.SANDBOX_TASKS_TEST_ASKED !== undefined;
  const why = whyNoImage() ?? (isAsked || hasImage() ? undefined : "not built yet; npm run test:vm builds it");
  if (why !== undefined) {
    const skipped = runs.map((run) => `${run.name} [skipped: no test machine: ${why}]`);
    return [{ name, passed: 0, failed: [], skipped, seconds: 0 }];
  }
  const endings = await runInMachine(runs, {
    kernel,
    results: RESULTS,
    console: join(RESULTS, `${name}-console.log`),
  });
  return runs.flatMap((run) => {
    const ending = endings.find((one) => one.name === run.name);
    if (ending === undefined) return [failure(run.name, run.name, "The test machine did not come to it.")];
    return [
      resultOf(run.name, join(RESULTS, reportFile(run)), ending),
      ...ending.left.map((one) => failure(run.name, one, "was there in the test machine after the suite had ended")),
    ];
  });
}

/**
 * The native suite in a machine of its own: software emulation takes about an hour for each, and two run side by side.
 * @param {string} name
 * @param {"root" | "session"} as
 * @param {import("../vm/image.mjs").Kernel} kernel
 * @returns {import("./suites.mjs").Suite}
 */
const native = (name, as, kernel) => ({
  run: () => inMachine(name, kernel, [nativeRun(as, kernel)]),
  onlyWhenAsked: true,
});

/** @type {Readonly<Record<string, import("./suites.mjs").Suite>>} */
export const MACHINE_SUITES = {
  vm: { run: () => inMachine("vm", "stable", limitRuns("stable")) },
  "vm-root": native("vm-root", "root", "stable"),
  "vm-user": native("vm-user", "session", "stable"),
  "vm-newest-root": native("vm-newest-root", "root", "newest"),
  "vm-newest-user": native("vm-newest-user", "session", "newest"),
};

export const MACHINE_GROUPS = {
  "vm-native": ["vm-root", "vm-user"],
  "vm-newest": ["vm-newest-root", "vm-newest-user"],
};
