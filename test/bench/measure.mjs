// How things are timed: in turn, in a new order each round, so that what else the machine does hits all alike.

/**
 * One measurement of starting something, in microseconds.
 * @typedef {object} Sample
 * @property {number} total from the call until its exit was seen
 * @property {number} [blocked] until the call returned: for so long the event loop could do nothing else
 * @property {number} [busy] all that the event loop did in between
 */

/**
 * @typedef {object} Case
 * @property {string} id
 * @property {string} label
 * @property {() => Promise<Sample>} run
 */

const LIMIT_MS = 30_000;

/** Microseconds on the clock that performance.now() reads. */
export const microseconds = () => performance.now() * 1000;

/**
 * A promise, or an error when it is not settled in half a minute: a benchmark must not hang.
 * @template T
 * @param {string} what
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
export async function within(what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not end within ${LIMIT_MS / 1000} s`)), LIMIT_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Time a call whose promise settles when the exit was seen.
 * @param {string} what
 * @param {() => Promise<number | null>} start its result is the exit code, which must be 0
 * @returns {Promise<Sample>}
 */
export async function timed(what, start) {
  const before = performance.eventLoopUtilization();
  const begin = microseconds();
  const exited = start();
  const blocked = microseconds() - begin;
  const code = await within(what, exited);
  const total = microseconds() - begin;
  const busy = performance.eventLoopUtilization(before).active * 1000;
  if (code !== 0) throw new Error(`${what} ended with ${code ?? "a signal"}`);
  return { total, blocked, busy };
}

/** @template T @param {readonly T[]} list @returns {T[]} */
function shuffled(list) {
  const result = [...list];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [result[i], result[j]] = [result[j], result[i]];
  }
  return result;
}

/**
 * Run each case `runs` times, in turn, after some rounds that do not count.
 * @param {readonly Case[]} cases
 * @param {number} runs
 * @param {number} [warmUp]
 * @returns {Promise<Map<string, Sample[]>>} by id of the case
 */
export async function interleave(cases, runs, warmUp = 5) {
  const samples = new Map(cases.map(({ id }) => [id, []]));
  for (let round = -warmUp; round < runs; round++) {
    for (const { id, run } of shuffled(cases)) {
      const sample = await run();
      if (round >= 0) samples.get(id).push(sample);
    }
  }
  return samples;
}

/**
 * The value below which a part of the values lies; undefined of none.
 * @param {readonly (number | undefined)[]} values
 * @param {number} part 0.5 for the median
 */
export function quantile(values, part) {
  const sorted = values.filter((value) => value !== undefined).sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
}
