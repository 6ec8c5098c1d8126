// spawn(): validate, compile, hand over to the addon, and wrap what comes back.

import * as os from "node:os";
import {
  type Addon,
  addon,
  type NativeAnswers,
  type NativeChild,
  type NativeExit,
  type NativeFailure,
  type NativeRequest,
  STDIO,
} from "./addon";
import { type Caller, currentCaller } from "./caller";
import { encode } from "./encode";
import { hangError, OptionsError, SpawnError, spawnError, systemError } from "./errors";
import { allSteps, compile, type Ending, type Plan } from "./plan";
import { SpawnedProcess } from "./process";
import { compileFilter } from "./seccomp/compile";
import { listen } from "./seccomp/listen";
import { stdioEntries } from "./session-steps";
import type { Checked } from "./shape";
import type { Process, SpawnOptions, StdioEntry, Step } from "./types";
import { checkCommand, checkOptions } from "./validate";

function nativeStdio(entry: StdioEntry, index: number): number {
  if (entry === "pipe") return STDIO.pipe;
  if (entry === "ignore") return STDIO.null;
  if (entry === "inherit") return index;
  return entry ?? STDIO.closed;
}

function nativeRequest(native: Addon, plan: Plan, options: SpawnOptions): NativeRequest {
  const first = plan.parent.length;
  const answers = answersOf(options);
  return {
    plan: encode(native, plan.child, first),
    ...(plan.helper === undefined ? {} : { helperPlan: encode(native, plan.helper.steps, first + plan.child.length) }),
    helperSetsUp: plan.helper?.setsUp === true,
    cloneFlags: plan.cloneFlags,
    cgroupFd: options.sys?.cgroupFD ?? -1,
    terminal: options.terminal !== undefined,
    ...(plan.maps === undefined ? {} : { maps: plan.maps }),
    stdio: stdioEntries(options).map(nativeStdio),
    extraFds: [...plan.extraFds],
    trace: options.sys?.ptrace === true,
    ...(answers === undefined ? {} : { answers }),
  };
}

/** How refused calls are answered, when somebody is to be told of them and the filter lets that be done. */
function answersOf({ sys, onDenied }: SpawnOptions): NativeAnswers | undefined {
  return sys?.seccomp === undefined || onDenied === undefined ? undefined : compileFilter(sys.seccomp).telling?.answers;
}

/** The value, or the error that says what is wrong. */
function sound<T>(checked: Checked<T>): T {
  if (checked.problems !== undefined) throw new OptionsError(checked.problems);
  return checked.value;
}

/** The plan, or what libseccomp has against a filter that the rules had nothing against. */
function planFor(ending: Ending, options: SpawnOptions, caller: Caller): Plan {
  try {
    return compile(ending, options, caller);
  } catch (error) {
    const failed = systemError(error);
    if (!(failed instanceof SpawnError)) throw error;
    const long = "the program that it makes is longer than the kernel takes (BPF_MAXINSNS, 4096 instructions)";
    const message = failed.code === "E2BIG" ? long : `libseccomp can't compile it: ${failed.message}`;
    throw new OptionsError([{ path: "sys.seccomp", message }]);
  }
}

/** Runs a plan; shared by spawn(), probe() and holdNamespaces(). */
export async function launch(ending: Ending, unchecked: SpawnOptions): Promise<SpawnedProcess> {
  const caller = currentCaller();
  const options = sound(checkOptions(unchecked, caller));
  const { signal, timeout = 0, killSignal = "SIGKILL" } = options;
  signal?.throwIfAborted();

  const native = addon();
  const plan = planFor(ending, options, caller);
  const request = nativeRequest(native, plan, options);
  let expired = false;
  let ended: (exit: NativeExit) => void = () => {};
  const exit = new Promise<NativeExit>((resolve) => {
    ended = resolve;
  });
  const result = await new Promise<NativeFailure | NativeChild>((resolve) => {
    // While the child sets itself up there is no Process yet; a hang in there must still be ended.
    const stop = (): void => native.cancel(under);
    const expire = (): void => {
      expired = true;
      stop();
    };
    const timer = timeout > 0 ? setTimeout(expire, timeout) : undefined;
    const told = (outcome: NativeFailure | NativeChild): void => {
      signal?.removeEventListener("abort", stop);
      clearTimeout(timer);
      resolve(outcome);
    };
    const under = native.spawn(request, told, ended);
    signal?.addEventListener("abort", stop, { once: true });
  });
  if ("errno" in result) {
    signal?.throwIfAborted();
    throw expired && result.errno === os.constants.errno.ECANCELED
      ? hangError(plan, result, timeout)
      : spawnError(native, plan, result);
  }
  const child = new SpawnedProcess(result, exit, options.sys?.subreaper === true);
  if (options.onDenied !== undefined && result.denials !== undefined) {
    listen(native, result.denials, options.onDenied, child.exited);
  }
  if (timeout > 0) {
    const timer = setTimeout(() => child.send(killSignal, false, "timeout"), timeout);
    void child.exited.then(() => clearTimeout(timer));
  }
  if (signal !== undefined) {
    const abort = (): void => void child.send(killSignal, false, "killed");
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    void child.exited.then(() => signal.removeEventListener("abort", abort));
  }
  return child;
}

/**
 * Starts a process. Resolves once execve(2) has succeeded.
 * @param file looked up on the child's PATH, inside its root, unless it has a slash
 * @throws OptionsError before anything runs; SpawnError naming the step that failed, with nothing left behind; the
 * AbortSignal's reason
 */
export async function spawn(file: string, args: readonly string[] = [], options: SpawnOptions = {}): Promise<Process> {
  return launch(sound(checkCommand(file, args)), options);
}

/**
 * The plan that spawn() would run, step by step. Nothing is run.
 * @throws OptionsError
 */
export function explain(file: string, args: readonly string[] = [], options: SpawnOptions = {}): Step[] {
  const caller = currentCaller();
  const [command, checked] = [checkCommand(file, args), checkOptions(options, caller)];
  const problems = [...(command.problems ?? []), ...(checked.problems ?? [])];
  if (command.problems !== undefined || checked.problems !== undefined) throw new OptionsError(problems);
  return allSteps(planFor(command.value, checked.value, caller)).map(({ name, detail }) => ({ name, detail }));
}
