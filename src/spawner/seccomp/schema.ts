// Types and ranges of an OCI filter; rules/seccomp.ts holds what depends on this machine.

import { z } from "zod";
import { isDeeplyFrozen } from "./frozen";
import {
  SECCOMP_ACTIONS,
  SECCOMP_ARCHITECTURES,
  SECCOMP_FLAGS,
  SECCOMP_OPERATORS,
  type Seccomp,
  type SeccompAction,
  type SeccompArchitecture,
  type SeccompFlag,
  type SeccompOperator,
} from "./oci";

type NonEmpty<T> = [T, ...T[]];
const keys = <T extends string>(table: Readonly<Record<T, number>>): NonEmpty<T> => Object.keys(table) as NonEmpty<T>;

/** Errnos end at 4095 (MAX_ERRNO of linux/err.h). */
const errno = z.int().min(0).max(4095);
const action = z.enum(keys<SeccompAction>(SECCOMP_ACTIONS));
const word = z.union([z.int().min(0), z.bigint().min(0n).max(0xffff_ffff_ffff_ffffn)], {
  error: "must be a whole number, from 0 to 2^53 - 1; larger ones as a bigint",
});

/** The keys of an OCI filter; `value` is what arguments are compared with. */
export function ociFilter<V extends z.ZodType>(value: V) {
  return {
    defaultAction: action,
    defaultErrnoRet: errno.optional(),
    architectures: z.array(z.enum(keys<SeccompArchitecture>(SECCOMP_ARCHITECTURES))).optional(),
    flags: z.array(z.enum(keys<SeccompFlag>(SECCOMP_FLAGS))).optional(),
    syscalls: z
      .array(
        z.strictObject({
          names: z.array(z.string().min(1)).min(1),
          action,
          errnoRet: errno.optional(),
          args: z
            .array(
              z.strictObject({
                index: z.int().min(0).max(5),
                value,
                valueTwo: value.optional(),
                op: z.enum(keys<SeccompOperator>(SECCOMP_OPERATORS)),
              }),
            )
            .optional(),
        }),
      )
      .optional(),
  };
}

const ociSeccomp = z.strictObject(ociFilter(word));

/** Frozen ones that were found sound: the default filter is the same object with each spawn, and long. */
const sound = new WeakSet<object>();

/**
 * The schema, but for frozen filters that were looked at before.
 * @param describe problems in words, from the schema that refused
 */
export function seccompOption(
  describe: (schema: z.ZodType, issue: z.core.$ZodIssue) => readonly { path: string; message: string }[],
): z.ZodType<Seccomp, Seccomp> {
  return z.custom<Seccomp>().transform((value, context): Seccomp => {
    if (typeof value === "object" && value !== null && sound.has(value)) return value;
    const result = ociSeccomp.safeParse(value, { reportInput: true });
    if (!result.success) {
      for (const { path, message } of result.error.issues.flatMap((issue) => describe(ociSeccomp, issue))) {
        context.issues.push({ code: "custom", message, input: value, path: path === "" ? [] : [path] });
      }
      return z.NEVER;
    }
    if (!isDeeplyFrozen(value)) return result.data as Seccomp;
    sound.add(value);
    return value;
  });
}
