// What a process chose as its name or its command line is shown so that it can do no harm.

import assert from "node:assert/strict";
import { capabilityNames } from "../../src/inspect/capabilities";
import { findCgroupMount, parseCgroup } from "../../src/inspect/cgroup";
import { parseLimits } from "../../src/inspect/limits";
import { parseMountinfo } from "../../src/inspect/mounts";
import { parseIdMap } from "../../src/inspect/namespaces";
import { parseStat, parseStatus } from "../../src/inspect/procfs";
import { parseUnixSockets } from "../../src/inspect/sockets";
import { commandLine, visible } from "../../src/inspect/text";

describe("inspect: text that a process chose", () => {
  it("shows escape sequences instead of obeying them", () => {
    assert.equal(visible("\u001b[31mred\u0007"), "\\e[31mred\\x07");
    assert.equal(visible("two\nlines\ttab"), "two\\nlines\\ttab");
    assert.equal(visible("\u009b2J"), "\\x9b2J");
  });

  it("shows characters that turn the direction of writing", () => {
    assert.equal(visible("a\u202egnp.exe"), "a\\u202egnp.exe");
    assert.equal(visible("zero\u200bwidth"), "zero\\u200bwidth");
  });

  it("leaves other scripts and emoji alone", () => {
    assert.equal(visible("naïve 日本語 🦀"), "naïve 日本語 🦀");
  });

  const line = (...args: string[]): string | undefined => commandLine(Buffer.from(`${args.join("\0")}\0`), false);

  it("splits a command line at its NULs and quotes what has spaces", () => {
    assert.equal(line("sh", "-c", "sleep 1; echo 'x'"), "sh -c 'sleep 1; echo '\\''x'\\'''");
    assert.equal(line("ls", "", "-l"), "ls '' -l");
    assert.equal(line("make", "-j2"), "make -j2");
  });

  it("does not quote a title that a process gave itself", () => {
    assert.equal(line("nginx: worker process"), "nginx: worker process");
    assert.equal(commandLine(Buffer.from("title\0\0\0\0"), false), "title");
  });

  it("has none for a kernel thread, and says when it was cut", () => {
    assert.equal(commandLine(Buffer.alloc(0), false), undefined);
    assert.equal(commandLine(Buffer.from("abc"), true), "abc…");
  });

  it("shows bytes that are not UTF-8", () => {
    assert.equal(commandLine(Buffer.from([0x61, 0xff, 0x00, 0x62]), false), "a\ufffd b");
  });
});

describe("inspect: files of /proc", () => {
  const tail = "S 7 8 9 0 -1 4194560 1 2 3 4 150 50 7 8 20 0 3 0 123456789 1000 200 18446744073709551615";

  it("finds the end of a name that has parentheses and spaces in it", () => {
    const stat = parseStat(`42 (a) R 1 (b)) ${tail}\n`);
    assert.equal(stat?.name, "a) R 1 (b)");
    assert.equal(stat?.state, "S");
    assert.equal(stat?.parentPid, 7);
    assert.equal(stat?.cpuTicks, 200);
    assert.equal(stat?.threads, 3);
    assert.equal(stat?.startTime, "123456789");
  });

  it("undoes the kernel's escapes in a name", () => {
    assert.equal(parseStat(`42 (new\\nline\\\\n) ${tail}`)?.name, "new\nline\\n");
  });

  it("takes an empty file for a process that has ended", () => {
    assert.equal(parseStat(""), undefined);
    assert.equal(parseStat("1 (x) S"), undefined);
  });

  it("reads status lines with and without a value", () => {
    const status = parseStatus("Name:\ta:b\nGroups:\t \nNSpid:\t100\t1\n");
    assert.equal(status.get("Name"), "a:b");
    assert.equal(status.get("Groups"), "");
    assert.equal(status.get("NSpid"), "100\t1");
  });

  it("reads limits, unlimited and without a unit", () => {
    const [cpu, nice] = parseLimits(
      "Limit                     Soft Limit           Hard Limit           Units     \n" +
        "Max cpu time              unlimited            60                   seconds   \n" +
        "Max nice priority         0                    0                    \n",
    );
    assert.deepEqual(cpu, { name: "Max cpu time", soft: undefined, hard: 60, unit: "seconds" });
    assert.deepEqual(nice, { name: "Max nice priority", soft: 0, hard: 0, unit: "" });
  });

  it("reads id maps, the last id too", () => {
    assert.deepEqual(parseIdMap("         0       1000          1\n         1     100000      65536\n"), [
      { containerID: 0, hostID: 1000, size: 1 },
      { containerID: 1, hostID: 100000, size: 65536 },
    ]);
    assert.deepEqual(parseIdMap("         0          0 4294967295\n"), [
      { containerID: 0, hostID: 0, size: 4294967295 },
    ]);
    assert.deepEqual(parseIdMap(""), []);
  });

  it("names capabilities by bit, those newer than this program too, and none above the kernel's last", () => {
    assert.deepEqual(capabilityNames("0000000000000000", 40), []);
    assert.deepEqual(capabilityNames("0000000000200001", 40), ["CAP_CHOWN", "CAP_SYS_ADMIN"]);
    assert.deepEqual(capabilityNames("0000030000000000", 41), ["CAP_CHECKPOINT_RESTORE", "CAP_41"]);
    assert.equal(capabilityNames("000001ffffffffff", 40).length, 41);
    assert.equal(capabilityNames("000001ffffffffff", 38).at(-1), "CAP_PERFMON");
    assert.deepEqual(capabilityNames("garbage", 40), []);
  });

  it("reads v1 and v2 cgroup lines, and paths with colons", () => {
    assert.deepEqual(parseCgroup("4:memory:/a\n1:cpu,cpuacct:/\n0::/user.slice/x:y\n"), {
      path: "/user.slice/x:y",
      legacy: [
        { controllers: "memory", path: "/a" },
        { controllers: "cpu,cpuacct", path: "/" },
      ],
    });
  });

  it("finds where cgroup v2 is mounted, with spaces in the path", () => {
    const mountinfo =
      "30 23 0:26 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n" +
      "31 23 0:27 /part /mnt/a\\040b rw,nosuid shared:4 master:1 - cgroup2 cgroup2 rw\n";
    assert.deepEqual(findCgroupMount(parseMountinfo(mountinfo)), {
      device: "0:27",
      mountPoint: "/mnt/a b",
      root: "/part",
      type: "cgroup2",
      source: "cgroup2",
    });
    assert.equal(findCgroupMount(parseMountinfo("")), undefined);
  });

  it("finds the paths of sockets and leaves out what has none", () => {
    const table =
      "Num       RefCount Protocol Flags    Type St Inode Path\n" +
      "0000000000000000: 00000003 00000000 00000000 0001 03  1525\n" +
      "0000000000000000: 00000002 00000000 00010000 0001 01 19034 /run/a b/c.sock\n" +
      "0000000000000000: 00000002 00000000 00010000 0001 01 19035 @/tmp/.X11-unix/X0\n" +
      "0000000000000000: 00000002 00000000 00010000 0001 01 19036 relative.sock\n" +
      "0000000000000000: 00000003 00000000 00000000 0001 03 19037 /run/a b/c.sock\n";
    assert.deepEqual(parseUnixSockets(table), { absolute: ["/run/a b/c.sock"], relative: ["relative.sock"] });
  });
});
