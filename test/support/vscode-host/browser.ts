// Opens a page of VS Code in Debian's Chromium, headless, with no way out to the network.

import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { makeTemp, removeTemp } from "../temp";
import { TEST_RESULTS } from "./paths";
import type { VsCodeServer } from "./server";

const OPEN_LIMIT_MS = 90_000;

const FLAGS = [
  // Chromium refuses to sandbox itself as root, and containers often refuse it its namespaces. The only page it sees
  // is ours.
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
  // No name resolves: what the workbench would fetch from outside fails at once, in every run alike.
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

function chromiumPath(): string {
  for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
    try {
      return execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
    } catch {
      // Not under this name.
    }
  }
  throw new Error("No Chromium here. As root: apt-get install -y --no-install-recommends chromium fonts-dejavu-core");
}

export interface WorkbenchPage {
  readonly page: Page;
  close(): Promise<void>;
}

/** Chromium with a profile, a cache and a crash folder that go when it is closed. */
async function launch(): Promise<{ browser: Browser; close(): Promise<void> }> {
  const home = makeTemp("browser");
  const env: Record<string, string> = { HOME: home, TMPDIR: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home };
  for (const name of ["PATH", "LANG", "TZ"]) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  try {
    const browser = await chromium.launch({ executablePath: chromiumPath(), args: FLAGS, headless: true, env });
    const close = async (): Promise<void> => {
      await browser.close();
      removeTemp(home);
    };
    return { browser, close };
  } catch (error) {
    removeTemp(home);
    throw error;
  }
}

/** Save a picture of the page below test-results; returns its path. */
export async function screenshot(page: Page, name: string): Promise<string> {
  const file = path.join(TEST_RESULTS, "screenshots", `${name}.png`);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  await page.screenshot({ path: file });
  return file;
}

/**
 * Open an address of the server and wait for the workbench. The health check answers long before that.
 * @param prepare runs before the page loads, to expose functions to it
 * @throws Error with the end of the server's output; a picture of the page is in test-results then
 */
export async function openPage(
  server: VsCodeServer,
  address: string,
  prepare?: (page: Page) => Promise<void>,
): Promise<WorkbenchPage> {
  const { browser, close } = await launch();
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  try {
    await prepare?.(page);
    await page.goto(address, { timeout: OPEN_LIMIT_MS });
    await page.locator(".monaco-workbench").waitFor({ timeout: OPEN_LIMIT_MS });
    return { page, close };
  } catch (error) {
    const picture = await screenshot(page, "workbench-did-not-open").catch(() => "none");
    await close();
    throw new Error(
      `The workbench did not open at ${address} (picture: ${picture}).\n${server.output().slice(-2000)}`,
      {
        cause: error,
      },
    );
  }
}
