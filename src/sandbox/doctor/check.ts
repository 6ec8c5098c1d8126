// The check itself: every feature is tried, then a sandbox of every profile is made, which is the only proof.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { probe, SpawnError } from "../../spawner";
import { FEATURES } from "../../spawner/features";
import type { Feature } from "../../spawner/types";
import { tryAlone } from "../alone";
import { SandboxError } from "../errors";
import { profileNames } from "../profiles";
import { tryOut } from "../sandbox";
import { readFacts } from "./facts";
import { thisMachine } from "./machine";
import { probeCgroups } from "./probe-cgroups";
import { makeReport, type ProfileResult, type Report } from "./report";

export interface CheckOptions {
  /** The user's profiles (setting `sandbox.profiles`), which are tried too. */
  readonly profiles?: Readonly<Record<string, unknown>>;
  /** Without what may ask systemd for a cgroup, which moves this process into it: nobody asked for a check. */
  readonly unasked?: boolean;
  /** Told what was tried, and how far it is: from 0 to 1. */
  readonly onProgress?: (what: string, done: number) => void;
}

async function tryProfile(
  profile: string,
  workspace: string,
  own: Readonly<Record<string, unknown>>,
): Promise<ProfileResult> {
  try {
    const sandbox = await tryOut({ file: "sh", args: ["-c", ":"], stdio: "ignore" }, profile, { workspace }, own);
    const {
      status: { code, signal },
    } = await sandbox.ended;
    if (code === 0) return { profile, runs: true };
    return { profile, runs: false, reason: `a shell that does nothing ended with ${signal ?? `code ${code}`}` };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const feature = error instanceof SpawnError || error instanceof SandboxError ? error.feature : undefined;
    return { profile, runs: false, reason, ...(feature === undefined ? {} : { feature }) };
  }
}

/**
 * Tries all that sandboxes need. Takes a tenth of a second or so, and leaves nothing behind.
 * @throws Error where the addon can't be loaded
 */
export async function checkSystem({
  profiles = {},
  unasked = false,
  onProgress = () => {},
}: CheckOptions = {}): Promise<Report> {
  const names = profileNames(profiles);
  const all = FEATURES.length + names.length;
  let done = 0;
  const tried = ({ feature }: Feature): void => onProgress(feature, ++done / all);
  const features = [...(await probe(tried)), ...(unasked ? [] : await probeCgroups(tried))];
  const workspace = await mkdtemp(join(tmpdir(), "sandbox-check-"));
  try {
    const results: ProfileResult[] = [];
    for (const name of names) {
      results.push(await tryProfile(name, workspace, profiles));
      onProgress(name, ++done / all);
    }
    const fallback = await tryAlone({ workspace });
    return makeReport(readFacts(thisMachine()), features, results, fallback);
  } finally {
    await rm(workspace, { recursive: true, force: true });
  }
}
