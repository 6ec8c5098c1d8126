// What a profile may say about system calls.

import { z } from "zod";
import { ociFilter } from "../../spawner/seccomp/schema";

const { defaultAction, ...others } = ociFilter(
  z.int("a whole number is needed here: JSON has no larger ones than 2^53 - 1").min(0),
);

/** OCI `linux.seccomp`, or rules that go before those of the default filter. */
const filterSchema = z
  .strictObject({ extends: z.literal("default").optional(), defaultAction: defaultAction.optional(), ...others })
  .refine(
    (filter) => (filter.extends === undefined) !== (filter.defaultAction === undefined),
    'an OCI filter has a defaultAction; one that changes the default filter has "extends": "default" instead',
  );

export const seccompSchema = z.union(
  [z.enum(["default", "off"]), filterSchema],
  '"default", "off", or an OCI linux.seccomp object',
);

export type SeccompChoice = z.infer<typeof seccompSchema>;
export type FilterChoice = z.infer<typeof filterSchema>;
