// Sandboxes: profiles, how they become spawn options, and the ones that run. No dependency on the editor.

export { changeToAllow, type ProfileChange } from "./allow";
export { caretakers } from "./caretakers";
export { compile } from "./compile";
export type { Denial, DenyingWall } from "./denials";
export { describeProfile } from "./describe";
export * as doctor from "./doctor";
export { ProfileError, type ProfileProblem, type RefusedPart, SandboxError } from "./errors";
export { type FactsRequest, type HostFacts, readHostFacts } from "./host";
export { guardedPaths as protectedIn, layout, type Place } from "./layout";
export { type Loosening, loosenings } from "./loosening";
export type { PathFact } from "./path-facts";
export { BUILT_IN_PROFILES, DEFAULT_PROFILE, profileNames, resolveProfile, withEnvironment } from "./profiles";
export { SandboxRegistry } from "./registry";
export { requestHash, type TaskRequest } from "./request";
export { run } from "./sandbox";
export type { ProfileDefinition, ProfileRef, ResolvedProfile } from "./schema";
export { signalProcess } from "./signal";
export type {
  Consent,
  DenialOwner,
  EndedSandbox,
  Isolation,
  RunContext,
  Sandbox,
  SandboxCommand,
  SandboxStats,
  WorkspaceAccess,
} from "./types";
