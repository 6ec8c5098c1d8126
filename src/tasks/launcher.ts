// The one way from the editor to a running sandbox, for tasks and for terminals: checks trust, platform, folder and
// profile, runs the command through the registry, and says in the terminal, the log and (once) a notification what
// went wrong.

import { setTimeout as delay } from "node:timers/promises";
import * as vscode from "vscode";
import { readSetting, Setting } from "../contributions";
import { t } from "../l10n";
import {
  describeProfile,
  ProfileError,
  type ProfileRef,
  type ResolvedProfile,
  resolveProfile,
  type SandboxRegistry,
  withEnvironment,
} from "../sandbox";
import type { Sandbox } from "../sandbox/types";
import type { Process } from "../spawner/types";
import type { DenialLinks } from "./denialLinks";
import { denialText } from "./denialText";
import { describeFailure, failureText, RefusedError } from "./failure";
import { type Gate, NotAllowedError } from "./gate";
import type { FailureNotifier } from "./notifier";
import type { Matcher } from "./problemMatcher";
import type { TaskProblems } from "./problems";
import type { PreparedProgram, Program, SessionOptions } from "./session";
import type { TerminalLinks } from "./terminalLinks";
import { closingText, landlockText, openingText } from "./words";

export interface LaunchRequest {
  /** Name in the tree. */
  readonly name: string;
  /** The folder that the sandbox works in. */
  readonly folder: vscode.WorkspaceFolder;
  readonly file: string;
  readonly args: readonly string[];
  /** The command as the user knows it. */
  readonly display: string;
  readonly cwd: string;
  /** Variables that the task sets, beyond those that the profile lets through. */
  readonly env: Readonly<Record<string, string>>;
  /** Default: the setting. */
  readonly profile: ProfileRef | undefined;
  /** The user chose the profile for this very run: it is not what a repository asks for. */
  readonly profileIsChosen?: boolean;
  readonly warnings: readonly string[];
  /** Applied to the output, beyond those that VS Code applies. */
  readonly matchers?: readonly Matcher[];
}

export interface LaunchOptions {
  /** Name for messages, before the request is known to be good. */
  readonly name: string;
  /** Makes the request; what it throws is shown as a failure. */
  request(): LaunchRequest;
  /** The terminal it runs in, when it is asked for later. */
  findTerminal(): vscode.Terminal | undefined;
  /** Set for terminals that vanish with their program. */
  readonly waitForKey?: string;
}

/** What the sandbox's programs may believe of the terminal: it is xterm.js. */
const TERMINAL_ENVIRONMENT = { TERM: "xterm-256color", COLORTERM: "truecolor" } as const;

/** How long the end of a terminal waits for the hints in its last lines. */
const HINTS_LIMIT_MS = 500;

export class Launcher {
  constructor(
    private readonly registry: SandboxRegistry,
    private readonly links: TerminalLinks,
    private readonly notifier: FailureNotifier,
    private readonly problems: TaskProblems,
    private readonly gate: Gate,
    private readonly denialLinks: DenialLinks,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  /** What a terminal session needs to run a sandbox. */
  session(options: LaunchOptions): SessionOptions {
    return {
      prepare: () => this.#prepare(options),
      failure: (error, columns) => this.#failure(options.name, error, columns),
      ...(options.waitForKey === undefined ? {} : { waitForKey: options.waitForKey }),
    };
  }

  /** What a terminal session needs to run a shell in a sandbox that runs already. */
  sessionInside(sandbox: Sandbox, shell: string, waitForKey: string): SessionOptions {
    const name = t("Inside {0}", sandbox.name);
    return {
      prepare: () => {
        checkMayRun();
        return {
          opening: (columns) => openingText(shell, sandbox.profile, t('inside "{0}"', sandbox.name), [], columns),
          start: async (terminal) => {
            const env = { ...process.env, ...TERMINAL_ENVIRONMENT };
            const child = await sandbox.exec({ file: shell, env, terminal });
            this.log.info(`${sandbox.id}: ${shell} joined, pid ${child.pid}`);
            return programOf(child, async () => {
              child.kill("SIGHUP"); // shells do not end by SIGTERM
              const timer = setTimeout(() => child.kill("SIGKILL"), gracePeriod());
              await child.exited;
              clearTimeout(timer);
            });
          },
          closing: (status) => closingText(status),
        };
      },
      failure: (error, columns) => this.#failure(name, error, columns),
      waitForKey,
    };
  }

  #failure(name: string, error: unknown, columns: number): { text: string; code: number } {
    const failure = describeFailure(error);
    this.log.error(`${name}: not started`, error instanceof Error ? error : String(error));
    if (!(error instanceof NotAllowedError)) this.notifier.show(name, failure);
    return { text: failureText(failure, columns), code: failure.code };
  }

  #prepare(options: LaunchOptions): PreparedProgram {
    checkMayRun();
    const request = options.request();
    const own = readSetting(vscode.workspace, Setting.Profiles);
    const ref = request.profile ?? readSetting(vscode.workspace, Setting.DefaultProfile);
    // Resolved here for the words, and so that a misspelt name or key is told before anything is made.
    const resolved = resolveProfile(ref, own);
    const consent = this.gate.consent(request, request.profileIsChosen === true ? resolved : usersProfile(own));
    const { matchers = [] } = request;
    const watch = matchers.length > 0 ? this.problems.watch(request.name, matchers) : undefined;
    let started: Sandbox | undefined;
    let columns = 80;
    let hints = Promise.resolve();
    return {
      opening: (columns) =>
        openingText(request.display, resolved.name, describeProfile(resolved), request.warnings, columns),
      start: async (terminal) => {
        columns = terminal.columns;
        this.log.info(
          `${request.name}: starting under ${resolved.name} in ${request.folder.uri.fsPath}: ${request.display}`,
        );
        const sandbox = await this.registry.run(
          {
            file: request.file,
            args: request.args,
            cwd: request.cwd,
            env: { ...process.env, ...TERMINAL_ENVIRONMENT, ...request.env },
            terminal,
            name: request.name,
          },
          // What a task sets by name is set, whatever the profile lets through of the editor's environment.
          withEnvironment(ref, request.env),
          { workspace: request.folder.uri.fsPath },
          own,
          consent,
        );
        started = sandbox;
        this.notifier.succeeded(options.name);
        this.links.link(sandbox.id, options.findTerminal);
        this.log.info(`${request.name}: runs as ${sandbox.id}, pid ${sandbox.process.pid}`);
        return this.#program(sandbox, columns);
      },
      observe: (text) => {
        watch?.(text);
        if (started) hints = started.observe(text);
      },
      closing: async (status) => {
        const ended = await started?.ended;
        // A path that was printed can lie on a file system that does not answer.
        await Promise.race([hints, delay(HINTS_LIMIT_MS)]);
        const refused = ended && denialText(ended.denials, (denial) => this.denialLinks.add(ended, denial), columns);
        return `${refused ?? ""}${closingText(status, ended?.warnings)}`;
      },
    };
  }

  #program(sandbox: Sandbox, columns: number): Program {
    void sandbox.exited.then(({ code, signal }) => {
      this.log.info(`${sandbox.name}: ${sandbox.id} ended with ${signal ?? `code ${code}`}`);
      this.links.unlink(sandbox.id);
    });
    // The sandbox's own end, which says which limit it was.
    const { process, exited } = sandbox;
    const program = { ...programOf(process, () => sandbox.terminate(gracePeriod())), exited };
    return sandbox.isolation === "landlock" ? { ...program, note: landlockText(columns) } : program;
  }
}

/** A process with a terminal, as a session runs it. */
function programOf({ terminal, exited }: Process, terminate: () => Promise<unknown>): Program {
  if (!terminal) throw new Error("The spawner made no terminal for a process that was asked to have one");
  return {
    output: terminal.output,
    exited,
    write: (data) => terminal.write(data),
    resize: (columns, rows) => terminal.resize(columns, rows),
    terminate,
  };
}

/**
 * The profile that tasks get without asking.
 * @throws ProfileError that names the setting
 */
function usersProfile(own: Readonly<Record<string, unknown>>): ResolvedProfile {
  try {
    return resolveProfile(readSetting(vscode.workspace, Setting.DefaultProfile), own);
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    const [first, ...rest] = error.problems.map((problem) =>
      problem.path === "profile" ? { ...problem, path: Setting.DefaultProfile } : problem,
    );
    throw first === undefined ? error : new ProfileError([first, ...rest]);
  }
}

/** Milliseconds between SIGTERM and SIGKILL. */
export function gracePeriod(): number {
  return Math.max(0, readSetting(vscode.workspace, Setting.KillGracePeriod)) * 1000;
}

/** @throws RefusedError when nothing may run here at all */
export function checkMayRun(): void {
  if (process.platform !== "linux") {
    throw new RefusedError(
      t("Sandboxes are made of Linux namespaces, and this extension host runs on {0}.", process.platform),
      t("Open the folder on a Linux machine: by SSH, in WSL 2, or in a container."),
      "log",
    );
  }
  if (!vscode.workspace.isTrusted) {
    throw new RefusedError(
      t("This workspace is not trusted, so nothing of it is run."),
      t("Trust the workspace first (Workspaces: Manage Workspace Trust)."),
      "trust",
    );
  }
}

/**
 * The folder that a task works in.
 * @throws RefusedError when there is none, or when it can't be told which
 */
export function scopeFolder(scope: vscode.Task["scope"]): vscode.WorkspaceFolder {
  if (scope !== undefined && scope !== vscode.TaskScope.Global && scope !== vscode.TaskScope.Workspace) {
    return scope;
  }
  const folders = vscode.workspace.workspaceFolders ?? [];
  const [only] = folders;
  if (!only) {
    throw new RefusedError(
      t("No folder is open, so there is nothing that the sandbox could work in."),
      t("Open a folder (File: Open Folder...)."),
      "log",
    );
  }
  if (folders.length > 1) {
    throw new RefusedError(
      t("The task belongs to the whole workspace of {0} folders; a sandbox works in one.", folders.length),
      t("Put the task into the .vscode/tasks.json of the folder it works in."),
      "tasks",
    );
  }
  return only;
}
