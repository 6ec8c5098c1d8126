// How a sandbox is started: look at the machine, compile the profile, spawn. Nothing is run when any of the three says no.

import { type DeniedCall, OptionsError, type SpawnOptions, spawn } from "../spawner";
import { agreedFacts, type Making } from "./agreed-facts";
import { AloneWorld, blockerOf, withHint } from "./alone";
import { makeCgroup, type SandboxCgroup } from "./cgroups";
import { compile } from "./compile";
import { DenialLog } from "./denials";
import { ProfileError } from "./errors";
import type { HostFacts } from "./host";
import { resolveProfile } from "./profiles";
import { RunningSandbox, type Started } from "./running";
import type { ProfileRef, ResolvedProfile } from "./schema";
import { toldDenials } from "./seccomp/told";
import type { Consent, RunContext, Sandbox, SandboxCommand } from "./types";

/** What is wrong in a user's own filter shows only when it meets this machine's system calls: then it is his profile's. */
function ofProfile(error: unknown, { seccomp }: ResolvedProfile, { sys }: SpawnOptions): unknown {
  if (!(error instanceof OptionsError)) return error;
  // One that extends the default filter stands behind the default's rules.
  const own = typeof seccomp === "object" ? (seccomp.syscalls ?? []).length : 0;
  const before = (sys?.seccomp?.syscalls ?? []).length - own;
  const problems = error.problems.map(({ path, message }) => ({
    path: path.replace(/^sys\./, "").replace(/\[(\d+)\]/, (_, index) => `[${Number(index) - before}]`),
    message,
  }));
  const [first, ...rest] = problems;
  return first !== undefined && problems.every(({ path }) => path.startsWith("seccomp"))
    ? new ProfileError([first, ...rest])
    : error;
}

/**
 * Runs a command in a sandbox. Resolves once the command's execve(2) succeeded.
 * @param own the user's profiles (setting `sandbox.profiles`)
 * @param consent asked before anything is made; what it throws is thrown
 * @throws ProfileError, SandboxError, OptionsError, SpawnError; then nothing runs and nothing is left behind
 */
export async function run(
  command: SandboxCommand,
  profile: ProfileRef,
  context: RunContext,
  own: Readonly<Record<string, unknown>> = {},
  consent?: Consent,
): Promise<Sandbox> {
  return make(command, profile, context, { own, consent, isTrial: false });
}

/** The same, for a command that is of no use but to see whether it runs. */
export async function tryOut(
  command: SandboxCommand,
  profile: ProfileRef,
  context: RunContext,
  own: Readonly<Record<string, unknown>>,
): Promise<Sandbox> {
  return make(command, profile, context, { own, consent: undefined, isTrial: true });
}

async function make(
  command: SandboxCommand,
  profile: ProfileRef,
  context: RunContext,
  making: Making,
): Promise<Sandbox> {
  const resolved = resolveProfile(profile, making.own);
  const facts = await agreedFacts(command, resolved, context, making);
  const cgroup = await makeCgroup(resolved.limits);
  try {
    const whole = cgroup === undefined ? facts : { ...facts, cgroup: cgroup.fd };
    const started = await inNamespaces(command, resolved, context, whole, cgroup).catch((error: unknown) =>
      orAlone(error, command, resolved, whole, cgroup),
    );
    return new RunningSandbox(started, command, resolved);
  } catch (error) {
    await cgroup?.remove();
    throw error;
  }
}

async function inNamespaces(
  command: SandboxCommand,
  profile: ResolvedProfile,
  context: RunContext,
  facts: HostFacts,
  cgroup: SandboxCgroup | undefined,
): Promise<Started> {
  const log = new DenialLog();
  const onDenied = (calls: readonly DeniedCall[]): void => log.add(toldDenials(calls, profile.seccomp));
  const options = { ...compile(command, profile, context, facts), onDenied };
  const process = await spawn(command.file, command.args ?? [], options).catch((error: unknown) => {
    throw ofProfile(error, profile, options);
  });
  return { process, options, facts, log, cgroup };
}

/** Landlock alone, where it is namespaces that are refused and the profile allows that; else the error. */
async function orAlone(
  error: unknown,
  command: SandboxCommand,
  profile: ResolvedProfile,
  facts: HostFacts,
  cgroup: SandboxCgroup | undefined,
): Promise<Started> {
  const blocker = blockerOf(error);
  if (blocker === undefined) throw error;
  if (profile.fallback !== "landlock") throw withHint(error);
  const alone = await AloneWorld.make(profile, facts, blocker);
  try {
    const log = new DenialLog();
    const onDenied = (calls: readonly DeniedCall[]): void => log.add(toldDenials(calls, profile.seccomp, true));
    const options = { ...alone.compile(command), onDenied };
    const process = await spawn(command.file, command.args ?? [], options).catch((failed: unknown) => {
      throw ofProfile(failed, profile, options);
    });
    return { process, options, facts, log, cgroup, alone };
  } catch (failed) {
    await alone.remove();
    throw failed;
  }
}
