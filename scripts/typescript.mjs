// Lets a script load the project's own TypeScript as it stands, without a build: one file at a time, types dropped.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import ts from "typescript";
import { ROOT } from "./files.mjs";

const require = createRequire(join(ROOT, "package.json"));

/** @type {import("typescript").CompilerOptions} */
const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: true };

require.extensions[".ts"] = (module, file) => {
  const { outputText } = ts.transpileModule(readFileSync(file, "utf8"), { compilerOptions, fileName: file });
  module._compile(outputText, file);
};

/**
 * Load a module of src/.
 * @param {string} path relative to the root of the repository
 * @returns {any} its exports
 */
export function load(path) {
  return require(join(ROOT, path));
}
