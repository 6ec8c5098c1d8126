// From Landlock's words to the steps that restrict the child.

import {
  bits,
  isLeftOut,
  LANDLOCK_FLAGS,
  LANDLOCK_FS,
  LANDLOCK_NET,
  LANDLOCK_SCOPES,
  type LandlockFsAccess,
  split,
} from "./landlock";
import { about, type PlannedStep, step } from "./planned-step";
import type { SysProcAttr } from "./types";

/** native/plan/lookup.h, MountFlag */
const OPTIONAL = 2;
const NO_FOLLOW = 4;

/** "all rights" of those that are handled, or their names. */
function words(access: readonly string[], handled: readonly string[]): string {
  return handled.length > 1 && handled.every((right) => access.includes(right)) ? "everything" : access.join(", ");
}

function terminalStep(access: readonly LandlockFsAccess[], abi: number): PlannedStep[] {
  const { known } = split(LANDLOCK_FS, access, abi);
  if (known.length === 0) return [];
  return [step("landlock_terminal", "landlock rule", `its terminal: ${known.join(", ")}`, bits(LANDLOCK_FS, known))];
}

/** Who owns a tree enters rulesets before any other program is there: no news for the audit log. */
export function subreaperStep(abi: number): PlannedStep {
  const flags = split(LANDLOCK_FLAGS, ["log_same_exec_off"], abi).known;
  const detail =
    "own and end all that the command starts, within Landlock's scope of signals; a guard should we be killed";
  return step("subreaper", "subreaper", detail, bits(LANDLOCK_FLAGS, flags));
}

/**
 * The ruleset is made, filled and entered in one go, so that its fd is open in no other step.
 * @param abi what the kernel has
 */
export function landlockSteps({ landlock }: SysProcAttr, abi: number): PlannedStep[] {
  if (landlock === undefined || isLeftOut(landlock, abi)) return [];
  const files = split(LANDLOCK_FS, landlock.handledAccessFs, abi);
  const net = split(LANDLOCK_NET, landlock.handledAccessNet, abi);
  const scoped = split(LANDLOCK_SCOPES, landlock.scoped, abi);
  const flags = split(LANDLOCK_FLAGS, landlock.flags, abi);
  if (files.known.length + net.known.length + scoped.known.length === 0) return [];

  const missing = [files, net, scoped, flags].flatMap(({ unknown }) => unknown);
  const parts = [
    ...(files.known.length > 0 ? [`files: ${files.known.join(", ")}`] : []),
    ...(net.known.length > 0 ? [`network: ${net.known.join(", ")}`] : []),
    ...(scoped.known.length > 0 ? [`scoped: ${scoped.known.join(", ")}`] : []),
    ...(missing.length > 0 ? [`left out, as this kernel has ABI ${abi}: ${missing.join(", ")}`] : []),
  ];
  return [
    step(
      "landlock_ruleset",
      "landlock ruleset",
      parts.join("; "),
      bits(LANDLOCK_FS, files.known),
      bits(LANDLOCK_NET, net.known),
      bits(LANDLOCK_SCOPES, scoped.known),
    ),
    ...(landlock.rules ?? []).flatMap(({ path, access, options = [] }): PlannedStep[] => {
      const { known } = split(LANDLOCK_FS, access, abi);
      if (known.length === 0) return [];
      const flags = (options.includes("optional") ? OPTIONAL : 0) | (options.includes("nofollow") ? NO_FOLLOW : 0);
      const how = options.length > 0 ? ` (${options.join(",")})` : "";
      const detail = `${path}${how}: ${words(known, files.known)}`;
      return [about(path, step("landlock_path", "landlock rule", detail, path, bits(LANDLOCK_FS, known), flags))];
    }),
    ...terminalStep(landlock.terminal ?? [], abi),
    ...(landlock.ports ?? []).flatMap(({ port, access }): PlannedStep[] => {
      const { known } = split(LANDLOCK_NET, access, abi);
      if (known.length === 0) return [];
      const detail = `port ${port}: ${words(known, net.known)}`;
      return [step("landlock_port", "landlock rule", detail, port, bits(LANDLOCK_NET, known))];
    }),
    step(
      "landlock_restrict",
      "landlock",
      flags.known.length > 0 ? `enforced (${flags.known.join(", ")})` : "enforced",
      bits(LANDLOCK_FLAGS, flags.known),
    ),
  ];
}
