// Which variables a sandbox gets.

import assert from "node:assert/strict";
import { sandboxEnvironment } from "../../src/sandbox/environment";
import { compiled } from "./compiled";

describe("compile: the environment", () => {
  const rule = (inherit: readonly string[] | "all", set = {}): Parameters<typeof sandboxEnvironment>[1] => ({
    inherit,
    set,
  });
  const source = {
    PATH: "/bin",
    LC_ALL: "C",
    LC_TOKEN: "x",
    GITHUB_TOKEN: "x",
    VSCODE_PID: "x",
    NODE_OPTIONS: "x",
    ELECTRON_RUN_AS_NODE: "1",
    HOME: "/h",
    MINE: "m",
    NONE: undefined,
  };

  it("is clean by default", () => {
    assert.deepEqual(sandboxEnvironment(source, rule([]), { HOME: "/home/me" }), {
      PATH: "/bin",
      LC_ALL: "C",
      HOME: "/home/me",
    });
  });

  it("adds what is named, and all but the editor's own when all is asked for", () => {
    assert.deepEqual(sandboxEnvironment(source, rule(["MINE", "GITHUB_TOKEN", "NODE_OPTIONS"]), {}), {
      PATH: "/bin",
      LC_ALL: "C",
      GITHUB_TOKEN: "x",
      MINE: "m",
    });
    assert.deepEqual(Object.keys(sandboxEnvironment(source, rule("all"), {})), [
      "PATH",
      "LC_ALL",
      "LC_TOKEN",
      "GITHUB_TOKEN",
      "HOME",
      "MINE",
    ]);
  });

  it("sets what the profile sets, over everything", () => {
    assert.deepEqual(
      sandboxEnvironment({ PATH: "/bin" }, rule([], { PATH: "/x", NODE_OPTIONS: "y" }), { HOME: "/h" }),
      { PATH: "/x", HOME: "/h", NODE_OPTIONS: "y" },
    );
  });

  it("comes from the command where it has one, else from the editor", () => {
    assert.deepEqual(compiled("build").env, { PATH: "/usr/bin", HOME: "/home/me", TMPDIR: "/tmp" });
    assert.deepEqual(compiled("build", {}, { file: "true", env: { LANG: "C" } }).env, {
      LANG: "C",
      HOME: "/home/me",
      TMPDIR: "/tmp",
    });
  });
});
