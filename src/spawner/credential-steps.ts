// Who the child is: user, groups, capabilities, privileges.

import { capabilityMask } from "./capabilities";
import { type PlannedStep, step } from "./planned-step";
import type { SysProcAttr } from "./types";

function groupBytes(groups: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(groups).buffer);
}

/** From most to least powerful: each step needs what the next takes away. */
export function credentialSteps(sys: SysProcAttr): PlannedStep[] {
  const { credential, capabilities, ambientCaps = [] } = sys;
  const steps: PlannedStep[] = [];
  if (sys.newSessionKeyring === true) steps.push(step("keyring", "keyring", "a new session keyring"));
  if (capabilities !== undefined && capabilities.keepBounding !== true) {
    const kept = capabilities.bounding ?? [];
    const shown = kept.length === 0 ? "none" : kept.join(", ");
    steps.push(step("bounding", "bounding set", shown, capabilityMask(kept)));
  }
  if (credential !== undefined) {
    if (capabilities !== undefined || ambientCaps.length > 0) {
      steps.push(step("keep_caps", "keep capabilities", "across the change of user"));
    }
    const groups = credential.groups ?? [];
    const denied = (sys.gidMappings ?? []).length > 0 && sys.gidMappingsEnableSetgroups !== true;
    if (credential.noSetGroups !== true && !(denied && groups.length === 0)) {
      steps.push(step("groups", "groups", groups.length === 0 ? "none" : groups.join(", "), groupBytes(groups)));
    }
    steps.push(step("gid", "gid", String(credential.gid), credential.gid));
    steps.push(step("uid", "uid", String(credential.uid), credential.uid));
  }
  if (capabilities !== undefined) {
    const sets = [capabilities.effective, capabilities.permitted, capabilities.inheritable].map((set) => set ?? []);
    const shown = ["effective", "permitted", "inheritable"].map((set, i) => `${set} ${sets[i]?.join(" ") || "none"}`);
    steps.push(step("capabilities", "capabilities", shown.join("; "), ...sets.map((set) => capabilityMask(set))));
  }
  if (ambientCaps.length > 0) {
    steps.push(step("ambient", "ambient set", ambientCaps.join(", "), capabilityMask(ambientCaps)));
  }
  if (sys.noNewPrivileges === true) steps.push(step("no_new_privs", "no_new_privs", "set"));
  if (sys.umask !== undefined) steps.push(step("umask", "umask", sys.umask.toString(8), sys.umask));
  return steps;
}
