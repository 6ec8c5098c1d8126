// Runs under test/native/programs/inject.cc: the spawner's thread cannot be started when the first spawn wants it.

import { constants } from "node:os";
import { program } from "../../support/programs";
import { api, rejection } from "../spawner-world";
import { order } from "./supervisor";

export interface ThreadReport {
  readonly code: string;
  readonly syscall: string;
  readonly step: string;
  readonly remedy: string;
  /** Exit code of the spawn after that. */
  readonly next: number | null;
}

async function main(): Promise<void> {
  const command = program("nothing");
  order("main", "clone3", 1, constants.errno.EAGAIN);
  const { code, syscall, step, remedy = "" } = await rejection(api.spawn(command));
  const child = await api.spawn(command, [], { stdio: "ignore" });
  const report: ThreadReport = { code, syscall, step, remedy, next: (await child.exited).code };
  console.log(JSON.stringify(report));
}

void main();
