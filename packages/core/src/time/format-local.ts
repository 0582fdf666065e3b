import { DateTime } from "luxon";
import { MINUTE_MS } from "./local-time.js";
import { localAt, offsetAt } from "./resolve-local.js";
import type { Zone } from "./zone.js";

export interface PeopleFormat {
  /** A BCP 47 tag for the names of days and months; English when left out, whatever the machine speaks. */
  readonly locale?: string | undefined;
}

/** A local time (fake UTC ms) for people: `Sun 6 Dec 2026, 02:00`, with seconds only when they are not zero. */
export function formatLocalForPeople(localMs: number, { locale = "en" }: PeopleFormat = {}): string {
  // The zone is "utc" because a local time carries its own digits: luxon has no say in what they mean.
  const local = DateTime.fromMillis(localMs, { zone: "utc", locale });
  return local.toFormat(localMs % MINUTE_MS === 0 ? "ccc d LLL yyyy, HH:mm" : "ccc d LLL yyyy, HH:mm:ss");
}

function writeOffset(offsetMs: number): string {
  const size = Math.abs(offsetMs);
  // Offsets of before standard time have seconds.
  const text = DateTime.fromMillis(size, { zone: "utc", locale: "en" }).toFormat(size % MINUTE_MS === 0 ? "HH:mm" : "HH:mm:ss");
  return `UTC${offsetMs < 0 ? "-" : "+"}${text}`;
}

/**
 * An instant (epoch ms) for people in a zone: `Sun 6 Dec 2026, 02:00 (Europe/Madrid, UTC+01:00)`. The offset comes from the zone given and not from
 * the runtime's own zone data; it tells the two passes of an autumn night apart, which names such as CST do not everywhere.
 */
export function describeInstant(instant: number, zone: Zone, format: PeopleFormat = {}): string {
  const local = formatLocalForPeople(localAt(instant, zone), format);
  const offsetMs = offsetAt(instant, zone);
  return `${local} (${offsetMs === 0 && /^(?:Etc\/)?UTC$/.test(zone.name) ? "UTC" : `${zone.name}, ${writeOffset(offsetMs)}`})`;
}
