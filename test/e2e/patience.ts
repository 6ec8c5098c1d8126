// How long a person would wait for something in the workbench before trying again.

import { errors, type Page } from "playwright-core";

export const KEY_LIMIT_MS = 2000;
export const AGAIN_AFTER_MS = 5000;
/** On a machine that builds something else meanwhile. */
export const RESTORE_LIMIT_MS = 60_000;

/** Whether something comes true in the time in which a person would wait for it before trying again. */
export async function soon(page: Page, condition: () => Promise<boolean>): Promise<boolean> {
  const end = Date.now() + AGAIN_AFTER_MS;
  while (!(await condition())) {
    if (Date.now() > end) return false;
    await page.waitForTimeout(50);
  }
  return true;
}

/** What the work says, or false when something that it waited for did not come in time: then it may be tried again. */
export async function unlessLate(work: () => Promise<boolean>): Promise<boolean> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof errors.TimeoutError) return false;
    throw error;
  }
}
