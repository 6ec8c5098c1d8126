// A driver for the workbench in a browser: what a person does with keyboard and mouse, and what a person reads. Waits
// for what it needs to see; selectors are those of VS Code's own accessibility attributes where it has them.

import type { Locator, Page } from "playwright-core";
import { type MarkedProcess, waitUntil } from "../support/processes";
import { openPage, screenshot } from "../support/vscode-host/browser";
import { type ServerOptions, startServer, type VsCodeServer } from "../support/vscode-host/server";
import { AGAIN_AFTER_MS, KEY_LIMIT_MS, RESTORE_LIMIT_MS, soon, unlessLate } from "./patience";

const STEP_LIMIT_MS = 20_000;

/** Title of our icon in the activity bar: when it is there, the extensions are known. */
const VIEW_CONTAINER = "Sandboxes";

export interface WorkbenchOptions extends ServerOptions {
  /** False where VS Code is expected to keep the extension off. */
  readonly extensionsEnabled?: boolean;
}

export interface Workbench {
  readonly page: Page;
  readonly server: VsCodeServer;
  /** Close browser and server; returns what had not ended by itself, for the test to hold against it. */
  close(): Promise<MarkedProcess[]>;
}

/**
 * Start a VS Code of its own and open a folder or a .code-workspace file in it.
 * @param opened absolute path
 */
export async function openWorkbench(opened: string, options: WorkbenchOptions = {}): Promise<Workbench> {
  const server = await startServer(options);
  try {
    const window = await openPage(server, server.folderUrl(opened));
    window.page.setDefaultTimeout(STEP_LIMIT_MS);
    await waitUntilRestored(window.page, options.extensionsEnabled ?? true);
    return {
      page: window.page,
      server,
      close: async () => {
        await window.close();
        return server.close();
      },
    };
  } catch (error) {
    await server.close();
    throw error;
  }
}

/**
 * Wait until the workbench has put everything in its place: until then it moves the focus about, which closes a list that
 * was opened meanwhile.
 */
async function waitUntilRestored(page: Page, extensionsEnabled: boolean): Promise<void> {
  const patiently = { timeout: RESTORE_LIMIT_MS };
  await page.locator(".explorer-folders-view .monaco-list-row").first().waitFor(patiently);
  await page.locator('.statusbar-item[id="status.problems"]').waitFor(patiently);
  // Colours and icons come with the extension host, and lay the workbench out anew.
  await page.locator(".explorer-folders-view .monaco-icon-label.file-icon").first().waitFor(patiently);
  if (!extensionsEnabled) return;
  await page.locator(`.activitybar .action-item [aria-label^="${VIEW_CONTAINER}"]`).first().waitFor(patiently);
}

/** Load the window anew, as "Developer: Reload Window" does: another extension host, the same global state. */
export async function reloadWindow(page: Page): Promise<void> {
  await page.reload();
  await waitUntilRestored(page, true);
}

/** In the page: whether any of its databases holds a text. */
const IS_STORED = `async (wanted) => {
  const settle = (request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  for (const { name } of await indexedDB.databases()) {
    const database = await settle(indexedDB.open(name));
    try {
      for (const store of database.objectStoreNames) {
        const values = await settle(database.transaction(store).objectStore(store).getAll());
        if (JSON.stringify(values).includes(wanted)) return true;
      }
    } finally {
      database.close();
    }
  }
  return false;
}`;

/** Wait until the browser has stored a text of the extension's global state: the workbench writes it some time later. */
export async function waitUntilStored(page: Page, text: string): Promise<void> {
  await waitUntil(`"${text}" is stored`, () => page.evaluate<boolean>(`(${IS_STORED})(${JSON.stringify(text)})`));
}

function quickInput(page: Page): Locator {
  return page.locator(".quick-input-widget:visible");
}

/** The rows of the open pick list: each the text of one entry with its description. */
export async function pickRows(page: Page): Promise<string[]> {
  const rows = quickInput(page).locator(".quick-input-list .monaco-list-row");
  return (await rows.allInnerTexts()).map(oneLine);
}

function oneLine(text: string): string {
  // VS Code sets non-breaking spaces in terminals and labels.
  return text.replace(/[\s\u00a0]+/g, " ").trim();
}

/**
 * Open the command palette and type into it. A key that is pressed while the last palette is still closing is lost, and a
 * workbench that changes (trust was given, extensions start) closes one that is open: then once more.
 */
async function searchCommands(page: Page, search: string): Promise<void> {
  const input = quickInput(page).locator("input");
  const moment = { timeout: KEY_LIMIT_MS };
  await waitUntil(
    `the palette takes "${search}"`,
    () =>
      unlessLate(async () => {
        if (!(await input.isVisible())) await page.keyboard.press("F1");
        await input.waitFor(moment);
        await input.fill(`>${search}`, moment);
        return (await input.inputValue(moment)) === `>${search}`;
      }),
    STEP_LIMIT_MS,
  );
}

/** What the command palette offers for a search. */
export async function commandTitles(page: Page, search: string): Promise<string[]> {
  await searchCommands(page, search);
  await waitUntil("the palette has searched", async () => (await pickRows(page)).length > 0);
  const rows = await pickRows(page);
  await page.keyboard.press("Escape");
  return rows;
}

/** Open the command palette and run the command with exactly this title ("Category: Title"). */
export async function runCommand(page: Page, title: string): Promise<void> {
  const matches = (text: string): boolean => text === title || text.startsWith(`${title} `);
  // An open palette does not learn of commands that come later: close it and look again.
  await waitUntil(
    `"${title}" is offered`,
    async () => {
      await searchCommands(page, title);
      const end = Date.now() + KEY_LIMIT_MS;
      while (Date.now() < end) {
        if ((await pickRows(page)).some(matches)) return true;
        await page.waitForTimeout(50);
      }
      await page.keyboard.press("Escape");
      return false;
    },
    STEP_LIMIT_MS,
  );
  await clickEntry(page, matches, title);
}

/** Wait until the open pick list has an entry whose text contains this; it may be further down than one sees. */
export async function waitForPick(page: Page, text: string): Promise<void> {
  await waitUntil(`a list is there with "${text}"`, async () => (await pickRows(page)).length > 0);
  const input = quickInput(page).locator("input");
  await input.fill(text);
  await waitUntil(`"${text}" is in the list`, async () => (await pickRows(page)).some((row) => row.includes(text)));
  await input.fill("");
}

/** Choose the first entry of the open pick list whose text contains this. */
export async function pickItem(page: Page, text: string): Promise<void> {
  // A long list has only the rows in the page that fit its window: narrow it down.
  await waitUntil(`a list is there to pick "${text}" from`, async () => (await pickRows(page)).length > 0);
  await quickInput(page).locator("input").fill(text);
  await clickEntry(page, (row) => row.includes(text), text);
}

/** Press a button of the entry of the open pick list whose text contains this. */
export async function clickPickButton(page: Page, text: string, label: string): Promise<void> {
  const row = quickInput(page).locator(".quick-input-list .monaco-list-row", { hasText: text });
  await row.hover();
  await row.locator(`.action-label[aria-label^="${label}"]`).click();
}

/**
 * Run a task of tasks.json from the palette, as "Tasks: Run Task" offers it. A workbench that is still being restored
 * takes the focus to the editor, which closes the list: then once more.
 */
export async function runTask(page: Page, label: string): Promise<void> {
  const moment = { timeout: KEY_LIMIT_MS };
  const input = quickInput(page).locator('input[placeholder^="Select the task to run"]');
  const rows = quickInput(page).locator(".quick-input-list .monaco-list-row");
  await waitUntil(
    `the task "${label}" is picked`,
    async () => {
      await runCommand(page, "Tasks: Run Task");
      return unlessLate(async () => {
        await input.waitFor({ timeout: AGAIN_AFTER_MS });
        await input.fill(label, moment);
        const index = (): Promise<number> =>
          pickRows(page).then((texts) => texts.findIndex((text) => text.includes(label)));
        if (!(await soon(page, async () => (await index()) >= 0))) return false;
        await rows.nth(await index()).click(moment);
        return true;
      });
    },
    RESTORE_LIMIT_MS,
  );
  await input.waitFor({ state: "hidden" });
}

async function clickEntry(page: Page, matches: (text: string) => boolean, wanted: string): Promise<void> {
  const rows = quickInput(page).locator(".quick-input-list .monaco-list-row");
  let seen: string[] = [];
  const index = await waitUntil(
    `"${wanted}" can be picked`,
    async () => {
      seen = await pickRows(page);
      const found = seen.findIndex(matches);
      return found < 0 ? undefined : { found };
    },
    STEP_LIMIT_MS,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)} The list shows: ${seen.join(" | ") || "nothing"}`);
  });
  // The highlighted pieces of a label are not always clickable in their middle; the row itself is.
  await rows.nth(index.found).click();
}

/** Show the view container of this extension in the side bar. */
export async function openSandboxes(page: Page): Promise<void> {
  const title = page.locator(".sidebar .composite.title").getByText(VIEW_CONTAINER, { exact: true });
  if (await title.isVisible()) return;
  // Forced: the badge with the number of sandboxes lies over the icon.
  await page.locator(`.activitybar .action-item [aria-label^="${VIEW_CONTAINER}"]`).first().click({ force: true });
  await title.waitFor();
}

function rowLocator(page: Page): Locator {
  return page.locator(".sidebar .monaco-list-row");
}

/** Rows of the trees in the side bar, as one reads them: label and description. */
export async function treeRows(page: Page): Promise<string[]> {
  return (await rowLocator(page).allInnerTexts()).map(oneLine);
}

/** Wait for a tree row that matches; returns its text. */
export async function waitForRow(page: Page, expected: RegExp): Promise<string> {
  let rows: string[] = [];
  return waitUntil(`the tree shows ${expected}`, async () => {
    rows = await treeRows(page);
    return rows.find((row) => expected.test(row));
  }).catch((error: unknown) => {
    throw new Error(`${String(error)} It shows: ${rows.join(" | ") || "nothing"}`);
  });
}

async function findRow(page: Page, expected: RegExp): Promise<Locator> {
  await waitForRow(page, expected);
  const index = (await treeRows(page)).findIndex((row) => expected.test(row));
  return rowLocator(page).nth(index);
}

/** Open the children of a tree row, unless they are open. A row may have moved since it was found: then once more. */
export async function expandRow(page: Page, expected: RegExp): Promise<void> {
  const moment = { timeout: KEY_LIMIT_MS };
  await waitUntil(`${expected} is open`, async () => {
    const row = await findRow(page, expected);
    return unlessLate(async () => {
      if ((await row.getAttribute("aria-expanded", moment)) !== "false") return true;
      await row.locator(".monaco-tl-twistie").click(moment);
      return true;
    });
  });
}

/**
 * Point at a tree row and press the button with this label that appears on it. While the tree is read anew, VS Code calls
 * the command without a row, which asks for one then: that is closed, and the button pressed once more.
 */
export async function hoverAndClickInlineAction(
  page: Page,
  expected: RegExp,
  label: string,
  isThere: () => Promise<boolean>,
): Promise<void> {
  await waitUntil(`"${label}" of ${expected} does something`, async () => {
    const row = await findRow(page, expected);
    await row.hover();
    await row.locator(`.actions .action-label[aria-label^="${label}"]`).click();
    const isAsked = (): Promise<boolean> => quickInput(page).isVisible();
    await waitUntil("something comes of it", async () => (await isThere()) || (await isAsked()));
    if (await isThere()) return true;
    await page.keyboard.press("Escape");
    return false;
  });
}

/** Texts of the notifications on the screen. */
export async function notifications(page: Page): Promise<string[]> {
  return (await page.locator(".notifications-toasts .notification-list-item-message").allInnerTexts()).map(oneLine);
}

/** Press a button of the notification whose text contains this, also when it has left the screen for the bell's list. */
export async function notificationButton(page: Page, text: string, label: string): Promise<void> {
  await runCommand(page, "Notifications: Show Notifications");
  const notification = page.locator(".notification-list-item", { hasText: text });
  await notification.hover();
  await notification.getByRole("button", { name: label, exact: true }).click();
}

export { screenshot };
