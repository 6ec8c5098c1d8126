// The escape suite: nothing in ./attempts gets out of a sandbox of ours. An attempt that succeeds nowhere proves
// nothing, so each is first made where it must succeed.

import assert from "node:assert/strict";
import { constants } from "node:os";
import { LIBRARY } from "../support/library";
import { skipBecause } from "../support/skip";
import { ALONE, ARENAS, type ArenaName, isAvailable, OTHERS, OURS } from "./arenas";
import { type Attempt, GROUPS, refusal } from "./attempt";
import { ATTEMPTS } from "./attempts";
import { Ledger } from "./ledger";
import type { Result } from "./run";

/** File that every verdict is written to, with those on others' sandboxes; undefined where no table is wanted. */
const book = process.env.SANDBOX_TASKS_ESCAPE_VERDICTS;

const api: typeof import("../../src/api") = require(LIBRARY);

const isRoot = process.getuid?.() === 0;

/** What the control says of this machine, when it is none. */
function lack(attempt: Attempt, { run }: Result): string | undefined {
  const errno = refusal(run);
  const accepted = ["ENOSYS", ...(attempt.lacking ?? [])] as const;
  const name = accepted.find((one) => constants.errno[one as keyof typeof constants.errno] === errno);
  return name === undefined ? undefined : `without a sandbox it is refused too: ${name}`;
}

const words = ({ verdict, run }: Result): string =>
  `${verdict} (code ${run.code}, signal ${run.signal}): ${run.output.trim()}`;

describe("escape", () => {
  const ledger = new Ledger();
  const tried = ATTEMPTS.filter(
    (attempt) => (isRoot || attempt.root !== "bait") && !(isRoot && attempt.onlyUser === true),
  );

  /** Where it must not succeed. */
  const sandboxes = (attempt: Attempt): ArenaName[] => [
    ...OURS.filter((name) => attempt.only?.includes(name) ?? true).filter(
      (name) => name !== "install" || attempt.network === "kept",
    ),
    ...alone(attempt),
  ];

  /** A workspace that can be written is protected nowhere in it. */
  const alone = ({ notAlone, only, group }: Attempt): ArenaName[] =>
    ALONE.filter(
      (name) => !isRoot && hasLandlock && notAlone === undefined && (name === "alone" || group !== "workspace"),
    ).filter((name) => only === undefined || (name === "alone") === only.includes("strict"));

  let hasLandlock = false;

  before(async () => {
    const landlock = (await api.probe()).find(({ feature }) => feature === "Landlock");
    hasLandlock = /signals/.test(landlock?.detail ?? "");
    const others = book === undefined ? [] : OTHERS.filter(isAvailable);
    for (const attempt of tried) {
      const control = isRoot || attempt.root === undefined ? [attempt.control ?? "outside"] : [];
      ledger.ask(attempt, [...control, ...sandboxes(attempt), ...others]);
    }
  });
  after(() => ledger.write(book));

  for (const group of GROUPS) {
    describe(group, () => {
      for (const attempt of tried.filter((one) => one.group === group)) {
        it(`can't ${attempt.name}`, async function () {
          const control = attempt.control ?? "outside";
          let missing: string | undefined;
          if (isRoot || attempt.root === undefined) {
            const result = await ledger.result(attempt, control);
            missing = result.verdict === "escaped" ? undefined : lack(attempt, result);
            assert.ok(
              result.verdict === "escaped" || missing !== undefined,
              `the control, ${ARENAS[control].name}, proves nothing: ${words(result)}`,
            );
          }
          const results = await Promise.all(
            sandboxes(attempt).map(async (name) => ({ name, result: await ledger.result(attempt, name) })),
          );
          const failed = results.filter(({ result }) => result.verdict !== "held");
          assert.equal(failed.map(({ name, result }) => `${name}: ${words(result)}`).join("\n"), "");
          if (missing !== undefined) skipBecause(this, missing);
        });
      }
    });
  }
});
