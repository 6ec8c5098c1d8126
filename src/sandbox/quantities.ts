// Durations and sizes as people write them: "10m", "1h30m", "2G".

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const BYTES: Readonly<Record<string, number>> = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/**
 * "500ms", "90s", "10m", "1h30m", "1.5h".
 * @returns milliseconds, more than 0; undefined when the text is no duration
 */
export function parseDuration(text: string): number | undefined {
  const parts = [...text.trim().matchAll(/(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*/gy)];
  if (parts.length === 0 || parts.reduce((length, part) => length + part[0].length, 0) !== text.trim().length) {
    return undefined;
  }
  const total = parts.reduce((sum, part) => sum + Number(part[1]) * (MILLISECONDS[part[2] ?? ""] ?? 0), 0);
  // setTimeout and RLIMIT_CPU take no more than fits 31 bits of milliseconds and a year is no limit anyway.
  return total >= 1 && total <= 2 ** 31 - 1 ? Math.round(total) : undefined;
}

/**
 * "4096", "512K", "1.5M", "2G", "2GiB": powers of 1024.
 * @returns bytes, whole and not negative; undefined when the text is no size
 */
export function parseSize(text: string): number | undefined {
  const parts = /^(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?$/i.exec(text.trim());
  if (!parts) {
    return undefined;
  }
  const bytes = Math.round(Number(parts[1]) * (BYTES[(parts[2] ?? "").toUpperCase()] ?? 1));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
