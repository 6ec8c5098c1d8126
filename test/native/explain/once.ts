// Run under strace: prints what explain() says of one of the option sets, then spawns it once.

import { commandOf, optionSets } from "../faults/option-sets";
import { attempt, joining } from "../faults/run-set";
import { api } from "../spawner-world";

async function main(): Promise<void> {
  const chosen = optionSets()[process.argv[2] ?? ""];
  if (chosen === undefined) throw new Error("No such set of options.");
  const holder = chosen.joins === undefined ? undefined : await api.holdNamespaces({ sys: chosen.joins });
  const set = joining(chosen, holder?.pidfd ?? -1);
  console.log(JSON.stringify(api.explain(commandOf(set), [], set.options)));
  await attempt(set);
  await holder?.release();
}

void main();
