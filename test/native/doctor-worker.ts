// Runs where a test has taken something away: checks the system as its user would, and prints as JSON what the doctor says
// and how a spawn that needs it all fails. Arguments are knobs of /proc/sys/user to set to 0 first.

import { writeFileSync } from "node:fs";
import { api, inNamespaces } from "./spawner-world";

export interface Examination {
  readonly report: Awaited<ReturnType<typeof api.sandbox.doctor.checkSystem>>;
  readonly text: string;
  /** Feature that the error names; undefined when nothing failed. */
  readonly lacks: string | undefined;
}

async function examine(): Promise<Examination> {
  for (const knob of process.argv.slice(2)) writeFileSync(`/proc/sys/user/${knob}`, "0");
  const report = await api.sandbox.doctor.checkSystem();
  const options = inNamespaces(["CLONE_NEWNS", "CLONE_NEWPID", "CLONE_NEWNET"], {
    rootfs: { path: "/", readonly: true },
    mounts: [{ destination: "/proc", type: "proc" }],
  });
  const error: unknown = await api.spawn("true", [], options).then(
    async (child) => void (await child.exited),
    (thrown: unknown) => thrown,
  );
  const lacks = error instanceof api.SpawnError ? error.feature : undefined;
  return { report, text: api.sandbox.doctor.reportText(report), lacks };
}

examine().then(
  (examination) => process.stdout.write(JSON.stringify(examination)),
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
