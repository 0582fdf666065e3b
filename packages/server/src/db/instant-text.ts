const INSTANT = /^(\d{4,6})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?( BC)?$/;
/** What nearly every instant looks like: whole milliseconds in UTC. The calendar of ISO 8601 in JavaScript is the same. */
const USUAL = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,3})?\+00$/;

const LATEST_YEAR = 9999;

/**
 * Reads PostgreSQL's text of a timestamptz (DateStyle ISO) as epoch milliseconds. Microseconds are rounded to the nearest
 * millisecond, as PostgreSQL itself rounds them into a timestamptz(3). `infinity` reads as Infinity.
 */
export function parseInstant(text: string): number {
  if (text === "infinity") return Infinity;
  if (text === "-infinity") return -Infinity;
  // Half the time of the way below, and a page of the API has hundreds of them.
  if (USUAL.test(text)) return Date.parse(`${text.slice(0, 10)}T${text.slice(11, -3)}Z`);
  const found = INSTANT.exec(text);
  if (found === null) throw new TypeError(`"${text}" is not a timestamptz as PostgreSQL writes it with DateStyle ISO.`);
  const part = (index: number): number => Number(found[index] ?? 0);
  const year = found[12] === undefined ? part(1) : 1 - part(1);
  const microseconds = Number((found[7] ?? "").padEnd(6, "0"));
  const offsetSeconds = (part(9) * 3600 + part(10) * 60 + part(11)) * (found[8] === "-" ? -1 : 1);
  // Not Date.UTC: it reads years below 100 as 19xx.
  const date = new Date(0);
  date.setUTCFullYear(year, part(2) - 1, part(3));
  date.setUTCHours(part(4), part(5), part(6));
  return date.getTime() - offsetSeconds * 1000 + Math.round(microseconds / 1000);
}

/**
 * Writes epoch milliseconds (or a Date) as text that PostgreSQL reads as timestamptz. Text passes unchanged.
 *
 * @throws TypeError for NaN, for a fraction of a millisecond, and for what is no time at all
 * @throws RangeError for years outside 1 to 9999
 */
export function formatInstant(value: unknown): string {
  if (typeof value === "string") return value;
  const ms = value instanceof Date ? value.getTime() : value;
  if (ms === Infinity) return "infinity";
  if (ms === -Infinity) return "-infinity";
  if (typeof ms !== "number" || !Number.isInteger(ms)) {
    throw new TypeError(`An instant is a whole number of milliseconds since 1970 or a Date; found ${String(value)}.`);
  }
  const date = new Date(ms);
  const year = date.getUTCFullYear();
  if (!(year >= 1 && year <= LATEST_YEAR)) throw new RangeError(`${ms} ms is outside the years 1 to ${LATEST_YEAR}.`);
  return date.toISOString();
}
