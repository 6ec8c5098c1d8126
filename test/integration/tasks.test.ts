// Tasks of type `sandbox` in tasks.json, in the real extension host and through VS Code's own task system.

import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as vscode from "vscode";
import { TASK_TYPE } from "../../src/contributions";
import { waitUntil } from "../support/processes";
import {
  api,
  findTask,
  inWorkspace,
  isAlive,
  lineInTerminal,
  nextEnd,
  nothingRuns,
  run,
  runLine,
  terminalOf,
  workspaceFolder,
  writeTasks,
} from "./sandboxTasks";

function printed(file = "out.txt"): string {
  return fs.readFileSync(inWorkspace(file), "utf8").trim();
}

describe("a task of type sandbox", () => {
  afterEach(nothingRuns);

  it("is resolved, with words for what its sandbox may do", async () => {
    await writeTasks([
      { label: "a", type: TASK_TYPE, command: "true" },
      { label: "b", type: TASK_TYPE, command: "true", profile: "install" },
      { label: "c", type: TASK_TYPE, command: "true", profile: { extends: "strict", limits: { wallTime: "5m" } } },
    ]);
    const [a, b, c] = await Promise.all(["a", "b", "c"].map((name) => findTask(name, TASK_TYPE)));
    assert.match(a?.detail ?? "", /^build: workspace writable, .*no network/);
    assert.match(b?.detail ?? "", /^install: .*host's network/);
    assert.match(c?.detail ?? "", /workspace read-only.*ended after 5m/);
  });

  it("ends with the exit code of its command", async () => {
    assert.equal(await runLine("exit 0"), 0);
    assert.equal(await runLine("exit 42"), 42);
  });

  it("ends with 128 and the signal's number when a signal ended it", async () => {
    assert.equal(await runLine("kill -KILL $$"), 137);
  });

  it("runs a line in a shell, and argv without one", async () => {
    assert.equal(await runLine('echo "$0 $((1+1))" | tr a-z A-Z > out.txt'), 0);
    assert.equal(printed(), "/BIN/SH 2");
    await writeTasks([
      { label: "argv", type: TASK_TYPE, command: "node", args: ["-p", "JSON.stringify(process.argv)", "$HOME; *", ""] },
    ]);
    const terminal = (await terminalOf(await findTask("argv"))).open();
    await terminal.shows(/"\$HOME; \*",""\]/);
    assert.equal(await terminal.ends(), 0);
  });

  it("gets expanded variables, its own environment and its working directory", async () => {
    fs.mkdirSync(inWorkspace("with space"), { recursive: true });
    await writeTasks([
      {
        label: "variables",
        type: TASK_TYPE,
        command: "sh",
        args: [
          "-c",
          `printf '%s\\n' "$PWD" "$GREETING" "$1" > "$2"`,
          "sh",
          "$" + "{workspaceFolderBasename}",
          "../out.txt",
        ],
        cwd: "$" + "{workspaceFolder}/with space",
        env: { GREETING: "hello from $" + "{workspaceFolderBasename}" },
        problemMatcher: [],
      },
    ]);
    assert.equal(await run("variables"), 0);
    const name = workspaceFolder().name;
    assert.deepEqual(printed().split("\n"), [inWorkspace("with space"), `hello from ${name}`, name]);
  });

  it("asks for inputs as any task does", async () => {
    await writeTasks(
      [
        {
          label: "asks",
          type: TASK_TYPE,
          command: "sh",
          args: ["-c", "echo $1 > out.txt", "sh", "$" + "{input:answer}"],
          problemMatcher: [],
        },
      ],
      { inputs: [{ id: "answer", type: "command", command: "sandboxTasksTest.answer" }] },
    );
    const command = vscode.commands.registerCommand("sandboxTasksTest.answer", () => "forty-two");
    try {
      assert.equal(await run("asks"), 0);
    } finally {
      command.dispose();
    }
    assert.equal(printed(), "forty-two");
  });

  it("can't see the keys in the home folder, reach the network, or write outside the workspace", async () => {
    const home = process.env.HOME ?? "";
    assert.ok(fs.existsSync(`${home}/.ssh/id_ed25519`), "there is something to steal");
    assert.notEqual(await runLine("cat ~/.ssh/id_ed25519"), 0);
    assert.notEqual(await runLine("echo x > /etc/sandbox-tasks-was-here"), 0);
    // The folder above lies in a private /tmp, where writing succeeds and nobody sees it.
    await runLine("echo x > ../sandbox-tasks-was-here");
    assert.equal(fs.existsSync(inWorkspace("../sandbox-tasks-was-here")), false);
    const connect = `require("net").connect(80, "192.0.2.1").setTimeout(5000, () => process.exit(3)).on("error", (e) => { console.log(e.code); process.exit(4); })`;
    await writeTasks([{ label: "net", type: TASK_TYPE, command: "node", args: ["-e", connect] }]);
    const terminal = (await terminalOf(await findTask("net"))).open();
    await terminal.shows(/ENETUNREACH/);
    assert.equal(await terminal.ends(), 4);
  });

  it("produces problems through its problem matcher", async () => {
    fs.writeFileSync(inWorkspace("wrong.ts"), "let x: number = 'text';\n");
    await writeTasks([
      {
        label: "matched",
        type: TASK_TYPE,
        command: "echo \"wrong.ts(1,5): error TS2322: Type 'string' is not assignable to type 'number'.\"; exit 2",
        problemMatcher: "$tsc",
      },
    ]);
    assert.equal(await run("matched"), 2);
    const [problem] = await waitUntil("the problem is shown", () => {
      const found = vscode.languages.getDiagnostics(vscode.Uri.file(inWorkspace("wrong.ts")));
      return found.some(({ source, code }) => `${source}${code}`.includes("2322") || code !== undefined) && found;
    });
    assert.match(problem?.message ?? "", /not assignable/);
  });

  it("is ended with everything in it when VS Code terminates it", async () => {
    const { registry } = await api();
    await writeTasks([
      {
        label: "long",
        type: TASK_TYPE,
        command: "setsid sleep 1000 & sleep 1000",
        isBackground: true,
        problemMatcher: [],
      },
    ]);
    const execution = await vscode.tasks.executeTask(await findTask("long"));
    const sandbox = await waitUntil("it runs", () => registry.running[0]);
    await waitUntil("both sleep", async () => (await sandbox.stats()).processes >= 3);
    const { pid } = sandbox.process;
    execution.terminate();
    await sandbox.exited;
    assert.equal(isAlive(pid), false);
  });
});

describe("the terminal of a sandboxed task", () => {
  afterEach(nothingRuns);

  it("says what runs under which profile, and how it ended", async () => {
    const terminal = (await lineInTerminal("echo done")).open();
    assert.equal(await terminal.ends(), 0);
    assert.match(
      terminal.text,
      /^▶ echo done\r\n {2}sandbox build: workspace writable[\s\S]*done\r\n✔ Sandbox exited with code 0 · [\d.]+ s · CPU [\d.]+ s · peak memory [\d.]+ [kMG]B\r\n$/,
    );
  });

  it("says which signal ended it", async () => {
    const terminal = (await lineInTerminal("kill -TERM $$")).open();
    assert.equal(await terminal.ends(), 143);
    assert.match(terminal.text, /✖ Sandbox killed by SIGTERM/);
  });

  it("does nothing before it is opened", async () => {
    const { registry } = await api();
    const terminal = await lineInTerminal("true");
    terminal.type("x");
    assert.equal(terminal.raw, "");
    assert.equal(registry.running.length, 0);
  });

  it("is a real terminal of the given size, that follows a resize, with colours", async () => {
    const terminal = (
      await lineInTerminal("tty; stty size; printf '\\033[31mred\\033[0m\\n'; read line; stty size")
    ).open({ columns: 91, rows: 17 });
    await terminal.shows(/\/dev\/pts\/\d+\r\n17 91\r\n/);
    assert.ok(terminal.raw.includes("\x1b[31mred\x1b[0m"));
    terminal.resize(123, 45);
    terminal.type("\r");
    await terminal.shows(/45 123\r\n/);
    assert.equal(await terminal.ends(), 0);
  });

  it("takes 80 columns where VS Code does not know the size yet", async () => {
    const pty = await lineInTerminal("stty size");
    await pty.open(undefined).shows(/24 80\r\n/);
    assert.equal(await pty.ends(), 0);
  });

  it("passes input on, and Ctrl+C interrupts the command", async () => {
    const terminal = (await lineInTerminal("read name; echo hello $name; sleep 1000")).open();
    await terminal.shows(/sandbox build/);
    terminal.type("wörld\r");
    await terminal.shows(/hello wörld/);
    terminal.type("\x03");
    assert.equal(await terminal.ends(), 130);
  });

  it("loses no byte of what was printed right before the exit", async () => {
    for (let round = 0; round < 5; round++) {
      const terminal = (
        await lineInTerminal("i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; printf 'the last byte'")
      ).open();
      assert.equal(await terminal.ends(), 0);
      assert.match(terminal.text, /line 2999\r\nthe last byte\r\n✔/);
      assert.equal(terminal.text.match(/^line \d+\r$/gm)?.length, 3000);
    }
  });

  it("stays usable while a program prints without end", async () => {
    const terminal = (await lineInTerminal("yes")).open();
    await waitUntil("it prints", () => terminal.raw.length > 1_000_000);
    const before = performance.now();
    terminal.type("\x03");
    assert.equal(await terminal.ends(), 130);
    assert.ok(performance.now() - before < 3000, "Ctrl+C is heard at once");
  });

  it("ends the sandbox when it is closed", async () => {
    const { registry } = await api();
    const terminal = (await lineInTerminal("trap '' TERM HUP INT; while :; do sleep 0.1; done")).open();
    const sandbox = await waitUntil("it runs", () => registry.running[0]);
    await terminal.shows(/sandbox build/);
    terminal.close();
    const status = await sandbox.exited;
    assert.equal(status.signal, "SIGKILL", "after the grace time");
  });
});

describe("a task that can't be started", () => {
  afterEach(nothingRuns);

  const cases: readonly [title: string, task: object, code: number, text: RegExp][] = [
    ["its profile is misspelt", { command: "true", profile: "buidl" }, 125, /unknown profile "buidl".*"build"/],
    [
      "a key of its profile is misspelt",
      { command: "true", profile: { extends: "build", netwrok: "none" } },
      125,
      /netwrok[\s\S]*network/,
    ],
    ["a key is misspelt", { command: "true", porfile: "strict" }, 125, /`porfile`[\s\S]*`profile`/],
    ["its command is missing", {}, 125, /`command` is missing/],
    [
      "its command does not exist",
      { command: "no-such-command", args: [] },
      127,
      /not found in the sandbox: no-such-command/,
    ],
    ["its working directory is hidden", { command: "true", cwd: "/run/user" }, 125, /\/run\/user/],
    ["its working directory does not exist", { command: "true", cwd: "nowhere" }, 125, /nowhere/],
  ];
  for (const [title, task, code, text] of cases) {
    it(`says so, says how to mend it, and fails, when ${title}`, async () => {
      const { registry } = await api();
      const ended = registry.ended.length;
      await writeTasks([{ label: "wrong", type: TASK_TYPE, problemMatcher: [], ...task }]);
      const terminal = (await terminalOf(await findTask("wrong", TASK_TYPE))).open({ columns: 200, rows: 24 });
      assert.equal(await terminal.ends(), code, terminal.text);
      assert.match(terminal.text, text);
      assert.match(terminal.text, /✖ /);
      assert.match(terminal.text, /Nothing was run\./);
      assert.equal(registry.running.length, 0);
      assert.equal(registry.ended.length, ended);
    });
  }

  it("is a failed task to VS Code", async () => {
    await writeTasks([{ label: "wrong", type: TASK_TYPE, command: "true", profile: "buidl", problemMatcher: [] }]);
    const end = nextEnd("wrong");
    await vscode.tasks.executeTask(await findTask("wrong"));
    assert.equal(await end, 125);
  });
});
