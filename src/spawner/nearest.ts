// What somebody probably meant by a name that does not exist.

import { closest, distance } from "fastest-levenshtein";

/** ' (did you mean "pids"?)', when there is something near. */
export function suggestion(word: string, known: readonly string[]): string {
  if (known.length === 0) return "";
  const nearest = closest(word, [...known]);
  return distance(word, nearest) <= Math.max(2, word.length / 3) ? ` (did you mean ${JSON.stringify(nearest)}?)` : "";
}
