/**
 * Local (wall) times. Inside the engine a local time is a number: the milliseconds that the same digits would have in
 * UTC ("fake UTC"). It is never an instant: only `resolveLocal` turns it into one. At the border it is text,
 * `YYYY-MM-DDTHH:MM` or `YYYY-MM-DDTHH:MM:SS`.
 */

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** A recurrence may not start before this year: the Gregorian calendar and standard time are not much older. */
export const FIRST_YEAR = 1800;
/** Recurrences and the rules of zones are evaluated to the end of this year. */
export const LAST_YEAR = 2399;
/** The end of the last year, as fake UTC; an instant near it may be compared with it, for the precision does not matter there. */
export const LAST_LOCAL_MS = Date.UTC(LAST_YEAR + 1, 0, 1) - 1;

/** What is left of a local time beyond whole units; never negative, also before 1970. */
export function within(localMs: number, unitMs: number): number {
  return localMs - Math.floor(localMs / unitMs) * unitMs;
}

const LOCAL_TIME = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2}))?$/;
const LOCAL_DATE = /^(\d{4})-(\d{2})-(\d{2})$/;

/** Fake UTC milliseconds of the fields, or null when there is no such date or time (30 February, 24:00). Years 1 to 9999. */
export function localFromFields(year: number, month: number, day: number, hour = 0, minute = 0, second = 0): number | null {
  if (year < 1 || hour > 23 || minute > 59 || second > 59) return null;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  return date.getTime() + hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS;
}

/** Reads `YYYY-MM-DDTHH:MM[:SS]` strictly: no zone, no fraction, no other form. Null when the text is anything else. */
export function parseLocal(text: string): number | null {
  const match = LOCAL_TIME.exec(text);
  if (match === null) return null;
  const [, year, month, day, hour, minute, second] = match;
  return localFromFields(Number(year), Number(month), Number(day), Number(hour), Number(minute), Number(second ?? "0"));
}

/** Reads `YYYY-MM-DD` strictly, as midnight in fake UTC. */
export function parseLocalDate(text: string): number | null {
  const match = LOCAL_DATE.exec(text);
  return match === null ? null : localFromFields(Number(match[1]), Number(match[2]), Number(match[3]));
}

/** Writes `YYYY-MM-DDTHH:MM`, with `:SS` only when the seconds are not zero. */
export function formatLocal(localMs: number): string {
  const text = new Date(localMs).toISOString();
  return localMs % MINUTE_MS === 0 ? text.slice(0, 16) : text.slice(0, 19);
}

/** The time of day alone, `HH:MM` or `HH:MM:SS`, as notes and messages show it. */
export function formatTimeOfDay(localMs: number): string {
  return formatLocal(localMs).slice(11);
}
