// What holds for every options object there is: validate() answers, spawn() resolves or says on which step it failed, and
// neither the host nor this process is another one afterwards. SANDBOX_TASKS_PROPERTY_RUNS sets how many are tried.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { waitUntil } from "../support/processes";
import { hostileOptions, plausibleOptions } from "./arbitrary-options";
import { api, children, type Options, openFds } from "./spawner-world";

const RUNS = Number(process.env.SANDBOX_TASKS_PROPERTY_RUNS ?? 0);
const settings = (numRuns: number): fc.Parameters<unknown> =>
  RUNS > 0 ? { numRuns: RUNS } : { numRuns, interruptAfterTimeLimit: 8000 };

/** Whatever the types say. */
const anyFile = fc.anything() as fc.Arbitrary<string>;
const anyArgs = fc.anything() as fc.Arbitrary<string[]>;

/** The folder that every test offers as a target. */
const folder = mkdtempSync(join(tmpdir(), "sentinel-"));

/** What a child of ours could change for others. */
function host(): object {
  const status = readFileSync("/proc/self/status", "utf8");
  return {
    mounts: readFileSync("/proc/self/mountinfo", "utf8"),
    hostname: hostname(),
    domain: readFileSync("/proc/sys/kernel/domainname", "utf8"),
    process: /^(Umask|Uid|Gid|Groups|Cap\w+|NoNewPrivs|SigIgn|SigBlk):.*$/gm[Symbol.match](status),
    group: readFileSync("/proc/self/stat", "utf8")
      .replace(/^.*\) \S /s, "")
      .split(" ")
      .slice(0, 3),
    namespaces: readdirSync("/proc/self/ns").map((name) => statSync(`/proc/self/ns/${name}`).ino),
    cwd: process.cwd(),
    limits: readFileSync("/proc/self/limits", "utf8"),
    folder: readdirSync(folder),
    kept: readFileSync(join(folder, "kept"), "utf8"),
    dumpable: statSync("/proc/self/environ").uid,
  };
}

/** Runs it to its end. */
async function outcome(file: string, options: unknown): Promise<unknown> {
  try {
    const child = await api.spawn(file, [], options as Options);
    for (const stream of child.stdio) stream?.destroy();
    child.terminal?.output.resume();
    await child.exited;
    return undefined;
  } catch (error) {
    return error;
  }
}

async function nothingLeft(fds: number): Promise<void> {
  assert.deepEqual(children(), []);
  if (openFds().length > fds) await waitUntil("the streams are closed", () => openFds().length <= fds);
}

describe("any options at all", () => {
  let unchanged: object;
  let fds: number;

  before(async () => {
    writeFileSync(join(folder, "kept"), "as it was");
    await outcome("true", {});
    unchanged = host();
    fds = openFds().length;
  });

  after(() => rmSync(folder, { recursive: true }));

  it("are answered, and never with a surprise", async () => {
    await fc.assert(
      fc.asyncProperty(hostileOptions, async (options) => {
        const problems = api.validate(options as Options);
        for (const { path, message } of problems) assert.ok(typeof path === "string" && message !== "");
        const refused = problems.length > 0;
        try {
          api.explain("true", [], options as Options);
          assert.ok(!refused || options === undefined);
        } catch (error) {
          assert.ok(error instanceof api.OptionsError && refused, String(error));
        }
        const error = await outcome("true", options);
        assert.ok(error === undefined || error instanceof api.SpawnError, String(error));
        assert.equal(error instanceof api.OptionsError, refused && options !== undefined);
        await nothingLeft(fds);
      }),
      settings(600),
    );
    assert.deepEqual(host(), unchanged);
  });

  it("are no surprise in the command either", async () => {
    await fc.assert(
      fc.asyncProperty(anyFile, anyArgs, async (file, args) => {
        const error = await api.spawn(file, args, { stdio: "ignore", timeout: 5000 }).then(
          ({ exited }) => exited.then(() => undefined),
          (reason: unknown) => reason,
        );
        assert.ok(error === undefined || error instanceof api.SpawnError, String(error));
        await nothingLeft(fds);
      }),
      settings(200),
    );
  });

  it("of the right shape start a child, or name the rule or the step, and leave the host as it was", async () => {
    const outcomes = { started: 0, refused: 0, failed: 0 };
    await fc.assert(
      fc.asyncProperty(plausibleOptions(folder), async ({ file, options }) => {
        const problems = api.validate(options);
        const error = await outcome(file, options);
        if (error === undefined) {
          outcomes.started++;
          assert.deepEqual(problems, []);
        } else {
          assert.ok(error instanceof api.SpawnError, String(error));
          if (error instanceof api.OptionsError) {
            outcomes.refused++;
            assert.deepEqual(error.problems, problems);
            assert.notEqual(problems.length, 0);
          } else {
            outcomes.failed++;
            const steps = api.explain(file, [], options);
            assert.equal(error.steps, steps.length);
            assert.equal(error.step, steps[error.index - 1]?.name);
            assert.notEqual(error.code, "EFAULT");
          }
        }
        await nothingLeft(fds);
        assert.deepEqual(host(), unchanged);
      }),
      settings(400),
    );
    if (RUNS > 0) console.log(outcomes);
    for (const [what, count] of Object.entries(outcomes)) assert.ok(count > 0, `none ${what}`);
  });
});
