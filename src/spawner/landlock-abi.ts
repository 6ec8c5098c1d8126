// Which Landlock this kernel has, asked of the kernel itself.

import { addon } from "./addon";

let abi: number | undefined;

/** The newest ABI of this kernel's Landlock (landlock_create_ruleset(2)); minus an errno where there is none. */
export function landlockAbi(): number {
  abi ??= addon().landlockAbi();
  return abi;
}
