// Readers of /proc and of cgroupfs: what is inside a sandbox, seen from outside. No dependency on the editor.

export { capabilities } from "./capabilities";
export { cgroup } from "./cgroup";
export { isDenied, processDetails, security } from "./details";
export { limits } from "./limits";
export { idMappings, namespaces } from "./namespaces";
export { processes } from "./processes";
export { AccessError } from "./procfs";
export { visible } from "./text";
export type {
  CapabilityInfo,
  CgroupFigures,
  CgroupInfo,
  Denied,
  IdMappingInfo,
  LimitInfo,
  NamespaceInfo,
  NamespaceType,
  ProcessDetails,
  ProcessInfo,
  Reading,
  SeccompMode,
  SecurityInfo,
} from "./types";
