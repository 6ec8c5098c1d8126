// npm run bench: times ours and others' side by side, interleaved in one run, and prints tables. Nothing is decided by
// it: the exit code is 0 whatever the figures are.
//
//   --runs N          runs of each start (200)
//   --quick           few runs, small files
//   --resident GB     memory of the parent in the comparison of sizes (1; 0 leaves it out)
//   --ordinary-user   as root: run as an ordinary user, made for the run
//   --no-build        take dist/ as it is

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, release } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { exitCases, killTree } from "../test/bench/endings.mjs";
import { Limit } from "../test/bench/limit.mjs";
import { interleave, quantile } from "../test/bench/measure.mjs";
import { makePlace } from "../test/bench/place.mjs";
import { availableMemory, ResidentProcess } from "../test/bench/resident.mjs";
import { limitCases, ownCases, peerCases, peers } from "../test/bench/starts.mjs";
import { makeText, streamCases } from "../test/bench/streams.mjs";
import { goalTable, number, ratio, table } from "../test/bench/table.mjs";
import { ROOT } from "./files.mjs";
import { nodeFor, withOrdinaryUser } from "./ordinary-user.mjs";
import { buildIfStale } from "./run.mjs";
import { ensureSystemPackages, findCommand } from "./system-packages.mjs";

const API = join(ROOT, "dist/api.js");
const TREE = 1000;

function section(title) {
  console.log(`\n${title}\n`);
}

/** The middle of a series and its tails; undefined for one that was not measured. */
function figures(samples, id, part = "total") {
  const values = samples.get(id)?.map((sample) => sample[part]);
  const at = (share) => (values === undefined ? undefined : quantile(values, share));
  return { median: at(0.5), p95: at(0.95), p99: at(0.99) };
}

/** The peers that work here; says of the others why they are left out. */
async function workingPeers(api, place) {
  const cases = [];
  for (const peer of peers(place)) {
    if (findCommand(peer.command) === undefined) {
      console.log(`Left out: ${peer.command} is not installed (apt-get install ${peer.package}).`);
      continue;
    }
    const own = peerCases(api, peer);
    try {
      for (const { run } of own) await run();
      cases.push(...own);
    } catch (error) {
      console.log(`Left out: ${peer.command} does not work here: ${error.message}.`);
    }
  }
  console.log("Left out: node-pty is not installed, and nothing else in this project needs it.");
  return cases;
}

async function compareStarts(api, place, limit, runs) {
  const cases = [...ownCases(api, place), ...limitCases(limit), ...(await workingPeers(api, place))];
  const samples = await interleave(cases, runs);
  section(
    `Start to end of a static program that does nothing, microseconds from the call to the exit seen; ${runs} runs of each.\n` +
      '"blocked": until the call returned. "loop": all that the event loop had to do in between.',
  );
  console.log(
    table(
      ["", "median", "p95", "blocked", "p99", "loop", "p99"],
      cases.map(({ id, label }) => {
        const [total, blocked, busy] = ["total", "blocked", "busy"].map((part) => figures(samples, id, part));
        const shown = [total.median, total.p95, blocked.median, blocked.p99, busy.median, busy.p99];
        return [label, ...shown.map((value) => number(value))];
      }),
    ),
  );
  const compare = (a, b) => ratio(figures(samples, a).median, figures(samples, b).median);
  const blocked = ["plain", "seven", "init", "build"].flatMap((id) => samples.get(id).map((sample) => sample.blocked));
  return [
    { what: "spawn(), against child_process.spawn", value: compare("plain", "node"), most: 0.25 },
    { what: "spawn(), against the limit in C", value: compare("plain", "c-plain") },
    { what: "seven namespaces, against the limit in C", value: compare("seven", "c-seven"), most: 1.15 },
    { what: "seven namespaces, against plain child_process.spawn", value: compare("seven", "node"), most: 0.8 },
    { what: 'profile "build", against bubblewrap', value: compare("build", "bwrap"), most: 0.35 },
    { what: 'profile "build", against bubblewrap by child_process', value: compare("build", "bwrap-node") },
    { what: 'profile "build", against unshare -Urpfmn', value: compare("build", "unshare") },
    { what: "event loop blocked by a call, median", value: quantile(blocked, 0.5) / 1000, most: 0.1, unit: " ms" },
    { what: "event loop blocked by a call, p99", value: quantile(blocked, 0.99) / 1000, most: 0.5, unit: " ms" },
  ];
}

async function compareResident(place, gigabytes, runs) {
  if (gigabytes === 0) return [];
  if (availableMemory() < gigabytes + 1) {
    console.log(`\nLeft out: ${gigabytes} GB resident; ${availableMemory().toFixed(1)} GB of memory are free.`);
    return [];
  }
  const parents = [
    { name: "0", parent: new ResidentProcess(API, place, 0) },
    { name: "n", parent: new ResidentProcess(API, place, gigabytes) },
  ];
  const labels = new Map(ownCases({}, place).map(({ id, label }) => [id, label]));
  const ids = [...labels.keys()];
  try {
    for (const { parent } of parents) await parent.ready();
    const cases = ids.flatMap((id) =>
      parents.map(({ name, parent }) => ({ id: `${id}-${name}`, label: id, run: () => parent.measure(id) })),
    );
    const samples = await interleave(cases, runs);
    section(`The same from a process with 0 and with ${gigabytes} GB resident, microseconds; ${runs} runs of each.`);
    const median = (id, name) => figures(samples, `${id}-${name}`).median;
    console.log(
      table(
        ["", "0 GB", "p95", `${gigabytes} GB`, "p95"],
        ids.map((id) => {
          const [none, much] = parents.map(({ name }) => figures(samples, `${id}-${name}`));
          return [labels.get(id), ...[none.median, none.p95, much.median, much.p95].map((value) => number(value))];
        }),
      ),
    );
    return ids.map((id) => ({
      what: `${labels.get(id)}, with ${gigabytes} GB against 0 GB`,
      value: ratio(median(id, "n"), median(id, "0")),
      ...(id === "node" ? { note: "(theirs)" } : { most: 1.4 }),
    }));
  } finally {
    await Promise.all(parents.map(({ parent }) => parent.close()));
  }
}

async function compareExits(api, place, runs) {
  const cases = exitCases(api, place);
  const samples = await interleave(cases, runs);
  section(`From the last act of a process to the callback, microseconds; ${runs} runs of each.`);
  const rows = cases.map(({ id, label }) => {
    const { median, p95 } = figures(samples, id);
    return [label, number(median), number(p95)];
  });
  console.log(table(["", "median", "p95"], rows));
  const value = ratio(figures(samples, "exit").median, figures(samples, "exit-node").median);
  return [{ what: "exit callback, against child_process 'exit'", value, most: 0.9 }];
}

async function compareStreams(api, place, limit, { megabytes, runs }) {
  const cases = streamCases(api, limit, makeText(place, megabytes));
  const samples = await interleave(cases, runs, 1);
  for (const list of samples.values()) for (const sample of list) sample.rate = sample.bytes / sample.total;
  section(`Output of cat of a file of ${megabytes} MB, MB a second; ${runs} runs of each.`);
  const rows = cases.map(({ id, label }) => {
    const rates = samples.get(id).map(({ rate }) => rate);
    return [label, number(quantile(rates, 0.5)), number(quantile(rates, 0.05))];
  });
  console.log(table(["", "median", "slowest 5 %"], rows));
  const compare = (a, b) => ratio(figures(samples, a, "rate").median, figures(samples, b, "rate").median);
  return [
    { what: "pipe throughput, against child_process", value: compare("pipe", "pipe-node"), least: 1 },
    { what: "terminal throughput, against node-pty", value: undefined, least: 1.5 },
    { what: "terminal throughput, against read(2) in C", value: compare("terminal", "c-terminal") },
  ];
}

async function measureKills(api, place, runs) {
  const times = [];
  for (let i = 0; i < runs; i++) times.push((await killTree(api, place, TREE)) / 1000);
  section(`Kill of a sandbox with ${TREE} processes, milliseconds to the last one gone; ${runs} runs.`);
  console.log(table(["median", "p95"], [[number(quantile(times, 0.5), 1), number(quantile(times, 0.95), 1)]]));
  return [{ what: `kill of ${TREE} processes`, value: quantile(times, 0.5), most: 50, unit: " ms" }];
}

/** This script again, as an ordinary user on a copy. */
async function runAsOrdinaryUser() {
  if (process.getuid() !== 0) throw new Error("--ordinary-user needs root, which makes the user: you are one already.");
  // The terminal's Ctrl-C reaches the other one too; we stay to remove the user.
  process.on("SIGINT", () => undefined);
  mkdirSync(join(ROOT, "out"), { recursive: true });
  await withOrdinaryUser(async (user) => {
    for (const part of ["scripts", "test/bench"])
      cpSync(join(ROOT, part), join(user.folder, part), { recursive: true });
    const rest = process.argv.slice(2).filter((argument) => argument !== "--ordinary-user");
    const script = join(user.folder, "scripts/bench.mjs");
    const [file, args] = user.wrap(nodeFor(user), [script, ...rest, "--no-build"]);
    const run = spawnSync(file, args, { cwd: user.folder, env: user.env, stdio: "inherit" });
    process.exitCode = run.status ?? 1;
  });
}

/** @param {string} name @param {string} text */
function wholeNumber(name, text) {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new Error(`--${name} takes a whole number, not "${text}".`);
}

async function main() {
  const { values } = parseArgs({
    options: {
      runs: { type: "string" },
      quick: { type: "boolean", default: false },
      resident: { type: "string", default: "1" },
      "ordinary-user": { type: "boolean", default: false },
      "no-build": { type: "boolean", default: false },
    },
  });
  const { quick } = values;
  const runs = Math.max(1, wholeNumber("runs", values.runs ?? (quick ? "25" : "200")));
  const resident = wholeNumber("resident", values.resident);
  ensureSystemPackages([{ command: "g++", package: "g++", why: "to compile the programs that are started" }]);
  if (!values["no-build"]) buildIfStale();
  if (values["ordinary-user"]) return runAsOrdinaryUser();

  const who = process.getuid() === 0 ? "root" : "an ordinary user";
  console.log(`As ${who}, Linux ${release()}, ${cpus().length} CPUs, Node ${process.version}.`);
  const api = createRequire(import.meta.url)(API);
  const place = makePlace();
  const limit = new Limit(place);
  try {
    const goals = [
      ...(await compareStarts(api, place, limit, runs)),
      ...(await compareResident(place, resident, Math.ceil(runs / 4))),
      ...(await compareExits(api, place, runs)),
      ...(await compareStreams(api, place, limit, quick ? { megabytes: 4, runs: 5 } : { megabytes: 32, runs: 15 })),
      ...(await measureKills(api, place, quick ? 3 : 10)),
    ];
    section("Against the targets. Timing on a shared machine is noisy: compare only within one run.");
    console.log(goalTable(goals));
  } finally {
    limit.close();
  }
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
