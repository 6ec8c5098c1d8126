// What stands in tasks.json: checked, made into a command, and taken from other people's tasks.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { taskCommand, taskDirectory } from "../../src/tasks/command";
import { checkDefinition } from "../../src/tasks/definition";
import { fromProcess, fromShell, writtenMatchers } from "../../src/tasks/foreignTask";
import { type ShellWord, shellLine } from "../../src/tasks/shellQuoting";

function problems(definition: Record<string, unknown>, written?: Record<string, unknown>): string[] {
  const checked = checkDefinition({ type: "sandbox", ...definition }, written);
  assert.equal(checked.definition === undefined, checked.problems.length > 0);
  return checked.problems.map(({ path, message }) => `${path}: ${message}`);
}

/** A variable of VS Code, as it stands in tasks.json. */
function variable(name: string): string {
  return `\${${name}}`;
}

describe("a definition in tasks.json", () => {
  it("is taken when all is right, with nothing added", () => {
    const definition = { type: "sandbox", command: "make", args: ["all"], profile: "strict", env: { A: "1" } };
    assert.deepEqual(checkDefinition(definition, { ...definition, label: "make", group: "build" }), {
      definition,
      problems: [],
      ignored: [],
    });
  });

  it("is refused with the nearest key when one is misspelt, even though VS Code dropped it", () => {
    const [problem, ...others] = problems({ command: "make" }, { command: "make", porfile: "strict" });
    assert.deepEqual(others, []);
    assert.match(problem ?? "", /^porfile: .*Did you mean `profile`\?$/);
    // The empty string is what VS Code puts in for the missing key; that is told once, not twice.
    assert.match(problems({ command: "" }, { comand: "make" }).join(), /^comand: .*`command`\?$/);
  });

  it("is refused when a key of the profile stands at the top, where it would do nothing", () => {
    assert.match(problems({ command: "x" }, { network: "none" }).join(), /^network: .*belongs into `profile`/);
    assert.match(problems({ command: "x" }, { options: { cwd: "/" } }).join(), /^options: .*`cwd` and `env`/);
  });

  it("is run, with a word about it, when it has a key that nobody knows", () => {
    const { definition, ignored } = checkDefinition({ type: "sandbox", command: "x" }, { futureKeyOfVsCode: 1 });
    assert.ok(definition);
    assert.deepEqual(ignored, ["futureKeyOfVsCode"]);
  });

  it("is refused for every value of a wrong type, naming the key", () => {
    const wrong = { command: 1, args: ["a", 2], shell: [], profile: 3, cwd: [], env: { A: 1, B: "2" } };
    assert.deepEqual(
      problems(wrong).map((problem) => problem.split(":")[0]),
      ["command", "args", "shell", "profile", "cwd", "env.A"],
    );
    assert.match(problems({}).join(), /^command: `command` is missing/);
    assert.match(problems({ command: "x", env: ["A=1"] }).join(), /^env: /);
  });
});

describe("the command of a task", () => {
  it("is one argument of sh -c when there are no args, whatever is in it", () => {
    const command = `echo "$HOME" '; rm -rf /' && exit 3`;
    assert.deepEqual(taskCommand({ type: "sandbox", command }), {
      file: "/bin/sh",
      args: ["-c", command],
      display: command,
    });
  });

  it("is argv when there are args, even none", () => {
    const command = { type: "sandbox", command: "printf", args: ["%s", "a b", "$HOME"] } as const;
    assert.deepEqual(taskCommand(command), {
      file: "printf",
      args: ["%s", "a b", "$HOME"],
      display: "printf %s 'a b' '$HOME'",
    });
    assert.deepEqual(taskCommand({ type: "sandbox", command: "true", args: [] }).file, "true");
  });

  it("is handed to the shell that the task names", () => {
    const { file, args } = taskCommand({ type: "sandbox", command: "echo x", shell: ["/bin/bash", "-eu", "-c"] });
    assert.deepEqual([file, ...args], ["/bin/bash", "-eu", "-c", "echo x"]);
  });

  it("runs in the workspace, or in a folder given from there", () => {
    const definition = { type: "sandbox", command: "x" } as const;
    assert.equal(taskDirectory(definition, "/w"), "/w");
    assert.equal(taskDirectory({ ...definition, cwd: "sub/../other" }, "/w"), "/w/other");
    assert.equal(taskDirectory({ ...definition, cwd: "/tmp" }, "/w"), "/tmp");
  });
});

describe("a shell task of somebody else", () => {
  it("keeps its line, its shell and its options, unexpanded, in the definition", () => {
    const { definition, quoting } = fromShell(
      {
        line: `echo ${variable("file")} | cat`,
        options: { cwd: variable("workspaceFolder"), env: { A: variable("env:B") } },
      },
      "/bin/zsh",
    );
    assert.deepEqual(definition, {
      type: "sandbox",
      command: `echo ${variable("file")} | cat`,
      shell: ["/bin/zsh", "-c"],
      cwd: variable("workspaceFolder"),
      env: { A: variable("env:B") },
    });
    assert.equal(quoting, undefined);
  });

  it("keeps the shell that it asks for itself", () => {
    const options = { executable: "/usr/bin/pwsh" };
    assert.deepEqual(fromShell({ line: "dir", options }, "/bin/sh").definition.shell, ["/usr/bin/pwsh", "-Command"]);
    const own = { executable: "/bin/bash", shellArgs: ["-l", "-c"] };
    assert.deepEqual(fromShell({ line: "ls", options: own }, "/bin/sh").definition.shell, ["/bin/bash", "-l", "-c"]);
  });

  it("becomes one line when it has args, quoted after the variables were expanded", () => {
    const words = [{ value: "npm" }, { value: "run" }, { value: variable("file") }];
    const { definition, quoting } = fromShell({ words }, "/bin/sh");
    assert.deepEqual(definition.args, ["run", variable("file")]);
    const expanded = { ...definition, args: ["run", "/with space/x.js"] };
    assert.deepEqual(taskCommand(expanded, quoting).args, ["-c", "npm run '/with space/x.js'"]);
  });

  it("reaches the program as the same words, whatever is in them, when they are quoted strongly or escaped", () => {
    const word = fc.string({ unit: fc.constantFrom(..."ab '\"\\$`*;&|<>(){}!#~?[]\té"), minLength: 1 });
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 4 }), (values) => {
        const words: ShellWord[] = values.map((value) => ({ value, quoting: "strong" }));
        const script = `printf '%s\\0' ${shellLine(words)}`;
        const printed = execFileSync("/bin/sh", ["-c", script], { encoding: "utf8" });
        assert.deepEqual(printed.split("\0").slice(0, -1), values);
      }),
      { numRuns: 40 },
    );
  });

  it("is quoted by VS Code's rules when no quoting is said", () => {
    const line = (value: string) => shellLine([{ value }]);
    assert.equal(line("plain"), "plain");
    assert.equal(line("two words"), "'two words'");
    assert.equal(line('"already quoted"'), '"already quoted"');
    assert.equal(line("a\\ b"), "a\\ b");
    assert.equal(line("--x='a b'"), "--x='a b'");
    assert.equal(line("$HOME"), "$HOME");
    assert.equal(shellLine([{ value: "$A b", quoting: "weak" }]), '"$A b"');
    assert.equal(shellLine([{ value: "a b'c", quoting: "escape" }]), "a\\ b\\'c");
  });
});

describe("a process task of somebody else", () => {
  it("becomes argv, never a shell line, even without arguments", () => {
    assert.deepEqual(fromProcess({ file: "/bin/a b", args: [] }).definition, {
      type: "sandbox",
      command: "/bin/a b",
      args: [],
    });
  });
});

describe("a problemMatcher in tasks.json", () => {
  it("gives its names, and those that are written out", () => {
    assert.deepEqual(writtenMatchers(undefined), { names: [], inline: [] });
    assert.deepEqual(writtenMatchers("$tsc"), { names: ["$tsc"], inline: [] });
    assert.deepEqual(writtenMatchers(["$tsc", { owner: "x" }, "$eslint-stylish"]), {
      names: ["$tsc", "$eslint-stylish"],
      inline: [{ owner: "x" }],
    });
    assert.deepEqual(writtenMatchers({ owner: "x" }), { names: [], inline: [{ owner: "x" }] });
  });
});
