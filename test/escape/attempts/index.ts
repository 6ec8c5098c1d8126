// All attempts, in the order of the table.

import type { Attempt } from "../attempt";
import { devices } from "./devices";
import { files } from "./files";
import { kernel } from "./kernel";
import { namespaces } from "./namespaces";
import { privileges } from "./privileges";
import { processes } from "./processes";
import { secrets } from "./secrets";
import { sockets } from "./sockets";
import { survivors } from "./survivors";
import { terminal } from "./terminal";
import { workspace } from "./workspace";

export const ATTEMPTS: readonly Attempt[] = [
  ...files,
  ...secrets,
  ...sockets,
  ...processes,
  ...terminal,
  ...devices,
  ...kernel,
  ...namespaces,
  ...privileges,
  ...survivors,
  ...workspace,
];
