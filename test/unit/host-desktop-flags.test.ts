// The command line that a desktop VS Code gets from a test run, as the shim reads it.

import * as assert from "node:assert/strict";
import { parseDesktopFlags } from "../support/vscode-host/desktop-flags";

const REQUIRED = ["--extensionTestsPath=/out/index.js", "--extensionDevelopmentPath=/stub"];

describe("the desktop flags of a test run", () => {
  it("are read as @vscode/test-electron passes them", () => {
    const flags = parseDesktopFlags([
      "/workspace",
      "--install-extension=/a.vsix",
      "--no-sandbox",
      "--disable-gpu-sandbox",
      "--disable-updates",
      "--skip-welcome",
      "--skip-release-notes",
      "--disable-workspace-trust",
      ...REQUIRED,
      "--extensions-dir=/e",
      "--user-data-dir=/u",
    ]);
    assert.deepEqual(flags, {
      extensionDevelopmentPath: "/stub",
      extensionTestsPath: "/out/index.js",
      workspace: "/workspace",
      vsix: ["/a.vsix"],
      trusted: true,
    });
  });

  it("take values after a space, which are then no workspace", () => {
    const flags = parseDesktopFlags(["--user-data-dir", "/u", "--install-extension", "/a.vsix", ...REQUIRED]);
    assert.equal(flags.workspace, undefined);
    assert.deepEqual(flags.vsix, ["/a.vsix"]);
  });

  it("leave workspace trust on unless told otherwise", () => {
    assert.equal(parseDesktopFlags(REQUIRED).trusted, false);
  });

  for (const missing of REQUIRED) {
    const name = missing.slice(0, missing.indexOf("="));
    it(`are refused by name without ${name}`, () => {
      assert.throws(() => parseDesktopFlags(REQUIRED.filter((flag) => flag !== missing)), new RegExp(`${name}=PATH`));
    });
  }
});
