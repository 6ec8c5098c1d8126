// Folders that may be a workspace, and how paths lie in each other.

import assert from "node:assert/strict";
import fc from "fast-check";
import { ProfileError, SandboxError } from "../../src/sandbox/errors";
import { between, depth, expand, isInside } from "../../src/sandbox/paths";
import { checkWorkspace } from "../../src/sandbox/workspace";
import type { SpawnOptions } from "../../src/spawner/types";
import { compiled, FACTS, mountAt, mountsOf, orderOf } from "./compiled";

describe("workspaces", () => {
  it("that would open the home folder or the system are refused, with what to do", () => {
    for (const path of [
      "/home/me",
      "/home",
      "/",
      "/usr",
      "/etc",
      "/tmp",
      "/var/lib",
      "/proc/1",
      "/sys/fs",
      "/dev/pts",
      "/opt",
    ]) {
      assert.throws(
        () => checkWorkspace(path, "/home/me"),
        (error) =>
          error instanceof SandboxError &&
          error.part === "workspace" &&
          error.remedy.includes("project") &&
          error.message.includes(path),
        path,
      );
    }
  });

  it("that are somebody's project are not", () => {
    for (const path of [
      "/home/me/project",
      "/srv/www",
      "/tmp/x",
      "/run/media/me/disk/x",
      "/dev/shm/x",
      "/etc/nixos",
      "/home/meme",
      "/usr/src/linux",
    ]) {
      checkWorkspace(path, "/home/me");
    }
  });
});

describe("paths", () => {
  it("are inside by name, not by letters", () => {
    assert.ok(isInside("/a/b", "/a") && isInside("/a", "/a") && isInside("/a", "/"));
    assert.ok(!isInside("/ab", "/a") && !isInside("/a", "/a/b"));
    assert.deepEqual([depth("/"), depth("/a"), depth("/a/b")], [0, 1, 2]);
  });

  it("have folders between them and a root", () => {
    assert.deepEqual(between("/a", "/a/b/c/d"), ["/a/b", "/a/b/c"]);
    assert.deepEqual(between("/a", "/a/b"), []);
  });

  it("are written from home or from the workspace", () => {
    assert.equal(expand("~", "/h", "/w"), "/h");
    assert.equal(expand("~/x/../y", "/h", "/w"), "/h/y");
    assert.equal(expand("x", "/h", "/w"), "/w/x");
    assert.equal(expand("/x/", "/h", "/w"), "/x");
  });

  it("of any shape give a plan in which nothing inner comes before its outer, and nothing hidden is bound", () => {
    const name = fc.constantFrom("a", "b", "c", "home", "me", "project", "tmp", "srv");
    const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => `/${names.join("/")}`);
    fc.assert(
      fc.property(
        fc.array(path, { maxLength: 4 }),
        fc.array(path, { maxLength: 4 }),
        fc.array(path, { maxLength: 4 }),
        (read, write, hide) => {
          let options: SpawnOptions;
          try {
            options = compiled({ extends: "build", filesystem: { read, write, hide } });
          } catch (error) {
            assert.ok(error instanceof ProfileError, String(error));
            return;
          }
          // Cgroups are shown over what covers the host's.
          const order = orderOf(options).filter((at, index, all) => at !== "/sys/fs/cgroup" || all[index - 1] !== at);
          assert.equal(new Set(order).size, order.length);
          for (const [index, at] of order.entries()) {
            assert.ok(!order.slice(0, index).some((earlier) => isInside(earlier, at)), order.join(" "));
          }
          // A path below one that the user hides is seen only if the user shows it, or a place that always is.
          for (const { destination, type } of mountsOf(options)) {
            if (type === "bind") {
              assert.ok(
                [...read, ...write, FACTS.workspace].some((shown) => shown === destination),
                destination,
              );
            }
          }
          for (const hidden of hide) {
            const covered =
              options.sys?.maskedPaths?.some((mask) => isInside(hidden, mask)) ||
              mountAt(options, hidden)?.type === "tmpfs";
            const empty = mountsOf(options).some(
              ({ destination, type }) => type === "tmpfs" && isInside(hidden, destination),
            );
            assert.ok(covered || empty, `${hidden} of ${JSON.stringify({ read, write, hide })}`);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
