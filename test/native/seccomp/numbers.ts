// System calls by name, for test/native/programs/calls.cc, and running it.

import { constants } from "node:os";
import { program } from "../../support/programs";

/** x86-64, then the generic table of aarch64. */
const NUMBERS = {
  add_key: [248, 217],
  bpf: [321, 280],
  clone: [56, 220],
  clone3: [435, 435],
  finit_module: [313, 273],
  fsopen: [430, 430],
  getpid: [39, 172],
  getppid: [110, 173],
  io_uring_setup: [425, 425],
  ioctl: [16, 29],
  kexec_load: [246, 104],
  keyctl: [250, 219],
  mount: [165, 40],
  open_by_handle_at: [304, 265],
  perf_event_open: [298, 241],
  personality: [135, 92],
  pivot_root: [155, 41],
  ptrace: [101, 117],
  reboot: [169, 142],
  request_key: [249, 218],
  setns: [308, 268],
  socket: [41, 198],
  socketpair: [53, 199],
  swapon: [167, 224],
  syslog: [103, 116],
  umask: [95, 166],
  unshare: [272, 97],
  userfaultfd: [323, 282],
} as const satisfies Readonly<Record<string, readonly [number, number]>>;

export type Name = keyof typeof NUMBERS;

/** One call for calls.cc: 'socket', 40, 1 becomes '41,40,1'. */
export function call(name: Name | number, ...args: (number | string)[]): string {
  const number = typeof name === "number" ? name : NUMBERS[name][process.arch === "x64" ? 0 : 1];
  return [number, ...args].join(",");
}

/** What calls.cc printed, with names for errnos. */
export function results(stdout: string): (number | string)[] {
  return stdout
    .trim()
    .split("\n")
    .filter(Boolean)
    .map(Number)
    .map((result) => Object.entries(constants.errno).find(([, errno]) => errno === -result)?.[0] ?? result);
}

/** The program that makes them. */
export const CALLS = (): string => program("calls");
