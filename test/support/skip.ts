// Skipping with a reason: mocha has no place for one, so it goes into the title, where the list and the report show it.

/**
 * Skip the test (or, called in a before hook, every test of the suite) and say why.
 * @param reason what this machine lacks, in words
 */
export function skipBecause(context: Mocha.Context, reason: string): never {
  const runnable = context.runnable();
  const note = ` [skipped: ${reason}]`;
  if ("type" in runnable && runnable.type === "hook" && runnable.parent !== undefined) runnable.parent.title += note;
  else runnable.title += note;
  context.skip();
}
