// The built library under test, and the Node that can load it. Usually these are dist/ and our own Node; the suites with
// sanitizers test another build, whose runtime must be in a process before everything else.

import { resolve } from "node:path";

/** Environment variable: folder of the library to test. */
export const LIBRARY_VARIABLE = "SANDBOX_TASKS_TEST_LIBRARY";

/** Environment variable: the Node to start for a program that loads the library. */
export const NODE_VARIABLE = "SANDBOX_TASKS_TEST_NODE";

/** The library's file, as another program would load it. */
export const LIBRARY = resolve(process.env[LIBRARY_VARIABLE] ?? "dist", "api.js");

/** Starts a program that loads the library; used like process.execPath. */
export const LIBRARY_NODE = process.env[NODE_VARIABLE] ?? process.execPath;

/** Whether a sanitizer's runtime is in this process: memory and times are not what they are in an editor then. */
export const isSanitized = process.env[NODE_VARIABLE] !== undefined;
