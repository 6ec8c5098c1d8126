// A system call filter as the OCI runtime specification writes it (config-linux.md, "Seccomp"), and what its words mean to
// the kernel (seccomp(2)) and to libseccomp.

/** What becomes of a call. SCMP_ACT_NOTIFY is not among them: it needs an agent that decides. */
export const SECCOMP_ACTIONS = {
  SCMP_ACT_KILL: 0x0000_0000,
  SCMP_ACT_KILL_THREAD: 0x0000_0000,
  SCMP_ACT_KILL_PROCESS: 0x8000_0000,
  SCMP_ACT_TRAP: 0x0003_0000,
  SCMP_ACT_ERRNO: 0x0005_0000,
  SCMP_ACT_TRACE: 0x7ff0_0000,
  SCMP_ACT_LOG: 0x7ffc_0000,
  SCMP_ACT_ALLOW: 0x7fff_0000,
} as const;
export type SeccompAction = keyof typeof SECCOMP_ACTIONS;

/** Somebody outside is told of the call and answers with an errno (seccomp_unotify(2)). */
export const ACT_NOTIFY = 0x7fc0_0000;

/** How an argument is compared. MASKED_EQ: `value` is the mask, `valueTwo` what must be left. */
export const SECCOMP_OPERATORS = {
  SCMP_CMP_NE: 1,
  SCMP_CMP_LT: 2,
  SCMP_CMP_LE: 3,
  SCMP_CMP_EQ: 4,
  SCMP_CMP_GE: 5,
  SCMP_CMP_GT: 6,
  SCMP_CMP_MASKED_EQ: 7,
} as const;
export type SeccompOperator = keyof typeof SECCOMP_OPERATORS;

/** AUDIT_ARCH_* of linux/audit.h, but for x32, which libseccomp has a number of its own for. */
export const SECCOMP_ARCHITECTURES = {
  SCMP_ARCH_X86: 0x4000_0003,
  SCMP_ARCH_X86_64: 0xc000_003e,
  SCMP_ARCH_X32: 0x4000_003e,
  SCMP_ARCH_ARM: 0x4000_0028,
  SCMP_ARCH_AARCH64: 0xc000_00b7,
  SCMP_ARCH_MIPS: 0x0000_0008,
  SCMP_ARCH_MIPS64: 0x8000_0008,
  SCMP_ARCH_MIPS64N32: 0xa000_0008,
  SCMP_ARCH_MIPSEL: 0x4000_0008,
  SCMP_ARCH_MIPSEL64: 0xc000_0008,
  SCMP_ARCH_MIPSEL64N32: 0xe000_0008,
  SCMP_ARCH_PPC: 0x0000_0014,
  SCMP_ARCH_PPC64: 0x8000_0015,
  SCMP_ARCH_PPC64LE: 0xc000_0015,
  SCMP_ARCH_S390: 0x0000_0016,
  SCMP_ARCH_S390X: 0x8000_0016,
  SCMP_ARCH_PARISC: 0x0000_000f,
  SCMP_ARCH_PARISC64: 0x8000_000f,
  SCMP_ARCH_RISCV64: 0xc000_00f3,
} as const;
export type SeccompArchitecture = keyof typeof SECCOMP_ARCHITECTURES;

/** Flags of seccomp(2), by bit. */
export const SECCOMP_FLAGS = {
  SECCOMP_FILTER_FLAG_TSYNC: 1,
  SECCOMP_FILTER_FLAG_LOG: 2,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 4,
} as const;
export type SeccompFlag = keyof typeof SECCOMP_FLAGS;

export interface SeccompArgument {
  /** Which argument, from 0 to 5. */
  readonly index: number;
  readonly value: number | bigint;
  readonly valueTwo?: number | bigint;
  readonly op: SeccompOperator;
}

export interface SeccompRule {
  readonly names: readonly string[];
  readonly action: SeccompAction;
  /** Of SCMP_ACT_ERRNO, 1 (EPERM) by default; of SCMP_ACT_TRACE, what the tracer reads. */
  readonly errnoRet?: number;
  /** All must hold; several of one index are alternatives, as runc has it. */
  readonly args?: readonly SeccompArgument[];
}

/**
 * OCI `linux.seccomp`. Where several rules are for one call, one with `args` that refuses goes first, then those that
 * allow, then a refusal without `args`, then the default action. Calls of other architectures than this machine's and
 * those listed end the process (SIGSYS); calls that are newer than all that a rule is for answer ENOSYS.
 */
export interface Seccomp {
  readonly defaultAction: SeccompAction;
  readonly defaultErrnoRet?: number;
  readonly architectures?: readonly SeccompArchitecture[];
  readonly flags?: readonly SeccompFlag[];
  readonly syscalls?: readonly SeccompRule[];
}

const PERMITS: ReadonlySet<SeccompAction> = new Set(["SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE"]);

/** Whether a call with this action is made. */
export function permits(action: SeccompAction): boolean {
  return PERMITS.has(action);
}

export const EPERM = 1;
export const ENOSYS = 38;

/** The errno of a rule, or of the default action; undefined where the action has none. */
export function errnoOf(action: SeccompAction, errnoRet: number | undefined): number | undefined {
  return action === "SCMP_ACT_ERRNO" ? (errnoRet ?? EPERM) : undefined;
}

/** The action as the kernel's number, with its errno or message. */
export function actionNumber(action: SeccompAction, errnoRet: number | undefined): number {
  const takesData = action === "SCMP_ACT_ERRNO" || action === "SCMP_ACT_TRACE";
  return SECCOMP_ACTIONS[action] + (takesData ? (errnoRet ?? EPERM) : 0);
}
