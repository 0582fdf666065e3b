/** The longest delay that a system can ask for by a header, in milliseconds. */
export const MAX_RETRY_AFTER_MS = 3_600_000;

const HEADERS = ["retry-after", "ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset"];

/**
 * How long the system asks us to wait, in milliseconds from `now`, between 0 and {@link MAX_RETRY_AFTER_MS}; undefined if it
 * does not say. Retry-After wins; it and the others come as delta seconds, as epoch in seconds, milliseconds or microseconds,
 * as an HTTP date or as ISO 8601.
 */
export function retryAfterMs(headers: Headers, now: Date): number | undefined {
  for (const name of HEADERS) {
    const value = headers.get(name)?.trim();
    if (value === undefined || value === "") continue;
    const delayMs = delayOf(value, now.getTime());
    if (delayMs !== undefined) return Math.min(Math.max(Math.round(delayMs), 0), MAX_RETRY_AFTER_MS);
  }
  return undefined;
}

function delayOf(value: string, nowMs: number): number | undefined {
  if (/^\d+(?:\.\d+)?$/u.test(value)) {
    const number = Number(value);
    if (number > 1e14) return number / 1000 - nowMs;
    if (number > 1e11) return number - nowMs;
    if (number > 1e8) return number * 1000 - nowMs;
    return number * 1000;
  }
  const instant = Date.parse(value);
  return Number.isNaN(instant) ? undefined : instant - nowMs;
}
