// The spawner's face.

export type { Caller } from "./caller";
export { CAPABILITIES, type Capability } from "./capabilities";
export { OptionsError, SpawnError } from "./errors";
export { FEATURES, type FeatureName } from "./features";
export { holdNamespaces } from "./hold";
export type { Landlock, LandlockFsAccess, LandlockNetAccess, LandlockRule, LandlockScope } from "./landlock";
export { landlockAbi } from "./landlock-abi";
export { pidfdDuplicate, pidfdOpen, pidfdSendSignal, pidfdWait } from "./pidfd";
export { probe } from "./probe";
export { signalNamespace } from "./process";
export { explain, spawn } from "./spawn";
export * from "./types";
export { validate } from "./validate";
