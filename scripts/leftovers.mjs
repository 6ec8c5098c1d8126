// Counts what a test run could leave behind: processes, mounts, temporary files, cgroups. A snapshot is taken before and
// after; the difference that is ours is a failure.

import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const CGROUPS = "/sys/fs/cgroup";
const SETTLE_MS = 10_000;
const POLL_MS = 250;

/** Environment variable that every process of a run carries, unless it made itself a clean environment. */
export const RUN_MARK = "SANDBOX_TASKS_TEST_RUN";

/**
 * @typedef {object} Snapshot
 * @property {Map<number, string>} processes start time by pid, so that a reused pid is not taken for the old process
 * @property {string[]} mounts mount points of this mount namespace
 * @property {string[]} cgroups
 */

/** @param {number | string} pid */
function readStat(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The second field is the name in parentheses, which may hold anything: proc_pid_stat(5).
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0], parent: Number(fields[1]), startTime: fields[19] };
}

function pids() {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** @returns {Map<number, string>} */
function processes() {
  const found = new Map();
  for (const pid of pids()) {
    try {
      found.set(pid, readStat(pid).startTime);
    } catch {
      // Ended while we looked.
    }
  }
  return found;
}

/** @returns {string[]} */
function cgroups(folder = CGROUPS, depth = 0) {
  // Deep enough for a container's own cgroup and what is made in it.
  if (depth > 6 || !existsSync(folder)) return [];
  const below = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const path = join(folder, entry.name);
    below.push(path, ...cgroups(path, depth + 1));
  }
  return below;
}

/** @returns {Snapshot} */
export function snapshot() {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").trim().split("\n");
  return { processes: processes(), mounts: mounts.map((line) => line.split(" ")[4] ?? line), cgroups: cgroups() };
}

/** Whether a process is one that a run left: it carries the run's mark, or is in a PID namespace whose maker is gone. */
function isOurs(pid, mark) {
  const environment = readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
  if (environment.includes(`${RUN_MARK}=${mark}`)) return true;
  const own = readlinkSync("/proc/self/ns/pid");
  if (readlinkSync(`/proc/${pid}/ns/pid`) === own) return false;
  let parent = readStat(pid).parent;
  while (parent > 1 && readlinkSync(`/proc/${parent}/ns/pid`) !== own) parent = readStat(parent).parent;
  return parent <= 1;
}

/**
 * @param {Snapshot} before
 * @param {Snapshot} after
 * @param {string} mark
 * @param {string} temp the run's folder for temporary files
 * @returns {string[]} one line for each thing left behind
 */
function difference(before, after, mark, temp) {
  const left = [];
  for (const [pid, startTime] of after.processes) {
    if (pid === process.pid || before.processes.get(pid) === startTime) continue;
    try {
      if (readStat(pid).state === "Z" || !isOurs(pid, mark)) continue;
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      left.push(`process ${pid}: ${command}`);
    } catch {
      // Ended meanwhile, or another user's.
    }
  }
  for (const mount of after.mounts) if (!before.mounts.includes(mount)) left.push(`mount: ${mount}`);
  for (const cgroup of after.cgroups) {
    if (!before.cgroups.includes(cgroup) && /sandbox/i.test(cgroup)) left.push(`cgroup: ${cgroup}`);
  }
  for (const name of readdirSync(temp)) left.push(`temporary file: ${join(temp, name)}`);
  return left;
}

/**
 * Compare with the snapshot taken before. What is still ending is given some seconds to end.
 * @param {Snapshot} before
 * @param {string} mark value of RUN_MARK in this run
 * @param {string} temp the run's folder for temporary files
 * @returns {Promise<{left: string[], counts: string}>} what was left behind, and the numbers in words
 */
export async function compare(before, mark, temp) {
  const end = Date.now() + SETTLE_MS;
  let after = snapshot();
  let left = difference(before, after, mark, temp);
  while (left.length > 0 && Date.now() < end) {
    await delay(POLL_MS);
    after = snapshot();
    left = difference(before, after, mark, temp);
  }
  const counts = [
    `processes ${before.processes.size} -> ${after.processes.size}`,
    `mounts ${before.mounts.length} -> ${after.mounts.length}`,
    `cgroups ${before.cgroups.length} -> ${after.cgroups.length}`,
    `temporary files 0 -> ${readdirSync(temp).length}`,
  ].join(", ");
  return { left, counts };
}
