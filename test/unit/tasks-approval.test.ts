// The question that is asked before a task of a repository may do more than the user's profile allows, who answers it,
// and what is remembered.

import assert from "node:assert/strict";
import type { HostFacts } from "../../src/sandbox/host";
import { loosenings } from "../../src/sandbox/loosening";
import { resolveProfile } from "../../src/sandbox/profiles";
import type { ProfileRef } from "../../src/sandbox/schema";
import { type Approval, Approvals } from "../../src/tasks/approvals";
import { approvalText } from "../../src/tasks/approvalText";
import { type Answer, Gate, type GatedTask, NotAllowedError, type Question } from "../../src/tasks/gate";

/** VS Code's global state, as far as we use it: values go through JSON there. */
class State {
  readonly values = new Map<string, string>();

  get<T>(key: string): T | undefined {
    const text = this.values.get(key);
    return text === undefined ? undefined : (JSON.parse(text) as T);
  }

  keys(): readonly string[] {
    return [...this.values.keys()];
  }

  async update(key: string, value: unknown): Promise<void> {
    this.values.set(key, JSON.stringify(value));
  }
}

const TASK: GatedTask = {
  name: "setup",
  file: "/bin/sh",
  args: ["-c", "npm ci"],
  cwd: "/home/me/project",
  display: "npm ci",
};

const FACTS = { home: "/home/me", workspace: "/home/me/project", paths: {}, matches: {} } as unknown as HostFacts;
const OWN = resolveProfile("build");

/** A gate at which somebody gives these answers, one after the other. */
function guarded(state = new State()) {
  const answers: Answer[] = [];
  const questions: Question[] = [];
  const approvals = new Approvals(state);
  const gate = new Gate(approvals, async (question) => {
    questions.push(question);
    return answers.shift() ?? "no";
  });
  const start = async (profile: ProfileRef, task = TASK, facts = FACTS): Promise<void> => {
    const consent = gate.consent(task, OWN);
    while ((await consent(resolveProfile(profile), facts)) === "asked");
  };
  return { answers, questions, approvals, gate, start };
}

function textOf(profile: ProfileRef, changes: { name?: string; command?: string } = {}) {
  const asked = resolveProfile(profile);
  const request = {
    ...TASK,
    name: changes.name ?? TASK.name,
    workspace: FACTS.workspace,
    profile: asked,
    beyond: loosenings(asked, OWN, FACTS),
  };
  return approvalText(request, OWN.name, changes.command ?? TASK.display);
}

describe("the gate before a task", () => {
  it("asks nothing for what the user's profile allows", async () => {
    const { start, questions } = guarded();
    await start("build");
    await start("strict");
    assert.equal(questions.length, 0);
  });

  it("asks for more, and runs nothing without an answer", async () => {
    const { start, questions } = guarded();
    await assert.rejects(start("install"), (error) => {
      assert(error instanceof NotAllowedError);
      assert.match(error.message, /reach the network of this machine \(network\)/);
      return true;
    });
    assert.equal(questions.length, 1);
    assert.equal(questions[0]?.own, "build");
  });

  it("runs it once, and asks the next time", async () => {
    const { start, questions, answers, approvals } = guarded();
    answers.push("once");
    await start("install");
    assert.deepEqual(approvals.all, []);
    await assert.rejects(start("install"));
    assert.equal(questions.length, 2);
  });

  it("remembers, also in a window that opens later, until it is taken back", async () => {
    const state = new State();
    const first = guarded(state);
    first.answers.push("remember");
    await first.start("install");
    await first.start("install");
    assert.equal(first.questions.length, 1);

    const later = guarded(state);
    await later.start("install");
    assert.equal(later.questions.length, 0);
    const [approval] = later.approvals.all;
    assert.equal(approval?.task, "setup");
    assert.equal(approval.folder, FACTS.workspace);
    assert.match(approval.allows.join(), /network/);

    await later.approvals.remove(approval.hash);
    await assert.rejects(later.start("install"));
    await assert.rejects(first.start("install"));
  });

  it("takes all back at once", async () => {
    const { start, answers, approvals } = guarded();
    answers.push("remember", "remember");
    await start("install");
    await start("install", { ...TASK, name: "other" });
    assert.deepEqual(
      approvals.all.map(({ task }) => task),
      ["other", "setup"],
    );
    await approvals.clear();
    await assert.rejects(start("install"));
  });

  it("asks again after any change of the task", async () => {
    const { start, answers, questions } = guarded();
    answers.push("remember");
    await start("install");
    const changes: readonly (readonly [ProfileRef, GatedTask, HostFacts])[] = [
      ["install", { ...TASK, name: "setup2" }, FACTS],
      ["install", { ...TASK, args: ["-c", "npm ci; curl example.com"] }, FACTS],
      ["install", { ...TASK, file: "/bin/bash" }, FACTS],
      ["install", { ...TASK, cwd: "/home/me/project/sub" }, FACTS],
      ["install", TASK, { ...FACTS, workspace: "/home/me/other" }],
      [{ extends: "install", environment: { set: { GREETING: "hello" } } }, TASK, FACTS],
      [{ extends: "install", limits: { wallTime: "10m" } }, TASK, FACTS],
      [{ extends: "install", filesystem: { write: ["~/x"] } }, TASK, FACTS],
    ];
    for (const [profile, task, facts] of changes) await assert.rejects(start(profile, task, facts));
    assert.equal(questions.length, 1 + changes.length);
    await start("install");
    assert.equal(questions.length, 1 + changes.length);
  });

  it("asks again when a path that was allowed has become a link", async () => {
    const { start, answers, questions } = guarded();
    answers.push("remember");
    const profile: ProfileRef = { extends: "build", filesystem: { write: ["cache"] } };
    const leading = (real: string): HostFacts => ({
      ...FACTS,
      paths: { "/home/me/project/cache": { real, kind: "directory" } },
    });
    await start(profile, TASK, leading("/home/me/project/cache"));
    await assert.rejects(start(profile, TASK, leading("/home/me/.ssh")));
    assert.match(questions[1]?.request.beyond[0]?.allows ?? "", /leads to \/home\/me\/\.ssh/);
  });

  it("looks again after the answer: what changed while the user read is asked about", async () => {
    const { gate, answers, questions } = guarded();
    answers.push("once");
    const consent = gate.consent(TASK, OWN);
    assert.equal(await consent(resolveProfile("install"), FACTS), "asked");
    await assert.rejects(consent(resolveProfile({ extends: "install", filesystem: { write: ["/srv"] } }), FACTS));
    assert.equal(questions.length, 2);
  });

  it("asks one question at a time, and takes the answer to the first for the same one after it", async () => {
    const { start, answers, questions } = guarded();
    answers.push("remember");
    await Promise.all([start("install"), start("install"), start("install")]);
    assert.equal(questions.length, 1);
  });

  it("goes on asking after a question that could not be put", async () => {
    const approvals = new Approvals(new State());
    let works = false;
    const gate = new Gate(approvals, async () => {
      if (!works) throw new Error("no window");
      return "once";
    });
    const ask = () => gate.consent(TASK, OWN)(resolveProfile("install"), FACTS);
    await assert.rejects(ask(), /no window/);
    works = true;
    assert.equal(await ask(), "asked");
  });
});

describe("the approvals that are kept", () => {
  it("are none where the state holds something else", async () => {
    const state = new State();
    const good: Approval = { hash: "1", task: "a", folder: "/", command: "x", allows: ["y"], since: "2026-01-01" };
    for (const junk of [null, 3, "x", {}, [null, 1, { hash: "1" }, { ...good, allows: [1] }]]) {
      await state.update("approvals", junk);
      assert.deepEqual(new Approvals(state).all, []);
      assert.equal(new Approvals(state).has("1"), false);
    }
    await state.update("approvals", [good, { hash: "2" }]);
    assert.deepEqual(new Approvals(state).all, [good]);
  });
});

describe("the text of the question", () => {
  it("says what is asked, by which key, why it matters, for which command and folder", () => {
    const { message, detail, tooLong } = textOf({ extends: "install", filesystem: { write: ["~/.npm", "~/.cache"] } });
    assert.equal(message, 'The task "setup" wants to do more than your profile "build" allows');
    assert.match(detail, /• reach the network of this machine \(network\)\n {3}Risk: it can send what it reads/);
    assert.match(detail, /• read and change \/home\/me\/\.npm \(filesystem\.write\)\n• .*\.cache.*\n {3}Risk: /);
    assert.match(detail, /^Command: npm ci$/m);
    assert.match(detail, /^Folder: \/home\/me\/project$/m);
    assert.equal(tooLong, false);
  });

  it("can't be steered by what stands in the repository", () => {
    const { message, detail } = textOf(
      { extends: "build", filesystem: { read: ["/a\n• nothing at all", "/b\u202egnp.x", "/c\u2028d"] } },
      { name: "x\u001b[2J\u200b", command: "npm\r\nci" },
    );
    assert.ok(!/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(message), message);
    assert.ok(!/[\p{Cf}\p{Zl}\p{Zp}]/u.test(detail.replaceAll("\n", "")), detail);
    assert.equal(detail.match(/^•/gm)?.length, 3);
    assert.match(detail, /\\u\{202e\}/);
  });

  it("can't be allowed where it is too much to be read", () => {
    const many = textOf({ extends: "build", filesystem: { read: Array.from({ length: 13 }, (_, i) => `/srv/${i}`) } });
    assert.ok(many.tooLong);
    assert.ok(many.detail.split("\n").length < 25);
    assert.ok(textOf({ extends: "build", filesystem: { read: [`/${"x".repeat(400)}/.ssh`] } }).tooLong);
  });
});
