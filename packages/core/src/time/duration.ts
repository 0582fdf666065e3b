import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "./local-time.js";

/** An RFC 5545 duration: days are nominal (a day of 23 or 25 hours counts as one), the rest is exact elapsed time. */
export interface Duration {
  readonly days: number;
  readonly exactMs: number;
}

const DURATION = /^P(?:(\d{1,5})W|(?:(\d{1,5})D)?(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,8})S)?)?)$/;

/** Reads `PT4H`, `P1D`, `P2DT480M`, `P1W`. Null for anything else: months, years, fractions and signs have no place here. */
export function parseDuration(text: string): Duration | null {
  const match = DURATION.exec(text);
  if (match === null || text === "P") return null;
  const [, weeks, days, hours, minutes, seconds] = match.map((part) => Number(part ?? "0"));
  return {
    days: (weeks ?? 0) * 7 + (days ?? 0),
    exactMs: (hours ?? 0) * HOUR_MS + (minutes ?? 0) * MINUTE_MS + (seconds ?? 0) * SECOND_MS,
  };
}

/** Its length when every day has 24 hours. */
export function nominalLengthMs(duration: Duration): number {
  return duration.days * DAY_MS + duration.exactMs;
}
