// What the terminal says when something was not started, and how numbers, ends and nodes are put.

import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import { describeEnd, describeEndShortly, displayCommand, formatBytes, formatSeconds, wrap } from "../../src/format";
import type { ProcessInfo } from "../../src/inspect";
import { ProfileError, resolveProfile, SandboxError } from "../../src/sandbox";
import type { Sandbox } from "../../src/sandbox/types";
import { OptionsError, SpawnError } from "../../src/spawner";
import type { ExitStatus } from "../../src/spawner/types";
import { DefinitionError, describeFailure, failureText, RefusedError } from "../../src/tasks/failure";
import { findSystemLink, systemLine } from "../../src/tasks/systemLine";
import { closingText, openingText, printable } from "../../src/tasks/words";
import { processesSignature, processForest } from "../../src/views/nodes";

const status: ExitStatus = {
  code: 0,
  signal: null,
  coreDumped: false,
  wallTime: 62.4,
  userTime: 1.5,
  systemTime: 0.25,
  maxRss: 123_456_789,
};

/** The failure that a wrong profile gives. */
function profileFailure(profile: unknown, own: Record<string, unknown> = {}) {
  try {
    resolveProfile(profile as string, own);
  } catch (error) {
    assert(error instanceof ProfileError);
    return describeFailure(error);
  }
  return assert.fail("it was taken");
}

describe("what is said about a failure", () => {
  it("leads to tasks.json for a task, and to the settings for a profile of the user", () => {
    const inTask = profileFailure("buidl");
    assert.equal(inTask.action, "tasks");
    assert.match(inTask.summary, /unknown profile "buidl".*"build"/);
    const inSettings = profileFailure("mine", { mine: { netwrok: "none" } });
    assert.equal(inSettings.action, "settings");
    assert.match(inSettings.summary, /sandbox\.profiles\.mine\.netwrok/);
    assert.match(inSettings.remedy ?? "", /sandbox\.profiles/);
  });

  it("lists every problem of a definition", () => {
    const problems = [
      { path: "args", message: "wrong" },
      { path: "cwd", message: "wrong too" },
    ];
    const failure = describeFailure(new DefinitionError(problems));
    assert.match(failure.summary, /2 problems/);
    assert.deepEqual(failure.details, ["args: wrong", "cwd: wrong too"]);
  });

  it("has the exit codes of env(1): 127 not found, 126 not executable, 125 for all else", () => {
    const spawnError = (step: string, code: string) =>
      new SpawnError(`${step}: ${code}`, { code, errno: 1, syscall: "x", step, index: 1, steps: 2, path: "/x" });
    assert.equal(describeFailure(spawnError("exec", "ENOENT")).code, 127);
    assert.equal(describeFailure(spawnError("exec", "EACCES")).code, 126);
    const mount = describeFailure(spawnError("mount", "EPERM"));
    assert.deepEqual([mount.code, mount.action], [125, "system"]);
    assert.match(mount.details.join(), /mount: EPERM/);
    assert.match(describeFailure(spawnError("cwd", "ENOENT")).summary, /working directory.*\/x/);
    const refused = describeFailure(new OptionsError([{ path: "sys.pgid", message: "no" }]));
    assert.match(refused.summary, /as the profile asks/);
    assert.deepEqual(refused.details, ["sys.pgid: no"]);
    assert.equal(describeFailure(new Error("anything")).summary, "anything");
  });

  it("does not say the remedy twice", () => {
    const failure = describeFailure(new SandboxError("cwd", "/run", "The folder is hidden.", "Choose another."));
    assert.equal(failure.summary, "The folder is hidden.");
    assert.equal(failure.remedy, "Choose another.");
  });

  it("is broken into lines that fit, and can't steer the terminal", () => {
    const failure = describeFailure(new RefusedError("evil \x1b]0;title\x07 text", "one two three four five", "log"));
    const text = failureText(failure, 12);
    assert.ok(!text.includes("\x1b]0"));
    for (const line of stripVTControlCharacters(text).split("\r\n")) assert.ok(line.length <= 15, line);
    assert.match(stripVTControlCharacters(text), /\r\n {2}one two\r\n {2}three four\r\n {2}five\r\n/);
  });
});

describe("what is said before and after the output", () => {
  it("shows what runs under which profile, and warnings", () => {
    const text = openingText("make\nall", "build", "no network", ["careful"], 80);
    assert.equal(stripVTControlCharacters(text), "▶ make\u240aall\r\n  sandbox build: no network\r\n  careful\r\n\r\n");
  });

  it("shows how it ended, with duration, CPU time and peak memory", () => {
    assert.equal(
      stripVTControlCharacters(closingText(status, ["look at .git"])),
      "⚠ look at .git\r\n✔ Sandbox exited with code 0 · 1 min 02 s · CPU 1.8 s · peak memory 123 MB\r\n",
    );
    assert.match(closingText({ ...status, code: 2 }), /✖.*exited with code 2/);
  });

  it("names signals and limits", () => {
    assert.equal(
      describeEnd({ ...status, code: null, signal: "SIGSEGV", coreDumped: true }),
      "killed by SIGSEGV, core dumped",
    );
    assert.equal(
      describeEnd({ ...status, code: null, signal: "SIGKILL", reason: "timeout" }),
      "ended by the time limit",
    );
    assert.equal(describeEndShortly({ ...status, code: null, signal: "SIGTERM" }), "SIGTERM");
    assert.equal(describeEndShortly({ ...status, code: 7 }), "code 7");
  });

  it("says which limit ended it, and the key of the profile that raises it", () => {
    const killed: ExitStatus = { ...status, code: null, signal: "SIGKILL" };
    const said = (more: ExitStatus): [string, string, string] => [
      describeEndShortly(more),
      describeEnd(more),
      stripVTControlCharacters(closingText(more)).split("\r\n")[0] ?? "",
    ];
    assert.deepEqual(said({ ...killed, reason: "memory" }), [
      "memory limit",
      "killed for using more memory than allowed",
      "⚠ Raise limits.memory in the profile to allow more.",
    ]);
    assert.deepEqual(said({ ...status, code: 2, reason: "pids" }), [
      "process limit",
      "failed, with more processes than allowed",
      "⚠ Raise limits.pids in the profile to allow more.",
    ]);
    assert.deepEqual(said({ ...killed, reason: "cpuTime" }), [
      "CPU time limit",
      "killed for using more CPU time than allowed",
      "⚠ Raise limits.cpuTime in the profile to allow more.",
    ]);
    assert.match(said({ ...killed, reason: "timeout" })[2], /limits\.wallTime/);
    assert.match(said({ ...killed, reason: "killed" })[2], /^✖ Sandbox killed by SIGKILL/);
  });

  it("makes control characters visible", () => {
    assert.equal(printable("a\x1b[31m\x7f\x9b"), "a\u241b[31m\ufffd\ufffd");
  });
});

describe("numbers and commands", () => {
  it("are put as people read them", () => {
    const durations = [0.004, 0.5, 12.34, 59.96, 185, 3600, 7620].map(formatSeconds);
    assert.deepEqual(durations, ["0.00 s", "0.50 s", "12.3 s", "1 min 00 s", "3 min 05 s", "1 h 00 min", "2 h 07 min"]);
    const sizes = [0, 999_499, 999_500, 9_940_000, 9_960_000, 1_250_000_000].map(formatBytes);
    assert.deepEqual(sizes, ["0 kB", "999 kB", "1.0 MB", "9.9 MB", "10 MB", "1.3 GB"]);
    assert.equal(displayCommand(["a", "b c", "it's"]), "a 'b c' 'it'\\''s'");
  });

  it("are wrapped between words, with their indentation", () => {
    assert.deepEqual(wrap("  one two three", 9), ["  one two", "  three"]);
    assert.deepEqual(wrap("averyveryverylongword x", 5), ["averyveryverylongword", "x"]);
    assert.deepEqual(wrap("", 5), [""]);
  });
});

describe("the processes of a sandbox", () => {
  const info = (pid: number, parentPid: number, insidePid: number, state = "S"): ProcessInfo => ({
    pid,
    parentPid,
    insidePid,
    state,
    command: `command ${pid}`,
    name: "command",
    startTime: "1",
    uid: 0,
    gid: 0,
    rss: 0,
    cpuTime: 0,
    threads: 1,
  });

  it("stand below their parents, and those with a parent outside at the top", () => {
    const sandbox = { id: "s" } as Sandbox;
    const roots = processForest(sandbox, [
      info(12, 10, 3),
      info(11, 10, 2),
      info(10, 1, 1),
      info(20, 5, 9),
      info(13, 12, 4),
    ]);
    const shape = (nodes: readonly (typeof roots)[number][]): unknown =>
      nodes.map((node) => [node.info.pid, shape(node.children)]);
    assert.deepEqual(shape(roots), [
      [
        10,
        [
          [11, []],
          [12, [[13, []]]],
        ],
      ],
      [20, []],
    ]);
  });

  it("are drawn anew when one comes, goes or is stopped, not when one runs or sleeps", () => {
    const signature = processesSignature([info(1, 0, 1)]);
    assert.equal(processesSignature([info(1, 0, 1, "R")]), signature);
    assert.notEqual(processesSignature([info(1, 0, 1, "T")]), signature);
    assert.notEqual(processesSignature([info(1, 0, 1), info(2, 1, 2)]), signature);
  });
});

describe("what this system lacks", () => {
  const refused = new SpawnError("id-map: EPERM", {
    code: "EPERM",
    errno: 1,
    syscall: "write",
    step: "id-map",
    index: 3,
    steps: 9,
    feature: "id maps",
  });

  it("is a line of the terminal that leads to the line of the system check", () => {
    const failure = describeFailure(refused);
    assert.deepEqual([failure.action, failure.feature], ["system", "id maps"]);
    const lines = stripVTControlCharacters(failureText(failure, 20)).split("\r\n");
    const links = lines.flatMap((line) => findSystemLink(line) ?? []);
    assert.deepEqual(links, [
      { startIndex: 2, length: "Sandbox: Check This System (id maps)".length, feature: "id maps" },
    ]);
  });

  it("is told of what a profile asks for too", () => {
    const error = new SandboxError("sandbox", "/x", "No memory limit.", "Leave it out.", "memory controller");
    const failure = describeFailure(error);
    assert.deepEqual([failure.action, failure.feature], ["system", "memory controller"]);
  });

  it("is found again in a line with other words, and only there", () => {
    assert.equal(findSystemLink(`see ${systemLine(undefined)}.`)?.feature, undefined);
    assert.equal(findSystemLink(`see ${systemLine("user namespace")}, please`)?.feature, "user namespace");
    assert.equal(findSystemLink(`${systemLine(undefined)} (\x1b]8;;evil)`)?.feature, undefined);
    assert.equal(findSystemLink("Check your system"), undefined);
  });

  it("is no matter of a command that does not exist", () => {
    const absent = { code: "ENOENT", errno: 2, syscall: "execve", step: "exec", index: 1, steps: 2, path: "/x" };
    const text = failureText(describeFailure(new SpawnError("exec: ENOENT", absent)), 80);
    assert.equal(findSystemLink(text), undefined);
  });
});
