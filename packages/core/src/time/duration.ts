import { Duration as IsoDuration } from "luxon";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "./local-time.js";

/** An RFC 5545 duration: days are nominal (a day of 23 or 25 hours counts as one), the rest is exact elapsed time. */
export interface Duration {
  readonly days: number;
  readonly exactMs: number;
}

/** What may stand in a duration, and the most of it. Longer ones are never meant, and numbers stay exact below. */
const MOST = { weeks: 99_999, days: 99_999, hours: 999_999, minutes: 9_999_999, seconds: 99_999_999 } as const;
const MAX_CHARACTERS = 64;
/** luxon also reads what RFC 5545 or this product has no use for: signs, fractions, and designators without a number. */
const SIGN_OR_FRACTION = /[-+.,]/;
const NOTHING_AFTER_DESIGNATOR = /[PT]$/;

function isAllowedUnit(unit: string): unit is keyof typeof MOST {
  return Object.hasOwn(MOST, unit);
}

/** Reads `PT4H`, `P1D`, `P2DT480M`, `P1W`. Null for anything else: months, years, fractions and signs have no place here, nor weeks beside other units. */
export function parseDuration(text: string): Duration | null {
  if (text.length > MAX_CHARACTERS || SIGN_OR_FRACTION.test(text) || NOTHING_AFTER_DESIGNATOR.test(text)) return null;
  const parsed = IsoDuration.fromISO(text);
  if (!parsed.isValid) return null;
  const units = Object.entries(parsed.toObject());
  if (units.length === 0 || !units.every(([unit, count]) => isAllowedUnit(unit) && count <= MOST[unit])) return null;
  const { weeks, days = 0, hours = 0, minutes = 0, seconds = 0 } = parsed.toObject();
  if (weeks !== undefined && units.length > 1) return null;
  return { days: (weeks ?? 0) * 7 + days, exactMs: hours * HOUR_MS + minutes * MINUTE_MS + seconds * SECOND_MS };
}

/** Its length when every day has 24 hours. */
export function nominalLengthMs(duration: Duration): number {
  return duration.days * DAY_MS + duration.exactMs;
}
