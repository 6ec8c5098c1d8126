// One more command in a sandbox that runs already.

import assert from "node:assert/strict";
import { readlinkSync } from "node:fs";
import { text } from "node:stream/consumers";
import { waitUntil } from "../support/processes";
import { api, World } from "./sandbox-world";
import { children, openFds } from "./spawner-world";

type Command = Parameters<Awaited<ReturnType<typeof api.sandbox.run>>["exec"]>[0];

describe("sandbox, one more command inside", () => {
  let world: World;
  let sandbox: Awaited<ReturnType<typeof api.sandbox.run>>;

  beforeEach(async () => {
    world = new World();
    world.write("home/secret");
    sandbox = await world.start("echo marker > /tmp/private; exec sleep 1000");
  });
  afterEach(() => world.remove());

  async function run(line: string, more: Partial<Command> = {}): Promise<{ code: number | null; output: string }> {
    const child = await sandbox.exec({ file: "sh", args: ["-c", line], ...more });
    const [out, err, status] = await Promise.all([
      child.stdout ? text(child.stdout) : "",
      child.stderr ? text(child.stderr) : "",
      child.exited,
    ]);
    return { code: status.code, output: out + err };
  }

  it("is in all of its namespaces, beside its processes", async () => {
    const inside = `/proc/${sandbox.process.pid}/ns`;
    const { output } = await run("cd /proc/self/ns && readlink user mnt pid net ipc uts cgroup");
    const names = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"];
    assert.deepEqual(
      output.trim().split("\n"),
      names.map((name) => readlinkSync(`${inside}/${name}`)),
    );
    assert.match((await run("ps ax")).output, /sleep 1000/);
    await waitUntil("the sandbox's own command has written", async () => (await run("cat /tmp/private")).code === 0);
    assert.equal((await run("cat /tmp/private")).output, "marker\n");
  });

  it("works in the workspace, and sees and may do no more than the sandbox", async () => {
    assert.equal((await run("pwd")).output, `${world.workspace}\n`);
    assert.equal((await run("touch made && ls")).output, "made\n");
    assert.notEqual((await run("cat ../secret")).code, 0);
    assert.match((await run("touch /usr/new")).output, /Read-only file system/);
    const status = (await run("grep -E '^(Cap|NoNewPrivs)' /proc/self/status")).output;
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) {
      assert.match(status, new RegExp(`^${set}:\\t0{16}$`, "m"));
    }
    assert.match(status, /^NoNewPrivs:\t1$/m);
  });

  it("gets the variables that the profile lets through, and its own exit code", async () => {
    const env = { PATH: process.env.PATH, AWS_SECRET_ACCESS_KEY: "x", LANG: "C" };
    const { output, code } = await run("env; exit 7", { env });
    assert.match(output, /^LANG=C$/m);
    assert.match(output, new RegExp(`^HOME=${world.home}$`, "m"));
    assert.doesNotMatch(output, /AWS/);
    assert.equal(code, 7);
  });

  it("has a terminal of the sandbox's own", async () => {
    const child = await sandbox.exec({
      file: "sh",
      args: ["-c", "tty; stty size"],
      terminal: { columns: 99, rows: 33 },
    });
    assert.ok(child.terminal);
    let output = "";
    child.terminal.output.on("data", (chunk) => {
      output += chunk;
    });
    assert.equal((await child.exited).code, 0);
    await waitUntil("the terminal's output has ended", () => output.includes("33 99"));
    assert.match(output, /^\/dev\/pts\/\d+\r\n33 99\r\n$/);
  });

  it("is killed alone, and the sandbox runs on", async () => {
    const child = await sandbox.exec({ file: "sleep", args: ["2000"] });
    assert.ok(child.kill("SIGKILL"));
    assert.equal((await child.exited).signal, "SIGKILL");
    await waitUntil("it is gone", async () => !(await run("ps ax -o args")).output.includes("sleep 2000"));
    assert.match((await run("ps ax -o args")).output, /^sleep 1000$/m);
  });

  it("is listed with the sandbox's processes, and ends with it", async () => {
    const child = await sandbox.exec({ file: "sleep", args: ["2000"] });
    const listed = await api.inspect.processes(sandbox.process.pid);
    assert.ok(listed.some(({ command }) => command === "sleep 2000"));
    sandbox.kill("SIGKILL");
    await sandbox.exited;
    assert.equal((await child.exited).signal, "SIGKILL");
    await assert.rejects(sandbox.exec({ file: "true" }), /"bash -c .*" has ended\. Start it again\./);
  });

  it("names a folder that is not there inside, and leaves nothing behind", async () => {
    await run("true");
    const before = openFds().length;
    await assert.rejects(sandbox.exec({ file: "true", cwd: `${world.home}/other` }), { step: "cwd", code: "ENOENT" });
    await waitUntil("no fd is left", () => openFds().length <= before);
    assert.deepEqual(children(), [String(sandbox.process.pid)]);
  });
});
