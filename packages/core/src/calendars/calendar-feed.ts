import type { ZoneData } from "../time/zone-data.js";
import { type JCalComponent, jcalTime, textProperty } from "./jcal.js";
import { timeZoneComponent } from "./vtimezone.js";
import { type CalendarWindow, type UsedZone, windowEvents } from "./window-events.js";

/** Of one feed; a calendar program reads it whole, every hour. */
export const MAX_EVENTS_OF_FEED = 10_000;

export interface CalendarFeedInput {
  readonly title: string;
  readonly windows: readonly CalendarWindow[];
  /** Occurrences that end after `from` and start before `to` (epoch ms) are right; a rule goes on behind it. */
  readonly from: number;
  readonly to: number;
}

/**
 * A calendar of windows (RFC 5545), complete for the occurrences before `completeUntil` (epoch ms): windows that need too many single events are cut
 * there, and the calendar's description says so. Equal inputs give equal calendars.
 */
export function calendarFeed(
  input: CalendarFeedInput,
  zones: ZoneData,
): { readonly calendar: JCalComponent; readonly completeUntil: number } {
  const events: JCalComponent[] = [];
  const used = new Map<string, UsedZone>();
  let completeUntil = input.to;
  for (const window of input.windows) {
    const made = windowEvents(window, input, zones);
    completeUntil = Math.min(completeUntil, events.length + made.events.length > MAX_EVENTS_OF_FEED ? input.from : made.completeUntil);
    if (events.length + made.events.length > MAX_EVENTS_OF_FEED) continue;
    events.push(...made.events);
    if (made.zone !== null) {
      const { zone, from, to } = made.zone;
      const before = used.get(zone.name) ?? made.zone;
      used.set(zone.name, { zone, from: Math.min(from, before.from), to: Math.max(to, before.to) });
    }
  }
  const timeZones = [...used.values()]
    .toSorted((a, b) => (a.zone.name < b.zone.name ? -1 : 1))
    .map(({ zone, from, to }) => timeZoneComponent(zone, { from, to: to + BEYOND_MS }));
  const isCut = completeUntil < input.to;
  const about = isCut
    ? `Maintenance windows, complete until ${jcalTime(completeUntil)}Z; later ones may be missing.`
    : "Maintenance windows.";
  const calendar: JCalComponent = [
    "vcalendar",
    [
      textProperty("version", "2.0"),
      textProperty("prodid", "-//Quiesce//Maintenance windows//EN"),
      textProperty("calscale", "GREGORIAN"),
      textProperty("method", "PUBLISH"),
      textProperty("name", input.title),
      textProperty("x-wr-calname", input.title),
      textProperty("description", about),
      textProperty("x-wr-caldesc", about),
      ["refresh-interval", {}, "duration", "PT1H"],
      ["x-published-ttl", {}, "duration", "PT1H"],
    ],
    [...timeZones, ...events],
  ];
  return { calendar, completeUntil };
}

/** An occurrence that starts before the end may end behind it. */
const BEYOND_MS = 400 * 86_400_000;
