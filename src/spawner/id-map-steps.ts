// Id maps of a new user namespace: written by the child itself where the kernel lets it, otherwise from outside while it
// waits.

import type { Caller } from "./caller";
import { type PlannedStep, step } from "./planned-step";
import { mapText } from "./rules/id-maps";
import type { IdMapping, SysProcAttr } from "./types";

/** Texts for /proc/PID/setgroups, uid_map and gid_map (user_namespaces(7)). */
export interface IdMaps {
  /** '' to leave it alone. */
  readonly setgroups: string;
  readonly uidMap: string;
  readonly gidMap: string;
}

/** The kernel lets a process map itself exactly one id, its own (user_namespaces(7)); all else is written from outside. */
function isSelfWritable(mappings: readonly IdMapping[], own: number): boolean {
  const [only, more] = mappings;
  return only !== undefined && more === undefined && only.hostID === own && only.size === 1;
}

export interface MapPlan {
  readonly steps: readonly PlannedStep[];
  /** Written from outside. */
  readonly maps?: IdMaps;
}

/** @param caller decides whether the child may write them itself */
export function idMapSteps(sys: SysProcAttr, caller: Pick<Caller, "uid" | "gid">): MapPlan {
  const { uidMappings = [], gidMappings = [] } = sys;
  if (uidMappings.length === 0 && gidMappings.length === 0) return { steps: [] };
  const setgroups = sys.gidMappingsEnableSetgroups === true ? "" : "deny";
  const uidMap = mapText(uidMappings);
  const gidMap = mapText(gidMappings);
  const detail = `uid ${uidMap.trim().replaceAll("\n", ", ")}; gid ${gidMap.trim().replaceAll("\n", ", ")}`;
  // With setgroups(2) left allowed, not even its own group: that takes CAP_SETGID outside.
  if (setgroups !== "" && isSelfWritable(uidMappings, caller.uid) && isSelfWritable(gidMappings, caller.gid)) {
    return { steps: [step("map_self", "id-map", `${detail} (written by the child)`, setgroups, uidMap, gidMap)] };
  }
  return {
    steps: [step("map_wait", "id-map", `${detail} (written from outside)`)],
    maps: { setgroups, uidMap, gidMap },
  };
}
