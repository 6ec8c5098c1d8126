// The doctor: what this system can do for sandboxes, and what to do about the rest.

export { type CheckOptions, checkSystem } from "./check";
export { type Diagnosis, diagnose } from "./diagnose";
export { readFacts, type SystemFacts } from "./facts";
export { type Machine, thisMachine } from "./machine";
export type { Remedy } from "./remedy";
export type { FeatureLine, Finding, ProfileResult, Report } from "./report";
export { lineOfFeature, type Paint, reportText, type Tone } from "./text";
