// Boots the test machine in qemu's software emulation (no /dev/kvm is asked for), with a job on its second disk. What the
// job prints comes through one port as it is printed, its results through another; the serial line is the kernel's and
// systemd's. The disks' files are not written to: qemu keeps changes in a file of its own that is deleted from the start.

import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import { ensureSystemPackages, PACKAGES } from "../system-packages.mjs";

const MINUTE = 60_000;

/** From power-on to the job's first word: 20 s on an idle machine. */
const BOOT_LIMIT_MS = 6 * MINUTE;

const CONSOLE_TAIL = 15;

/** The kernel's command line: its messages to the serial line, a panic ends qemu, no work against side channels. */
const COMMAND_LINE = [
  ...["console=ttyS0", "loglevel=5", "panic=-1", "mitigations=off"],
  // The end of a namespace and the move to a cgroup wait for every CPU to be idle once, and ours seldom are.
  "rcupdate.rcu_expedited=1",
];

/**
 * @typedef {object} Run of the machine
 * @property {import("./image.mjs").Image} image
 * @property {import("./image.mjs").Kernel} kernel
 * @property {string} job raw disk that is mounted on /job
 * @property {string} results file for the job's archive of results
 * @property {string} console file for what the serial line shows
 * @property {number} limitMs from the job's start to the end
 * @property {string[]} [commandLine] more parameters for the kernel
 */

/** A comma would begin the next property. */
const escaped = (path) => path.replaceAll(",", ",,");

/** @param {Run} run */
function qemuArguments({ image, kernel, job, results, console: consoleFile, commandLine = [] }) {
  const disk = (file) => ["-drive", `file=${escaped(file)},format=raw,if=virtio,snapshot=on,cache=unsafe`];
  const port = (id, chardev) => [
    ...["-chardev", `${chardev},id=${id}`],
    ...["-device", `virtserialport,chardev=${id},name=${id}`],
  ];
  const boot = image.boot[kernel];
  return [
    ...["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"],
    // All that emulation has, but cmpxchg16b: the kernel panics on how QEMU 7.2 emulates it; and but for a fifth level of
    // page tables, which is one more step for each look-up.
    ...["-accel", "tcg,thread=multi", "-cpu", "max,-cx16,-la57", "-smp", "2", "-m", "1024"],
    ...["-kernel", boot.kernel, "-initrd", boot.initramfs, "-append", [...COMMAND_LINE, ...commandLine].join(" ")],
    ...disk(image.root),
    ...disk(job),
    ...["-serial", `file:${escaped(consoleFile)}`, "-device", "virtio-serial-pci"],
    ...port("output", "stdio,signal=off"),
    ...port("results", `file,path=${escaped(results)}`),
  ];
}

/** The last of what the serial line showed, for an error. */
function consoleTail(file) {
  const text = existsSync(file) ? readFileSync(file, "latin1") : "";
  // Without colours; systemd writes over lines of its own.
  const lines = stripVTControlCharacters(text)
    .split(/[\r\n]+/)
    .filter((line) => line.trim() !== "");
  return lines.length === 0
    ? "The console shows nothing."
    : `The console's end:\n${lines.slice(-CONSOLE_TAIL).join("\n")}`;
}

/**
 * Run the machine until it turns itself off.
 * @param {Run} run
 * @returns {Promise<{bootSeconds: number, seconds: number}>} to the job's first word, and in all
 * @throws Error when it does not boot, does not end within the limit or panics; with the end of the console
 */
export async function runMachine(run) {
  ensureSystemPackages([PACKAGES.qemu]);
  const start = Date.now();
  // It must not outlive us, however we end.
  const command = ["--pdeathsig", "KILL", "--", "nice", "-n", "5", "qemu-system-x86_64", ...qemuArguments(run)];
  const qemu = spawn("setpriv", command, { stdio: "pipe" }); // with an input that ended, nobody would be at the port's other end
  let bootSeconds;
  let why;
  const end = (text) => {
    why ??= text;
    qemu.kill("SIGKILL");
  };
  let timer = setTimeout(() => end(`has not booted within ${BOOT_LIMIT_MS / MINUTE} minutes`), BOOT_LIMIT_MS);
  let complaints = "";
  qemu.stderr.on("data", (data) => {
    complaints += data;
  });
  qemu.stdout.on("data", (data) => {
    if (bootSeconds === undefined) {
      bootSeconds = (Date.now() - start) / 1000;
      clearTimeout(timer);
      timer = setTimeout(() => end(`has not ended within ${run.limitMs / MINUTE} minutes of its start`), run.limitMs);
    }
    process.stdout.write(data);
  });
  try {
    const code = await new Promise((resolve, reject) => {
      qemu.once("error", reject);
      qemu.once("close", resolve);
    });
    if (why === undefined && code !== 0) why = `ended with exit code ${code}: ${complaints.trim()}`;
    if (why === undefined && bootSeconds === undefined) why = "has ended before its job began";
    if (why !== undefined) throw new Error(`The test machine ${why}.\n${consoleTail(run.console)}`);
    return { bootSeconds, seconds: (Date.now() - start) / 1000 };
  } finally {
    clearTimeout(timer);
  }
}
