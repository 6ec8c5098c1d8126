// Many at once: from one thread, from several, beside Node's own child_process, and from two copies of the library. What
// Go has its ForkLock for: no fd may slip into somebody else's child.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { compileFunction, createContext } from "node:vm";
import { Worker } from "node:worker_threads";
import { isSanitized, LIBRARY } from "../support/library";
import { waitUntil } from "../support/processes";
import { api, children, inNamespaces, openFds, rejection, run, sh } from "./spawner-world";

/** What `ls` has open: its three, and the folder that it reads. */
const OWN_FDS = "0\n1\n2\n3\n";
/** child_process closes nothing: its children have what this process got from whoever started it, as well. */
let theirFds: string;
const LS: [string, string[]] = ["/bin/ls", ["/proc/self/fd"]];

/** In a thread of its own: `count` children that list their fds, some of them failing, all at once. */
const LISTING_WORKER = `
  const { parentPort, workerData } = require("node:worker_threads");
  const { text } = require("node:stream/consumers");
  const api = require(workerData.library);
  const list = async () => {
    const child = await api.spawn(...workerData.ls);
    const [listing] = await Promise.all([text(child.stdout), child.exited]);
    return listing;
  };
  const fail = () => api.spawn("/no/such/command").then(() => "started", (error) => error.code);
  Promise.all(Array.from({ length: workerData.count }, (_, i) => (i % 4 === 3 ? fail() : list()))).then((answers) => {
    parentPort.postMessage(answers);
  });`;

const refusing = (name: string) => ({
  defaultAction: "SCMP_ACT_ALLOW",
  syscalls: [{ names: [name], action: "SCMP_ACT_ERRNO" }],
});

/** In a thread of its own: starts children for ever, until the thread is terminated. */
const RESTLESS_WORKER = `
  const { parentPort, workerData } = require("node:worker_threads");
  const api = require(workerData.library);
  const forever = async (kind) => { for (;;) await kind(); };
  const live = async (...command) => {
    const child = await api.spawn(...command);
    child.terminal?.output.resume();
    parentPort.postMessage("spawned");
    child.kill("SIGKILL");
    await child.exited;
  };
  for (const options of workerData.options) for (let i = 0; i < 4; i++) {
    const told = options.sys?.seccomp && { onDenied: () => {} };
    forever(() => live("/bin/sleep", ["1000"], { ...options, ...told }));
  }
  forever(() => api.spawn("/no/such/command").catch(() => undefined));`;

const theirs = async (): Promise<string> => (await promisify(execFile)(...LS)).stdout;
const ours = async (): Promise<string> => (await run(...LS)).stdout;

/** Another copy of the library, with an addon of its own kind of state. */
type Library = typeof api;

function secondCopy(): Library {
  const require = createRequire(__filename);
  const first = require.cache[LIBRARY];
  delete require.cache[LIBRARY];
  try {
    return require(LIBRARY);
  } finally {
    if (first !== undefined) require.cache[LIBRARY] = first;
  }
}

/** The library run in a context of its own, as an editor does with what it isolates. */
function inContext(): Library {
  const holder: { exports: Partial<Library> } = { exports: {} };
  const names = ["exports", "module", "require", "__dirname", "__filename"];
  const parsingContext = createContext({ process, Buffer, setTimeout, clearTimeout, console, AbortSignal });
  const main = compileFunction(readFileSync(LIBRARY, "utf8"), names, { filename: LIBRARY, parsingContext });
  main(holder.exports, holder, createRequire(LIBRARY), dirname(LIBRARY), LIBRARY);
  return holder.exports as Library;
}

describe("many at once", () => {
  before(async () => {
    await sh("true"); // the spawner's thread and its memory
    theirFds = await theirs(); // before there is anything of ours
  });

  it("leak no fd into one another, nor to or from child_process", async () => {
    const listings = await Promise.all(Array.from({ length: 120 }, (_, i) => (i % 2 === 0 ? ours() : theirs())));
    for (const [i, listing] of listings.entries()) assert.equal(listing, i % 2 === 0 ? OWN_FDS : theirFds);
  });

  it("leak no fd where several threads spawn at once, and reap what failed to start", async () => {
    const before = openFds().length;
    const workerData = { library: LIBRARY, ls: LS, count: 40 };
    const workers = Array.from({ length: 3 }, () => new Worker(LISTING_WORKER, { eval: true, workerData }));
    const exits = Promise.all(workers.map((worker) => once(worker, "exit")));
    const answers = Promise.all(workers.map(async (worker) => (await once(worker, "message")) as [string[]]));
    // V8 reads /proc/self/maps and Node's own file through fds that are not close-on-exec whenever a thread starts, and
    // child_process hands those on.
    await Promise.all(workers.map((worker) => once(worker, "online")));
    const beside = Promise.all(Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? ours() : theirs())));
    for (const [listings] of await answers) {
      assert.equal(listings.filter((listing) => listing === "ENOENT").length, 10);
      assert.deepEqual([...new Set(listings)].sort(), [OWN_FDS, "ENOENT"]);
    }
    const [own, other] = [0, 1].map((odd) => beside.then((all) => all.filter((_, i) => i % 2 === odd)));
    assert.deepEqual(new Set(await own), new Set([OWN_FDS]));
    // A sanitizer's runtime does the like.
    if (!isSanitized) assert.deepEqual(new Set(await other), new Set([theirFds]));
    await exits;
    await waitUntil("every fd is closed", () => openFds().length <= before);
    assert.deepEqual(children(), []);
  });

  it("see the end of their output while a sibling of the other kind lives on", async () => {
    const sleepers: (() => void)[] = [];
    const listings = Array.from({ length: 30 }, async () => {
      // Started in the same moment, each would inherit the other's pipe if that were open to it.
      const theirSleeper = spawn("/bin/sleep", ["1000"]);
      const ourShort = sh("echo ours");
      const theirShort = promisify(execFile)("/bin/echo", ["theirs"]);
      const ourSleeper = await api.spawn("/bin/sleep", ["1000"]);
      sleepers.push(
        () => theirSleeper.kill("SIGKILL"),
        () => ourSleeper.kill("SIGKILL"),
      );
      return [(await ourShort).stdout, (await theirShort).stdout];
    });
    try {
      for (const both of await Promise.all(listings)) assert.deepEqual(both, ["ours\n", "theirs\n"]);
    } finally {
      for (const end of sleepers) end();
      await waitUntil("the sleepers are gone", () => children().length === 0);
    }
  });

  it("reap each child that failed to start, beside those that run", async () => {
    const sleeper = await api.spawn("/bin/sleep", ["1000"]);
    const failing = Array.from({ length: 60 }, async (_, i) => {
      const options = i % 3 === 0 ? { cwd: "/no/such/folder" } : i % 3 === 1 ? {} : inNamespaces(["CLONE_NEWPID"]);
      assert.equal((await rejection(api.spawn("/no/such/command", [], options))).code, "ENOENT");
    });
    await Promise.all(failing);
    assert.deepEqual(children(), [String(sleeper.pid)]);
    sleeper.kill("SIGKILL");
    await sleeper.exited;
  });

  it("come from two copies of the library, and from one in a context of its own", async () => {
    const copies = [api, secondCopy(), inContext()];
    assert.equal(new Set(copies.map(({ spawn }) => spawn)).size, 3);
    const codes = await Promise.all(
      Array.from({ length: 30 }, async (_, i) => {
        const child = await copies[i % 3]?.spawn("/bin/sh", ["-c", `exec ls /proc/self/fd`]);
        assert.ok(child?.stdout);
        const [listing, { code }] = await Promise.all([text(child.stdout), child.exited]);
        assert.equal(listing, OWN_FDS);
        return code;
      }),
    );
    assert.deepEqual([...new Set(codes)], [0]);
  });
});

describe("a worker that is terminated at any moment", () => {
  it("leaves no fd and no process", async function () {
    this.timeout(120_000);
    await sh("true");
    const kill = { sys: { pdeathsig: "SIGKILL" } };
    const options = [
      { ...kill, stdio: "ignore" },
      kill,
      { ...kill, terminal: { columns: 80, rows: 24 } },
      inNamespaces(["CLONE_NEWPID"]),
      // What sleep(1) does first is refused, and waits for an answer.
      { sys: { ...kill.sys, noNewPrivileges: true, seccomp: refusing("clock_nanosleep") } },
    ];
    const workerData = { library: LIBRARY, options };
    const round = async (): Promise<void> => {
      const worker = new Worker(RESTLESS_WORKER, { eval: true, workerData });
      await once(worker, "message");
      const end = performance.now() + Math.random() * 40;
      // Not a timer: those would come between this loop's turns, and always find the worker in the same state.
      while (performance.now() < end) await once(worker, "message");
      await worker.terminate();
    };
    await round();
    const before = openFds();
    for (let i = 0; i < 12; i++) await Promise.all([round(), round(), round()]);
    await waitUntil("its children are gone", () => children().length === 0).catch(() => {
      assert.deepEqual(
        children().map((pid) => readFileSync(`/proc/${pid}/stat`, "latin1")),
        [],
      );
    });
    await waitUntil("its fds are closed", () => openFds().length <= before.length).catch(() =>
      assert.deepEqual(openFds(), before),
    );
  });
});
