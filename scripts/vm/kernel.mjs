// What qemu is given to boot: Debian's kernel, decompressed here because emulation would take seconds for it, and an
// initramfs that knows one driver, that of the disk with the root file system.

import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

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
];

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

/**
 * @param {string} unpacked folder with the unpacked packages of the kernel and of a static busybox
 * @param {string} init script: the first process
 * @param {string} target folder for `kernel` and `initramfs`
 */
export function makeBootFiles(unpacked, init, target) {
  writeFileSync(join(target, "kernel"), vmlinux(readFileSync(only(join(unpacked, "boot"), "vmlinuz-"))));

  const drivers = join(only(join(unpacked, "lib/modules"), ""), "kernel/drivers/block");
  const tree = join(unpacked, "initramfs");
  for (const folder of ["bin", "dev", "root"]) mkdirSync(join(tree, folder), { recursive: true });
  cpSync(join(unpacked, "bin/busybox"), join(tree, "bin/busybox"));
  cpSync(init, join(tree, "init"));
  for (const program of ["bin/busybox", "init"]) chmodSync(join(tree, program), 0o755);
  writeFileSync(
    join(tree, "virtio_blk.ko"),
    decompress(readFileSync(only(drivers, "virtio_blk.ko")), "The driver of the disk"),
  );
  const files = ["init", "virtio_blk.ko", "bin", "bin/busybox", "dev", "root"].join("\n");
  writeFileSync(
    join(target, "initramfs"),
    filter("cpio", ["--create", "--format=newc", "--quiet", "--owner=0:0"], files, tree),
  );
}
