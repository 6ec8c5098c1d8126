// Everything that is made with zod: dist/schemas.js, which load-schemas.ts loads on first use. Nothing in here may be a
// class that others compare with instanceof, because what this file shares with the other bundles is in each of them.

export { problemsOf } from "./sandbox/problems";
export { profileSchema } from "./sandbox/schema";
export { command, spawnOptions } from "./spawner/schema";
