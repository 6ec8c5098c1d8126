// Stands in for a desktop VS Code: takes the flags of a desktop test run, runs the suite in the real extension host of
// VS Code in the browser, and exits with the suite's exit code. So @vscode/test-electron stays the way in, on machines
// with a desktop and without.

import * as fs from "node:fs";
import * as path from "node:path";
import type { Page } from "playwright-core";
import { LOG_FILE_VARIABLE } from "../report";
import { openPage, screenshot, type WorkbenchPage } from "./browser";
import { type DesktopFlags, parseDesktopFlags } from "./desktop-flags";
import { startServer, type VsCodeServer } from "./server";

const SUITE_LIMIT_MS = 15 * 60_000;
const TAIL_MS = 250;

/** Lines of the workbench's log that are kept for when a suite fails to run at all. */
const KEPT_LOG_LINES = 200;

/** Address that makes the workbench run an extension test, as a desktop does with --extensionTestsPath. */
function testAddress(server: VsCodeServer, flags: DesktopFlags): string {
  const remote = (file: string): string => `vscode-remote://${server.authority}${path.resolve(file)}`;
  const payload = [
    ["extensionDevelopmentPath", remote(flags.extensionDevelopmentPath)],
    ["extensionTestsPath", remote(flags.extensionTestsPath)],
    ["skipWelcome", "true"],
  ];
  const folder =
    flags.workspace === undefined ? `${server.url}/?` : `${server.folderUrl(path.resolve(flags.workspace))}&`;
  return `${folder}payload=${encodeURIComponent(JSON.stringify(payload))}`;
}

/** Print what the suite's reporter appends to its log file while it runs. Returns what ends it. */
function follow(file: string | undefined): () => void {
  if (file === undefined) return () => {};
  let position = 0;
  const print = (): void => {
    if (!fs.existsSync(file)) return;
    const text = fs.readFileSync(file);
    process.stdout.write(text.subarray(position));
    position = text.length;
  };
  const timer = setInterval(print, TAIL_MS);
  return () => {
    clearInterval(timer);
    print();
  };
}

/** What the page exposes to the workbench: it calls these with the log and with the exit code of the suite. */
async function expose(page: Page, log: string[], exit: (code: number) => void): Promise<void> {
  await page.exposeFunction("codeAutomationLog", (level: string, args: unknown[]) => {
    log.push(`[${level}] ${args.map(String).join(" ")}`);
    if (log.length > KEPT_LOG_LINES) log.shift();
  });
  await page.exposeFunction("codeAutomationExit", (code: number) => exit(code));
}

/** Resolves with the suite's exit code. */
async function runSuite(server: VsCodeServer, flags: DesktopFlags): Promise<number> {
  const log: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  let workbench: WorkbenchPage | undefined;
  const stopFollowing = follow(process.env[LOG_FILE_VARIABLE]);
  try {
    const code = await new Promise<number>((resolve, reject) => {
      timer = setTimeout(
        () => reject(new Error(`The suite did not end within ${SUITE_LIMIT_MS / 60_000} minutes.`)),
        SUITE_LIMIT_MS,
      );
      openPage(server, testAddress(server, flags), (page) => expose(page, log, resolve)).then((opened) => {
        workbench = opened;
        opened.page.on("crash", () => reject(new Error("The browser page crashed.")));
      }, reject);
    });
    if (code !== 0 && workbench !== undefined) await screenshot(workbench.page, "integration-failed");
    return code;
  } catch (error) {
    console.error(`The workbench's last words:\n${log.join("\n")}\n${server.output().slice(-4000)}`);
    throw error;
  } finally {
    clearTimeout(timer);
    stopFollowing();
    await workbench?.close();
  }
}

/** The whole run; the returned number is the exit code of the process. */
export async function main(args: readonly string[]): Promise<number> {
  const flags = parseDesktopFlags(args);
  const server = await startServer({ vsix: flags.vsix, workspaceTrust: !flags.trusted, testDriver: true });
  let interrupted = false;
  const interrupt = (): void => {
    interrupted = true;
    // Without its server the page ends, and the run with it.
    void server.close().then(() => process.exit(130));
  };
  process.once("SIGINT", interrupt);
  process.once("SIGTERM", interrupt);
  try {
    return await runSuite(server, flags);
  } finally {
    if (!interrupted) {
      const left = await server.close();
      for (const { pid, command } of left) console.error(`Left behind by the suite, and killed: ${pid} ${command}`);
    }
  }
}
