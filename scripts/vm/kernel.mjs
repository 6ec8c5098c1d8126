// What qemu is given to boot: Debian's kernel, decompressed here because emulation would take seconds for it, and an
// initramfs that knows the drivers of one disk, that with the root file system.

import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

/** @param {string} file @param {string[]} args @param {Uint8Array | string} input @param {string} [cwd] */
function filter(file, args, input, cwd) {
  const run = spawnSync(file, args, { input, cwd, maxBuffer: 2 ** 30 });
  if (run.status === 0) return run.stdout;
  throw new Error(`${file} ${args.join(" ")} failed: ${run.error?.message ?? run.stderr.toString().trim()}`);
}

/** Decompressors by the first bytes of what they take. */
const DECOMPRESSORS = [
  { magic: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), command: ["zstd", "-dc"] },
  { magic: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a]), command: ["xz", "-dc", "--single-stream"] },
  { magic: Buffer.from([0x1f, 0x8b]), command: ["gzip", "-dc"] },
  { magic: Buffer.from([0x02, 0x21, 0x4c, 0x18]), command: ["lz4", "-dc"] }, // the old form of its frames
];

/** What a driver begins with that is not compressed, as Debian 12's are. */
const ELF = Buffer.from("\x7fELF");

/** @param {Buffer} data @param {string} what */
function decompress(data, what) {
  const found = DECOMPRESSORS.find(({ magic }) => data.subarray(0, magic.length).equals(magic));
  if (found === undefined) throw new Error(`${what} is compressed in a way that is not known here.`);
  const [file, ...args] = found.command;
  return filter(file, args, data);
}

/**
 * The ELF kernel in a bzImage. Offsets: Documentation/arch/x86/boot.rst of the kernel.
 * @param {Buffer} image
 */
function vmlinux(image) {
  const SETUP_SECTORS = 0x1f1;
  const PAYLOAD_OFFSET = 0x248;
  const PAYLOAD_LENGTH = 0x24c;
  const start = ((image[SETUP_SECTORS] || 4) + 1) * 512 + image.readUInt32LE(PAYLOAD_OFFSET);
  // The last four bytes of the payload are its length when decompressed.
  const payload = image.subarray(start, start + image.readUInt32LE(PAYLOAD_LENGTH) - 4);
  return decompress(payload, "The kernel");
}

/** @param {string} folder @returns {string} path of the only entry whose name begins so */
function only(folder, prefix) {
  const names = readdirSync(folder).filter((name) => name.startsWith(prefix));
  if (names.length !== 1) throw new Error(`${folder}: expected one ${prefix}*, found ${names.length}`);
  return join(folder, names[0]);
}

/** What takes the kernel to its disk; each is a module or built in. */
const DRIVERS = ["virtio_pci", "virtio_blk"];

/**
 * @param {string} modules folder with modules.dep (modules.dep(5)) and what is listed in it
 * @returns {string[]} paths of the modules to load, in order
 */
function driversIn(modules) {
  const lines = readFileSync(join(modules, "modules.dep"), "utf8").trim().split("\n");
  const needs = new Map(lines.map((line) => line.split(": ")).map(([path, list]) => [path.replace(/:$/, ""), list]));
  const loaded = new Set();
  for (const driver of DRIVERS) {
    const path = [...needs.keys()].find((one) => basename(one).startsWith(`${driver}.ko`));
    if (path === undefined) continue;
    // Those that it needs stand after it, the first to load at the end.
    const before = (needs.get(path) ?? "").split(" ").filter(Boolean).reverse();
    for (const one of [...before, path]) loaded.add(one);
  }
  return [...loaded].map((path) => join(modules, path));
}

/**
 * @param {string} unpacked folder with the unpacked package of the kernel
 * @param {string} busybox a static one
 * @param {string} init script: the first process
 * @param {string} target a new folder for `kernel` and `initramfs`
 */
export function makeBootFiles(unpacked, busybox, init, target) {
  mkdirSync(target);
  writeFileSync(join(target, "kernel"), vmlinux(readFileSync(only(join(unpacked, "boot"), "vmlinuz-"))));

  const tree = join(unpacked, "initramfs");
  for (const folder of ["bin", "dev", "root"]) mkdirSync(join(tree, folder), { recursive: true });
  cpSync(busybox, join(tree, "bin/busybox"));
  cpSync(init, join(tree, "init"));
  for (const program of ["bin/busybox", "init"]) chmodSync(join(tree, program), 0o755);
  const drivers = driversIn(only(join(unpacked, "lib/modules"), "")).map((path) => {
    const module = readFileSync(path);
    const name = basename(path).replace(/\.ko.*$/, ".ko");
    writeFileSync(join(tree, name), module.subarray(0, 4).equals(ELF) ? module : decompress(module, name));
    return name;
  });
  writeFileSync(join(tree, "drivers"), `${drivers.join("\n")}\n`);
  const files = ["init", "drivers", ...drivers, "bin", "bin/busybox", "dev", "root"].join("\n");
  writeFileSync(
    join(target, "initramfs"),
    filter("cpio", ["--create", "--format=newc", "--quiet", "--owner=0:0"], files, tree),
  );
}
