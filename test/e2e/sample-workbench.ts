// A workbench on a copy of the sample workspace, for the length of a suite.

import * as assert from "node:assert/strict";
import { VSIX } from "../support/vscode-host/paths";
import { copySampleWorkspace, makeHome, type TemporaryFolder } from "../support/workspace";
import { openWorkbench, type Workbench, type WorkbenchOptions } from "./workbench";

export interface SampleWorkbench {
  /** There from the first test on. */
  readonly workbench: Workbench;
  /** Absolute path of the copy. */
  readonly workspace: string;
}

/** Opens it before the tests of the calling suite and closes it after them, when no process of it may be left. */
export function useSampleWorkbench(options: Partial<WorkbenchOptions> = {}): SampleWorkbench {
  let workspace: TemporaryFolder | undefined;
  let home: TemporaryFolder | undefined;
  let workbench: Workbench | undefined;

  before(async () => {
    workspace = copySampleWorkspace();
    home = makeHome();
    const vsix = [process.env.SANDBOX_TASKS_TEST_VSIX ?? VSIX];
    workbench = await openWorkbench(workspace.path, { vsix, env: { HOME: home.path }, ...options });
  });

  after(async () => {
    const left = await workbench?.close();
    workspace?.remove();
    home?.remove();
    assert.deepEqual(left ?? [], [], "processes outlived the editor");
  });

  return {
    get workbench() {
      assert.ok(workbench, "the workbench did not open");
      return workbench;
    },
    get workspace() {
      assert.ok(workspace, "the workspace was not copied");
      return workspace.path;
    },
  };
}
