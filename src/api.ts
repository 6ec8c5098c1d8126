// The library without the editor: what tests, benchmarks and other programs load from dist/api.js.

export * as inspect from "./inspect";
export * as sandbox from "./sandbox";
export * from "./spawner";
