// The child's file descriptors: entry i of stdio is fd i, whatever stands in the way, and there is no other.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import * as fc from "fast-check";
import { LIBRARY, LIBRARY_NODE } from "../support/library";
import { makeTemp, removeTemp } from "../support/temp";
import {
  api,
  children,
  inNamespaces,
  isRoot,
  type Options,
  openFds,
  rejection,
  run,
  type Sys,
  sh,
  WHOLE_ROOT,
} from "./spawner-world";

type Stdio = Exclude<Options["stdio"], string | undefined>;

/** As many as the spawner takes. */
const MOST = 64;

/** More than one's own id, which another thread writes (and only root may map). */
const TWO_IDS: Sys = {
  uidMappings: [{ containerID: 0, hostID: 0, size: 2 }],
  gidMappings: [{ containerID: 0, hostID: 0, size: 2 }],
};

/** The names in what `ls -l` says of /proc/self/fd, by number, but the one by which it looked. */
function parseListing(output: string): ReadonlyMap<number, string> {
  const lines = output.matchAll(/ (\d+) -> (?!\/proc\/\d+\/fd$)(.*)$/gm);
  return new Map(Array.from(lines, ([, fd, name]) => [Number(fd), name ?? ""]));
}

describe("file descriptors", () => {
  let folder: string;
  before(() => {
    folder = makeTemp("fds");
  });
  after(() => removeTemp(folder));

  /** Open files of ours, and what each fd is called. Between them are holes, where the spawner's own fds will land. */
  function openFiles(count: number): { fds: number[]; names: ReadonlyMap<number, string>; close: () => void } {
    const names = new Map<number, string>();
    const holes: number[] = [];
    for (let i = 0; i < count; i++) {
      const file = join(folder, `file-${i}`);
      writeFileSync(file, "");
      names.set(openSync(file, "r"), file);
      if (i % 2 === 0) holes.push(openSync("/dev/null", "r"));
    }
    for (const fd of holes) closeSync(fd);
    const close = (): void => {
      for (const fd of names.keys()) closeSync(fd);
    };
    return { fds: [...names.keys()], names, close };
  }

  /** What a child with these entries has, and a pipe at 1 that it tells us through. */
  async function listing(stdio: Stdio, options: Options = {}): Promise<[fd: number, name: string][]> {
    const { status, stdout } = await run("ls", ["-l", "/proc/self/fd"], {
      ...options,
      stdio: stdio.with(1, "pipe"),
    });
    assert.equal(status.code, 0);
    return [...parseListing(stdout)].filter(([fd]) => fd !== 1).sort(([a], [b]) => a - b);
  }

  const worlds: readonly (readonly [string, Options])[] = [
    ["alone", {}],
    ["under a PID 1 of ours", inNamespaces(["CLONE_NEWPID", "CLONE_NEWNS"], WHOLE_ROOT)],
    ["with maps that it writes itself", inNamespaces([])],
    ...(isRoot ? [["with maps written from outside", inNamespaces([], TWO_IDS)] as const] : []),
  ];
  for (const [where, options] of worlds) {
    it(`are what the entries say, in any number and order, ${where}`, async () => {
      const { fds, names, close } = openFiles(50);
      const entry = fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom(...fds) },
        { weight: 1, arbitrary: fc.constantFrom("ignore" as const, null) },
      );
      try {
        const entries = fc.array(entry, { minLength: 2, maxLength: MOST });
        const property = fc.asyncProperty(entries, async (stdio) => {
          const expected = stdio.flatMap((one, fd): [number, string][] => {
            if (fd === 1 || one === null) return [];
            return [[fd, typeof one === "number" ? (names.get(one) ?? "?") : "/dev/null"]];
          });
          assert.deepEqual(await listing(stdio, options), expected);
        });
        await fc.assert(property, { numRuns: 25 });
      } finally {
        close();
      }
    });

    it(`leave the way for an error free, however many there are, ${where}`, async () => {
      const { fds, close } = openFiles(MOST);
      try {
        for (const count of [1, 3, 4, 5, 6, 7, 8, 20, 40, MOST]) {
          const stdio = fds.slice(0, count).reverse();
          const error = await rejection(api.spawn("/no/such/file", [], { ...options, stdio }));
          assert.deepEqual([error.step, error.code], ["exec", "ENOENT"], `${count} entries`);
        }
      } finally {
        close();
      }
    });
  }

  it("can be swapped with each other and given twice", async () => {
    const { fds, names, close } = openFiles(40);
    try {
      const [a, b] = fds as [number, number];
      const stdio: Stdio = Array.from({ length: Math.max(a, b) + 2 }, () => null);
      [stdio[a], stdio[b], stdio[stdio.length - 1]] = [b, a, a];
      assert.deepEqual(await listing(stdio), [
        [a, names.get(b)],
        [b, names.get(a)],
        [stdio.length - 1, names.get(a)],
      ]);
    } finally {
      close();
    }
  });

  it("may be none at all", async () => {
    const marker = join(folder, "no-fds");
    const child = await api.spawn("sh", ["-c", `ls /proc/$$/fd > ${marker}`], { stdio: [] });
    assert.equal((await child.exited).code, 0);
    assert.match(readFileSync(marker, "utf8"), /^(\d+\n){0,2}$/); // what the shell itself opened
  });

  it("are inherited from us by number", async () => {
    const { fds, names, close } = openFiles(10);
    try {
      const inherited = Math.max(...fds);
      const stdio: Stdio = Array.from({ length: inherited + 1 }, () => null);
      stdio[inherited] = "inherit";
      assert.deepEqual(await listing(stdio), [[inherited, names.get(inherited)]]);
    } finally {
      close();
    }
  });

  it("that are not open are refused by number, and nothing is left", async () => {
    await sh("true");
    const before = openFds();
    const error = await rejection(api.spawn("true", [], { stdio: ["ignore", "ignore", "ignore", 999_999] }));
    assert.deepEqual([error.step, error.code], ["fds", "EBADF"]);
    assert.deepEqual(children(), []);
    assert.deepEqual(openFds(), before);
  });

  it("of ours that would be inherited by others stop here", async () => {
    const script = `
      const api = require(${JSON.stringify(LIBRARY)});
      const { text } = require("node:stream/consumers");
      const { execFileSync } = require("node:child_process");
      (async () => {
        const ours = await text((await api.spawn("ls", ["-l", "/proc/self/fd"])).stdout);
        const theirs = execFileSync("ls", ["-l", "/proc/self/fd"], { encoding: "utf8" });
        console.log(JSON.stringify([ours, theirs]));
      })();`;
    // Node marks what it inherits close-on-exec, but above 15 only as far as there is no gap.
    const zero = openSync("/dev/zero", "r");
    const stdio: Stdio = Array.from({ length: 51 }, () => null);
    [stdio[0], stdio[1], stdio[2], stdio[50]] = ["ignore", "pipe", "inherit", zero];
    const { stdout } = await run(LIBRARY_NODE, ["-e", script], { stdio });
    closeSync(zero);
    const [ours, theirs] = JSON.parse(stdout) as [string, string];
    assert.equal(parseListing(theirs).get(50), "/dev/zero");
    assert.deepEqual([...parseListing(ours).keys()], [0, 1, 2]);
  });

  it("do not get from one child into another that starts at the same time, be it Node's", async () => {
    const theirs = (): Promise<string> =>
      text(spawn("ls", ["/proc/self/fd"], { stdio: ["ignore", "pipe", "inherit"] }).stdout);
    const alone = await theirs(); // with what whoever started us left open
    const results = await Promise.all(
      Array.from({ length: 60 }, async (_, i) => {
        if (i % 3 === 0) assert.equal(await theirs(), alone);
        else assert.equal((await run("ls", ["/proc/self/fd"])).stdout, "0\n1\n2\n3\n");
      }),
    );
    assert.equal(results.length, 60);
  });
});
