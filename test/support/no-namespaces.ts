// A machine that refuses namespaces: for real, by the limit that user_namespaces(7) tells of, set in a user namespace of
// the test's own. Whoever runs in it is who he is outside, without any capability.

import { spawnSync } from "node:child_process";

const SCRIPT =
  'echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --ambient-caps=-all --inh-caps=-all --bounding-set=-all -- "$@"';

const UNSHARE = ["unshare", "--user", "--map-current-user", "--keep-caps"];

/** Whether this machine refuses them without our doing. */
const isRefused = spawnSync("unshare", ["--user", "true"], { stdio: "ignore" }).status !== 0;

/** The command line that runs another one where namespaces are refused. */
export function withoutNamespaces(command: readonly string[]): string[] {
  return isRefused ? [...command] : [...UNSHARE, "sh", "-c", SCRIPT, "sh", ...command];
}
