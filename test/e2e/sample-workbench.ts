// A workbench on a copy of the sample workspace, for the length of a suite, and tests of it that say where the picture is
// when they fail.

import * as assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { VSIX } from "../support/vscode-host/paths";
import { copySampleWorkspace, makeHome, type TemporaryFolder } from "../support/workspace";
import { openWorkbench, screenshot, type Workbench, type WorkbenchOptions } from "./workbench";

/** Of one test: less than mocha's, which would leave no picture behind. */
const TEST_LIMIT_MS = 90_000;

export interface SampleOptions extends Partial<WorkbenchOptions> {
  /**
   * Called with the copy before it is opened, to change something in it. Files beside it go with it.
   * @returns what to open instead: a folder, or a .code-workspace file
   */
  readonly prepare?: (workspace: string) => string | undefined;
}

export interface SampleWorkbench {
  /** There from the first test on. */
  readonly workbench: Workbench;
  /** Absolute path of the copy. */
  readonly workspace: string;
  /** A test whose error, when it fails or hangs, names a picture of the page. */
  it(title: string, test: (page: Page) => Promise<void>): void;
}

/** Fails after a time; what it waited for goes on, and fails with the page in the end. */
async function within(limitMs: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Not over after ${limitMs / 1000} s.`)), limitMs);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Opens it before the tests of the calling suite and closes it after them, when no process of it may be left. */
export function useSampleWorkbench({ prepare, ...options }: SampleOptions = {}): SampleWorkbench {
  let workspace: TemporaryFolder | undefined;
  let home: TemporaryFolder | undefined;
  let workbench: Workbench | undefined;

  before(async () => {
    workspace = copySampleWorkspace();
    home = makeHome();
    const vsix = [process.env.SANDBOX_TASKS_TEST_VSIX ?? VSIX];
    const opened = prepare?.(workspace.path) ?? workspace.path;
    workbench = await openWorkbench(opened, { vsix, env: { HOME: home.path }, ...options });
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
    it(title, test) {
      it(title, async () => {
        assert.ok(workbench, "the workbench did not open");
        const { page } = workbench;
        try {
          await within(TEST_LIMIT_MS, test(page));
        } catch (error) {
          const name = `failed-${title.replaceAll(/\W+/g, "-").slice(0, 60)}`;
          const picture = await screenshot(page, name).catch((reason: unknown) => `none: ${String(reason)}`);
          throw new Error(`${error instanceof Error ? error.message : error} (picture: ${picture})`, { cause: error });
        }
      });
    },
  };
}
