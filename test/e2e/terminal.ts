// The terminal in front, as a person reads it, types into it and follows its links.

import type { Page } from "playwright-core";
import { waitUntil } from "../support/processes";
import { RESTORE_LIMIT_MS, soon } from "./patience";

/** Text of the terminal in front, line by line. Needs gpuAcceleration off: the text is in the page then. */
export async function terminalText(page: Page): Promise<string> {
  const rows = page.locator(".terminal-wrapper.active .xterm-rows > div");
  const lines = await rows.allInnerTexts();
  return lines
    .map((line) => line.replaceAll("\u00a0", " ").trimEnd())
    .join("\n")
    .trimEnd();
}

/** Wait until the terminal in front shows a text; returns all it shows. */
export async function waitForTerminal(page: Page, expected: string | RegExp): Promise<string> {
  let text = "";
  return waitUntil(`the terminal shows ${expected}`, async () => {
    text = await terminalText(page);
    const found = typeof expected === "string" ? text.includes(expected) : expected.test(text);
    return found ? text : undefined;
  }).catch((error: unknown) => {
    throw new Error(`${String(error)} It shows:\n${text}`);
  });
}

/** Type a line into the terminal in front. */
export async function typeLine(page: Page, line: string): Promise<void> {
  await page.locator(".terminal-wrapper.active .xterm-helper-textarea").focus();
  await page.keyboard.type(line);
  await page.keyboard.press("Enter");
}

/**
 * Press a link in the terminal in front, at the beginning of its line, until what it leads to is there.
 * @param text in the line; the last such line is taken
 */
export async function followTerminalLink(page: Page, text: string, isThere: () => Promise<boolean>): Promise<void> {
  const line = page.locator(".terminal-wrapper.active .xterm-rows > div", { hasText: text }).last();
  await waitUntil(
    `the link "${text}" in the terminal leads to something`,
    async () => {
      const box = await line.boundingBox();
      if (box === null) return false;
      // Rows are as wide as the terminal; a link of ours begins in its third or fifth column.
      const [x, y] = [box.x + 64, box.y + box.height / 2];
      // A line is asked for its links when the pointer comes to it from another; an answer that went astray because the
      // terminal was drawn anew is not asked for again while it stays.
      await page.mouse.move(x, y - box.height);
      await page.keyboard.down("Control");
      if (await soon(page, () => isUnderHand(page, x, y))) await page.mouse.click(x, y);
      await page.keyboard.up("Control");
      return soon(page, isThere);
    },
    RESTORE_LIMIT_MS,
  );
}

/**
 * Point at a place in the terminal in front; true when the pointer is a hand there, and a click would follow a link.
 * A link that comes after the pointer becomes one when that moves again.
 */
async function isUnderHand(page: Page, x: number, y: number): Promise<boolean> {
  await page.mouse.move(x - 1, y);
  await page.mouse.move(x, y);
  return (await page.locator(".terminal-wrapper.active .xterm-cursor-pointer").count()) > 0;
}
