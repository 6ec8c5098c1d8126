// "Run Task in Sandbox...": other people's tasks, without a change to tasks.json.

import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as vscode from "vscode";
import { Command } from "../../src/contributions";
import { waitUntil } from "../support/processes";
import { api, inWorkspace, nextEnd, nothingRuns, run, writeTasks } from "./sandboxTasks";

/** Run a task in a sandbox, and return the exit code. */
async function runInSandbox(name: string, profile = "build"): Promise<number | undefined> {
  const end = nextEnd(name);
  await vscode.commands.executeCommand(Command.RunTask, name, profile);
  return end;
}

function printed(): string[] {
  return fs.readFileSync(inWorkspace("out.txt"), "utf8").trim().split("\n");
}

const outside = fs.readlinkSync("/proc/self/ns/pid");

describe("Run Task in Sandbox", () => {
  before(api);
  beforeEach(() => fs.rmSync(inWorkspace("out.txt"), { force: true }));
  afterEach(nothingRuns);

  it("runs a shell task's line in a sandbox, in its directory, with its variables and its shell", async () => {
    fs.mkdirSync(inWorkspace("sub"), { recursive: true });
    await writeTasks([
      {
        label: "shell line",
        type: "shell",
        command:
          'readlink /proc/self/ns/pid > ../out.txt; echo "$PWD $A $([ -n "$BASH_VERSION" ] && echo bash)" >> ../out.txt',
        options: {
          cwd: "$" + "{workspaceFolder}/sub",
          env: { A: "$" + "{workspaceFolderBasename}" },
          shell: { executable: "/bin/bash", args: ["-c"] },
        },
        problemMatcher: [],
      },
    ]);
    assert.equal(await runInSandbox("shell line"), 0);
    const [namespace, rest] = printed();
    assert.match(namespace ?? "", /^pid:\[\d+\]$/);
    assert.notEqual(namespace, outside);
    assert.equal(rest, `${inWorkspace("sub")} sample-workspace bash`);
  });

  it("quotes the arguments of a shell task as VS Code does", async () => {
    await writeTasks([
      {
        label: "quoted",
        type: "shell",
        command: "printf",
        args: [
          "%s\\\\n",
          "two words",
          { value: "$HOME", quoting: "strong" },
          { value: "a b", quoting: "escape" },
          { value: "$X", quoting: "weak" },
          ">out.txt",
        ],
        options: { env: { X: "x  y" } },
        problemMatcher: [],
      },
    ]);
    // The yardstick is VS Code itself: the same task, outside.
    assert.equal(await run("quoted"), 0);
    const expected = printed();
    fs.rmSync(inWorkspace("out.txt"));
    assert.equal(await runInSandbox("quoted"), 0);
    assert.deepEqual(printed(), expected);
    assert.deepEqual(expected, ["two words", "$HOME", "a b", "x  y"]);
  });

  it("runs a process task as argv", async () => {
    await writeTasks([
      { label: "argv", type: "process", command: "cp", args: ["package.json", "out.txt"], problemMatcher: [] },
    ]);
    assert.equal(await runInSandbox("argv"), 0);
    assert.match(printed().join(), /sample-workspace/);
  });

  it("runs an npm script", async () => {
    const manifest = JSON.parse(fs.readFileSync(inWorkspace("package.json"), "utf8"));
    manifest.scripts.where = "readlink /proc/self/ns/pid > out.txt";
    fs.writeFileSync(inWorkspace("package.json"), JSON.stringify(manifest));
    await waitUntil("the script is known", async () =>
      (await vscode.tasks.fetchTasks({ type: "npm" })).some(({ name }) => name === "where"),
    );
    assert.equal(await runInSandbox("where"), 0);
    assert.notEqual(printed()[0], outside);
  });

  it("runs make", async () => {
    fs.rmSync(inWorkspace("build.txt"), { force: true });
    await writeTasks([{ label: "make it", type: "shell", command: "make", args: ["all"], problemMatcher: [] }]);
    assert.equal(await runInSandbox("make it"), 0);
    assert.ok(fs.existsSync(inWorkspace("build.txt")));
  });

  it("keeps the problem matcher, the group and the presentation of the task", async () => {
    fs.writeFileSync(inWorkspace("other.ts"), "\n");
    await writeTasks([
      {
        label: "matched",
        type: "shell",
        command: "echo 'other.ts(1,1): error TS1005: it is wrong.'; exit 2",
        group: "build",
        presentation: { panel: "dedicated", showReuseMessage: false },
        problemMatcher: ["$tsc"],
      },
    ]);
    const started = new Promise<vscode.Task>((resolve) => {
      const listener = vscode.tasks.onDidStartTask(({ execution }) => {
        listener.dispose();
        resolve(execution.task);
      });
    });
    assert.equal(await runInSandbox("matched"), 2);
    const task = await started;
    assert.deepEqual(task.group?.id, "build");
    assert.equal(task.presentationOptions.panel, vscode.TaskPanelKind.Dedicated);
    await waitUntil(
      "the problem is shown",
      () => vscode.languages.getDiagnostics(vscode.Uri.file(inWorkspace("other.ts"))).length > 0,
    );
  });

  it("applies a problem matcher that is written out, until the task runs again", async () => {
    const matcher = {
      owner: "test",
      fileLocation: "relative",
      pattern: {
        regexp: "^(.*):(\\d+):(\\d+): (warning|error): (.*)$",
        file: 1,
        line: 2,
        column: 3,
        severity: 4,
        message: 5,
      },
    };
    const task = { label: "compiles", type: "shell", problemMatcher: matcher };
    const uri = vscode.Uri.file(inWorkspace("x.c"));
    await writeTasks([{ ...task, command: "printf '\\033[1mx.c:3:7: \\033[31merror: broken\\033[0m\\n'" }]);
    assert.equal(await runInSandbox("compiles"), 0);
    const [problem, ...others] = vscode.languages.getDiagnostics(uri);
    assert.equal(others.length, 0);
    assert.equal(problem?.message, "broken");
    assert.deepEqual([problem.range.start.line, problem.range.start.character], [2, 6]);
    await writeTasks([{ ...task, command: "true" }]);
    assert.equal(await runInSandbox("compiles"), 0);
    assert.equal(vscode.languages.getDiagnostics(uri).length, 0);
  });

  it("runs it under the profile that was chosen", async () => {
    await writeTasks([{ label: "writes", type: "shell", command: "echo x > out.txt", problemMatcher: [] }]);
    assert.notEqual(await runInSandbox("writes", "strict"), 0);
    assert.equal(fs.existsSync(inWorkspace("out.txt")), false);
    assert.equal(await runInSandbox("writes", "build"), 0);
  });

  it("leaves a task of another extension, which has no command, alone", async () => {
    let called = false;
    const definition: vscode.TaskDefinition = { type: "sandboxTasksTest" };
    const provider = vscode.tasks.registerTaskProvider("sandboxTasksTest", {
      provideTasks: () => [
        new vscode.Task(
          definition,
          vscode.TaskScope.Workspace,
          "somebody else's",
          "test",
          new vscode.CustomExecution(async () => {
            called = true;
            throw new Error("not to be run");
          }),
        ),
      ],
      resolveTask: () => undefined,
    });
    const { registry } = await api();
    try {
      await waitUntil("the task is known", async () =>
        (await vscode.tasks.fetchTasks()).some(({ name }) => name === "somebody else's"),
      );
      await vscode.commands.executeCommand(Command.RunTask, "somebody else's", "build");
      assert.equal(called, false);
      assert.equal(registry.running.length, 0);
    } finally {
      provider.dispose();
    }
  });
});
