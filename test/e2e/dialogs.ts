// Modal dialogs of the workbench, as a person reads and answers them.

import type { Locator, Page } from "playwright-core";
import { waitUntil } from "../support/processes";

function dialog(page: Page): Locator {
  return page.locator(".monaco-dialog-box");
}

/** Wait for a dialog; returns all that it says, its buttons left out. */
export async function dialogText(page: Page): Promise<string> {
  const text = await dialog(page).locator(".dialog-message-container").innerText();
  return text.replaceAll("\u00a0", " ");
}

/** The button that Enter would press. */
export async function defaultButton(page: Page): Promise<string> {
  return waitUntil("a button of the dialog has the focus", async () => {
    const focused = dialog(page).locator(".monaco-button:focus");
    return (await focused.count()) === 1 ? focused.innerText() : undefined;
  });
}

/** Press a button, and wait until the dialog is gone. */
export async function pressButton(page: Page, label: string): Promise<void> {
  await dialog(page).getByRole("button", { name: label, exact: true }).click();
  await dialog(page).waitFor({ state: "detached" });
}

/** Press a key in a dialog, and wait until it is gone. */
export async function pressKey(page: Page, key: "Enter" | "Escape"): Promise<void> {
  await defaultButton(page);
  await page.keyboard.press(key);
  await dialog(page).waitFor({ state: "detached" });
}

export async function dialogIsOpen(page: Page): Promise<boolean> {
  return (await dialog(page).count()) > 0;
}
