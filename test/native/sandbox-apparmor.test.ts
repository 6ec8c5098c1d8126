// Where AppArmor lets a user namespace be made and refuses every privileged act in it, as Ubuntu does since 23.10 to what
// has no profile of its own. For real, by a profile that grants no capability, to an ordinary user. The test machine
// (npm run test:vm) has AppArmor.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { LIBRARY, LIBRARY_NODE } from "../support/library";
import { skipBecause } from "../support/skip";
import { makeTemp, removeTemp } from "../support/temp";
import type { Answer, Request } from "./hosts/alone";
import { canOwn, isRoot } from "./spawner-world";

const HOST = resolve("out/test/native/hosts/alone.js");
const NOBODY = 65_534;
const NAME = `sandbox-tasks-test-${process.pid}`;

/** What is executed inherits it. The flags are those of docker-default. */
function load(...rules: string[]): void {
  const profile = `profile ${NAME} flags=(attach_disconnected,mediate_deleted)`;
  const policy = `abi <abi/3.0>,\n${profile} {\n${rules.join("\n")}\n}\n`;
  execFileSync("apparmor_parser", ["--replace", "--skip-cache"], { input: policy });
}

const RULES = ["file,", "network,", "ptrace,", "signal,", "unix,"];

describe("under an AppArmor profile without capabilities", () => {
  let root: string;
  let context: Request["context"];

  before(function () {
    if (!isRoot) skipBecause(this, "only root can load a profile");
    if (!existsSync("/sys/kernel/security/apparmor/.load")) skipBecause(this, "AppArmor is not on");
    if (spawnSync("apparmor_parser", ["--version"]).status !== 0) skipBecause(this, "there is no apparmor_parser");
    load(...RULES);
    root = makeTemp("apparmor");
    context = { home: join(root, "home"), workspace: join(root, "home/project") };
    mkdirSync(context.workspace, { recursive: true });
    writeFileSync(join(context.home, "secret"), "secret\n");
    for (const folder of [root, context.home, context.workspace]) {
      chmodSync(folder, 0o755);
      chownSync(folder, NOBODY, NOBODY);
    }
  });
  after(() => {
    if (root === undefined) return;
    writeFileSync("/sys/kernel/security/apparmor/.remove", NAME);
    removeTemp(root);
  });

  /** The last line that a Node says, as an ordinary user whom the profile confines. */
  function confined(...args: string[]): string {
    const user = ["--reuid", String(NOBODY), "--regid", String(NOBODY), "--clear-groups", "--"];
    const profile = ["aa-exec", "--profile", NAME, "--"];
    const env = { ...process.env, HOME: context.home, TMPDIR: root };
    const output = execFileSync("setpriv", [...user, ...profile, LIBRARY_NODE, ...args], { encoding: "utf8", env });
    return output.trim().split("\n").at(-1) ?? "";
  }

  function run(request: Omit<Request, "context">): Answer {
    return JSON.parse(confined(HOST, JSON.stringify({ ...request, context }))) as Answer;
  }

  it("the step that is refused and the feature that is missing are named", () => {
    const { error } = run({ script: "true", profile: "build" });
    // The user namespace itself could be made; those that come with it take a capability in it.
    assert.match(error?.message ?? "", /^clone3 new user, mount, .*: EPERM/);
    assert.equal(error?.feature, "user namespace");
  });

  it("Landlock alone takes the place of namespaces where the profile says so", async () => {
    const script = "grep -E '^(CapEff|NoNewPrivs)' /proc/self/status; cat ../secret";
    const { error, isolation, output } = run({ script, profile: { extends: "build", fallback: "landlock" } });
    if (!(await canOwn())) {
      assert.match(
        error?.message ?? "",
        /^Namespaces are refused here \(clone3 .*EPERM.*\), and Landlock alone.*ABI 6/,
      );
      return;
    }
    assert.equal(error?.message, undefined);
    assert.equal(isolation, "landlock");
    assert.match(output, /^CapEff:\s0+\nNoNewPrivs:\s1\n.*Permission denied\n$/);
  });

  it("the doctor names the profile, and what is missing in it: with that, there are namespaces", () => {
    const script = `require(${JSON.stringify(LIBRARY)}).sandbox.doctor.checkSystem()
      .then(({ findings }) => console.log(JSON.stringify(findings)))`;
    const findings = confined("-e", script);
    assert.match(findings, new RegExp(`The AppArmor profile ${NAME} confines this editor`));
    const [, lines = ""] = new RegExp(`printf '([^']*)' \\| .*/etc/apparmor.d/local/${NAME}"`).exec(findings) ?? [];
    load(...RULES, ...lines.split(/\\+n/));
    const { error, isolation, output } = run({ script: "echo inside", profile: "build" });
    assert.equal(error?.message, undefined);
    assert.deepEqual([isolation, output], ["namespaces", "inside\n"]);
  });
});
