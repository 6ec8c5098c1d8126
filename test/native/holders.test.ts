// Namespaces that are held by a parked child.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { waitUntil } from "../support/processes";
import { type Flag, joining, killedHost } from "./join-world";
import { isGone, procStat } from "./proc-stat";
import { api, children, inNamespaces, isRoot, openFds, rejection, sh } from "./spawner-world";

describe("a holder of namespaces", () => {
  it("is parked: it sleeps, uses no time and keeps no fd of ours", async () => {
    await using holder = await api.holdNamespaces(inNamespaces(["CLONE_NEWNET"]));
    await waitUntil("it sleeps", () => procStat(holder.pid).state === "S");
    const fds = `/proc/${holder.pid}/fd`;
    if (isRoot) {
      const links = readdirSync(fds).map((fd) => readlinkSync(`${fds}/${fd}`));
      assert.deepEqual(links, ["/dev/null", "/dev/null", "/dev/null"]);
    } else {
      assert.throws(() => readdirSync(fds), { code: "EACCES" }); // not dumpable
    }
    assert.equal(procStat(holder.pid).parent, process.pid);
    assert.match(readFileSync(`/proc/self/fdinfo/${holder.pidfd}`, "utf8"), new RegExp(`^Pid:\\t${holder.pid}$`, "m"));
  });

  it("ends when it is released, and leaves nothing", async () => {
    await sh("true");
    const before = openFds();
    const holder = await api.holdNamespaces(inNamespaces(["CLONE_NEWNET", "CLONE_NEWPID"]));
    await holder.release();
    assert.ok(!existsSync(`/proc/${holder.pid}`));
    assert.equal(holder.pidfd, -1);
    await holder.release(); // once more does no harm
    assert.deepEqual(children(), []);
    await waitUntil("every fd is closed", () => openFds().length === before.length);
  });

  it("ends with us, however we end", async () => {
    const options = JSON.stringify(inNamespaces(["CLONE_NEWNET"]));
    const pid = Number(await killedHost(`return (await api.holdNamespaces(${options})).pid`));
    assert.ok(pid > 0);
    await waitUntil("it is gone", () => isGone(pid));
  });

  it("names the step that failed, as spawn does", async () => {
    const error = await rejection(api.holdNamespaces(inNamespaces(["CLONE_NEWUTS"], { chroot: "/no/such/folder" })));
    assert.deepEqual([error.step, error.code], ["chroot", "ENOENT"]);
    assert.deepEqual(children(), []);
  });

  it("reaps what is left to it as the PID 1 of its namespace", async () => {
    const flags: Flag[] = ["CLONE_NEWUSER", "CLONE_NEWPID"];
    await using holder = await api.holdNamespaces(inNamespaces(["CLONE_NEWPID"]));
    const { status } = await sh("(sh -c 'exec 1>&- 2>&-; sleep 0.05' &); exit 0", {
      sys: joining(holder.pidfd, ...flags),
    });
    assert.equal(status.code, 0);
    await waitUntil(
      "the orphan is gone",
      () => readFileSync(`/proc/${holder.pid}/task/${holder.pid}/children`, "utf8").trim() === "",
    );
  });
});
