// What to do about a failed step: the advice that users read, on failures that anybody can provoke.

import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import { api, inNamespaces, type Options, rejection } from "./spawner-world";

describe("a remedy", () => {
  const cases: readonly (readonly [about: string, options: Options, step: string, code: string, words: RegExp])[] = [
    [
      "a root that does not exist",
      inNamespaces(["CLONE_NEWNS"], { rootfs: { path: "/no/such/root" } }),
      "rootfs",
      "ENOENT",
      /sys\.rootfs\.path does not exist/,
    ],
    [
      "a source that does not exist",
      inNamespaces(["CLONE_NEWNS"], { mounts: [{ destination: "/tmp", source: "/no/such/source" }] }),
      "mount",
      "ENOENT",
      /source does not exist/,
    ],
    [
      "a mount point that would have to be made on the host",
      inNamespaces(["CLONE_NEWNS"], { mounts: [{ destination: "/tmp/no/such/point", type: "tmpfs" }] }),
      "mount",
      "EROFS",
      /nothing is ever created on the host/,
    ],
    [
      "a folder in the options of a file system that does not exist",
      inNamespaces(["CLONE_NEWNS"], {
        rootfs: {},
        mounts: [{ destination: "/x", type: "overlay", options: ["lowerdir=/usr:/no/such/lower"] }],
      }),
      "mount",
      "ENOENT",
      /folder that the options name does not exist/,
    ],
    [
      "an option that the file system does not know",
      inNamespaces(["CLONE_NEWNS"], {
        mounts: [{ destination: "/tmp", type: "tmpfs", options: ["size=1m", "colour=red"] }],
      }),
      "mount",
      "EINVAL",
      /does not take option 2 /,
    ],
  ];
  for (const [about, options, step, code, words] of cases) {
    it(`is told for ${about}`, async () => {
      const error = await rejection(api.spawn("true", [], options));
      assert.deepEqual([error.step, error.code], [step, code], error.message);
      assert.match(error.remedy ?? "", words);
    });
  }

  it("is told for an fd that is no cgroup", async () => {
    const fd = openSync("/dev/null", "r");
    try {
      const error = await rejection(api.spawn("true", [], { sys: { cgroupFD: fd } }));
      assert.deepEqual([error.step, error.code], ["clone3", "EBADF"]);
      assert.match(error.remedy ?? "", /open directory of a cgroup v2/);
    } finally {
      closeSync(fd);
    }
  });

  it("is told for a signal that a tracee can't be given", async () => {
    await using child = await api.spawn("true", [], { sys: { ptrace: true } });
    await assert.rejects(child.tracee?.continue(999) ?? Promise.resolve(), /EIO, there is no such signal/);
  });
});
