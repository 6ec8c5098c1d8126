// A repository can't loosen: what its tasks.json asks beyond the user's profile is asked of the user, and what stands in
// its settings.json changes nothing. VS Code shows no dialogs while tests run in it, so the answers are given by the
// tests here; in test/e2e somebody presses the buttons.

import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as vscode from "vscode";
import { Command, readSetting, Setting, TASK_TYPE } from "../../src/contributions";
import {
  Approvals,
  DenialLinks,
  FailureNotifier,
  Gate,
  Launcher,
  SandboxTaskProvider,
  TaskProblems,
  TerminalLinks,
} from "../../src/tasks";
import type { Answer, Question } from "../../src/tasks/gate";
import { waitUntil } from "../support/processes";
import {
  api,
  findTask,
  inWorkspace,
  nothingRuns,
  type RecordingTerminal,
  run,
  runLine,
  terminalOf,
  workspaceFolder,
  writeTasks,
} from "./sandboxTasks";

/** Global state as it is between two windows: JSON. */
class State implements vscode.Memento {
  readonly #values = new Map<string, string>();

  get<T>(key: string): T | undefined;
  get<T>(key: string, defaultValue: T): T;
  get<T>(key: string, defaultValue?: T): T | undefined {
    const text = this.#values.get(key);
    return text === undefined ? defaultValue : (JSON.parse(text) as T);
  }

  keys(): readonly string[] {
    return [...this.#values.keys()];
  }

  async update(key: string, value: unknown): Promise<void> {
    this.#values.set(key, JSON.stringify(value));
  }
}

/** A task of tasks.json that asks for the network and for a folder outside. */
function asking(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    label: "setup",
    type: TASK_TYPE,
    command: "echo ran >> ran.txt",
    profile: { extends: "install", filesystem: { write: ["../beside"] } },
    problemMatcher: [],
    ...changes,
  };
}

/** How often the task has run. */
function runs(): number {
  return fs.existsSync(inWorkspace("ran.txt"))
    ? fs.readFileSync(inWorkspace("ran.txt"), "utf8").split("\n").length - 1
    : 0;
}

describe("a task that asks for more than the user's profile", () => {
  const questions: Question[] = [];
  const answers: Answer[] = [];
  let approvals: Approvals;
  let provider: SandboxTaskProvider;
  let log: vscode.LogOutputChannel;
  let problems: TaskProblems;

  before(async () => {
    log = vscode.window.createOutputChannel("approval test", { log: true });
    problems = new TaskProblems();
    approvals = new Approvals(new State());
    const gate = new Gate(approvals, async (question) => {
      questions.push(question);
      return answers.shift() ?? "no";
    });
    const { registry } = await api();
    // The extension's own registry and code; only who answers is ours.
    provider = new SandboxTaskProvider(
      new Launcher(registry, new TerminalLinks(), new FailureNotifier(), problems, gate, new DenialLinks(), log),
    );
  });

  beforeEach(async () => {
    fs.mkdirSync(inWorkspace("../beside"), { recursive: true });
    fs.rmSync(inWorkspace("ran.txt"), { force: true });
    questions.length = 0;
    answers.length = 0;
    await approvals.clear();
  });

  afterEach(nothingRuns);

  after(() => {
    log.dispose();
    problems.dispose();
  });

  /** Run the task as it stands in tasks.json now. */
  async function start(name = "setup"): Promise<RecordingTerminal> {
    const resolved = provider.resolveTask(await findTask(name, TASK_TYPE));
    assert(resolved);
    const terminal = (await terminalOf(resolved)).open({ columns: 1000, rows: 24 });
    await terminal.ends();
    return terminal;
  }

  it("runs nothing when the user says no, and the terminal says so", async () => {
    await writeTasks([asking()]);
    const terminal = await start();
    assert.equal(terminal.closed, 125);
    assert.equal(runs(), 0);
    assert.match(terminal.text, /You did not allow what this task asks/);
    assert.match(terminal.text, /reach the network of this machine \(network\)/);
    assert.match(terminal.text, /Nothing was run\./);
    const [question] = questions;
    assert.deepEqual(
      question?.request.beyond.map(({ key }) => key),
      ["filesystem.write", "filesystem.caches", "network", "environment.inherit"],
    );
    assert.equal(question.request.workspace, workspaceFolder().uri.fsPath);
  });

  it("runs once when it is allowed once, and is asked about again", async () => {
    await writeTasks([asking()]);
    answers.push("once");
    assert.equal((await start()).closed, 0);
    assert.equal(runs(), 1);
    assert.equal((await start()).closed, 125);
    assert.equal(runs(), 1);
    assert.equal(questions.length, 2);
  });

  it("is remembered, until the approval is taken back", async () => {
    await writeTasks([asking()]);
    answers.push("remember");
    for (let round = 0; round < 2; round++) assert.equal((await start()).closed, 0);
    assert.equal(questions.length, 1);
    const [approval] = approvals.all;
    assert.equal(approval?.task, "setup");
    await approvals.remove(approval.hash);
    assert.equal((await start()).closed, 125);
    assert.equal(runs(), 2);
  });

  it("is asked about again after any edit", async () => {
    const edits: Record<string, unknown>[] = [
      { command: "echo ran >> ran.txt; true" },
      { command: "sh", args: ["-c", "echo ran >> ran.txt"] },
      { shell: ["/bin/bash", "-c"] },
      { cwd: "scripts" },
      { env: { GREETING: "hello" } },
      { profile: "install" },
      { profile: { extends: "install", filesystem: { write: ["../beside"] }, limits: { wallTime: "1m" } } },
      { profile: { extends: "build", network: "host", filesystem: { write: ["../beside"] } } },
    ];
    await writeTasks([asking()]);
    answers.push("remember");
    await start();
    for (const [index, edit] of edits.entries()) {
      await writeTasks([asking(edit)]);
      assert.equal((await start()).closed, 125, JSON.stringify(edit));
      assert.equal(questions.length, index + 2, JSON.stringify(edit));
    }
    // Back as it was, it is the request that was allowed.
    await writeTasks([asking()]);
    assert.equal((await start()).closed, 0);
    assert.equal(questions.length, edits.length + 1);
  });

  it("is asked about again when a folder that was allowed has become a link to another", async () => {
    await writeTasks([asking({ profile: { extends: "build", filesystem: { write: ["out"] } } })]);
    fs.mkdirSync(inWorkspace("out"));
    answers.push("remember");
    assert.equal((await start()).closed, 0);
    fs.rmdirSync(inWorkspace("out"));
    fs.symlinkSync(inWorkspace("../beside"), inWorkspace("out"));
    assert.equal((await start()).closed, 125);
    assert.match(questions.at(-1)?.request.beyond[0]?.allows ?? "", /leads to .*beside/);
    fs.rmSync(inWorkspace("out"));
  });

  it("is not asked about where it asks for the same or less", async () => {
    for (const profile of ["build", "strict", { extends: "strict", limits: { wallTime: "1m" } }]) {
      await writeTasks([asking({ profile, command: "true" })]);
      assert.equal((await start()).closed, 0);
    }
    await writeTasks([asking({ profile: undefined, env: { GREETING: "hello" } })]);
    assert.equal((await start()).closed, 0);
    assert.equal(questions.length, 0);
  });

  it("is asked about for a variable that steers programs", async () => {
    await writeTasks([asking({ profile: "build", env: { NODE_OPTIONS: "--require ./x.js" } })]);
    assert.equal((await start()).closed, 125);
    assert.equal(questions[0]?.request.beyond[0]?.key, "environment.set.NODE_OPTIONS");
  });

  it("is not run by the installed extension where nobody can be asked", async () => {
    await writeTasks([asking()]);
    assert.equal(await run("setup"), 125);
    // Arguments of a command are not what the user picked: a repository can have commands run, too.
    await writeTasks([{ label: "plain", type: "shell", command: "echo ran >> ran.txt", problemMatcher: [] }]);
    const end = new Promise<number | undefined>((resolve) => {
      const listener = vscode.tasks.onDidEndTaskProcess(({ exitCode }) => {
        listener.dispose();
        resolve(exitCode);
      });
    });
    await vscode.commands.executeCommand(Command.RunTask, "plain", "install");
    assert.equal(await end, 125);
    assert.equal(runs(), 0);
  });
});

describe("the settings of a workspace", () => {
  const file = () => inWorkspace(".vscode/settings.json");

  after(() => fs.rmSync(file(), { force: true }));
  afterEach(nothingRuns);

  it("change nothing about what a task may do", async () => {
    fs.mkdirSync(inWorkspace(".vscode"), { recursive: true });
    fs.writeFileSync(
      file(),
      JSON.stringify({
        // One that a workspace may set, to know when the file was read.
        "editor.tabSize": 7,
        "sandbox.defaultProfile": "install",
        "sandbox.profiles": { build: { network: "host" }, theirs: { network: "host" } },
        "sandbox.killGracePeriod": 60,
      }),
    );
    const uri = workspaceFolder().uri;
    await waitUntil(
      "the file was read",
      () => vscode.workspace.getConfiguration("editor", uri).get<number>("tabSize") === 7,
    );
    assert.equal(readSetting(vscode.workspace, Setting.DefaultProfile), "build");
    assert.deepEqual(readSetting(vscode.workspace, Setting.Profiles), {});
    assert.equal(readSetting(vscode.workspace, Setting.KillGracePeriod), 3);
    const outside = fs.readlinkSync("/proc/self/ns/net");
    assert.equal(await runLine("readlink /proc/self/ns/net > ran.txt"), 0);
    assert.notEqual(fs.readFileSync(inWorkspace("ran.txt"), "utf8").trim(), outside);
    assert.equal(await runLine("true", { profile: "theirs" }), 125);
  });
});
