// System calls that are newer than the libseccomp we are built with: filters name them, and kernels have them. Since Linux
// 5.1 a new call has the same number on every architecture but alpha and mips. The numbers are those of scripts/syscall.tbl,
// arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h, which agree.

const NEWER: Readonly<Record<string, number>> = {
  set_mempolicy_home_node: 450,
  cachestat: 451,
  fchmodat2: 452,
  map_shadow_stack: 453,
  futex_wake: 454,
  futex_wait: 455,
  futex_requeue: 456,
  statmount: 457,
  listmount: 458,
  lsm_get_self_attr: 459,
  lsm_set_self_attr: 460,
  lsm_list_modules: 461,
  mseal: 462,
  setxattrat: 463,
  getxattrat: 464,
  listxattrat: 465,
  removexattrat: 466,
  open_tree_attr: 467,
  file_getattr: 468,
  file_setattr: 469,
  listns: 470,
  rseq_slice_yield: 471,
};

export const NEWER_NAMES: readonly string[] = Object.keys(NEWER);

/** The name of a number, or the number in words where there is none. */
export function newerName(number: number): string {
  return NEWER_NAMES.find((name) => NEWER[name] === number) ?? `system call ${number}`;
}

export function newerNumber(name: string): number | undefined {
  return Object.hasOwn(NEWER, name) ? NEWER[name] : undefined;
}
