import { DomainError } from "../domain-error.js";
import { parseDuration } from "../time/duration.js";
import { DAY_MS, formatLocal, parseLocal, parseLocalDate } from "../time/local-time.js";
import { localAt, resolveLocal, rfcInstant } from "../time/resolve-local.js";
import { requireZone, type ZoneData } from "../time/zone-data.js";
import type { WindowSeries } from "../windows/window-series.js";
import type { CalendarZones } from "./calendar-zones.js";
import { type JCalComponent, type JCalProperty, parameterOf, propertiesOf, textOf, textsOf } from "./jcal.js";

/** A point of a calendar: a day, an instant, or a local time beside the IANA zone that its TZID means. */
type Moment =
  | { readonly kind: "day"; readonly localMs: number }
  | { readonly kind: "instant"; readonly instant: number }
  | { readonly kind: "local"; readonly localMs: number; readonly timeZone: string; readonly tzid: string | null };

/** The times of an event as a series, without what other events say about single occurrences. */
export interface EventTimes {
  readonly series: WindowSeries;
  readonly isAllDay: boolean;
  /** The TZID by which its local times were written; null when none was. */
  readonly tzid: string | null;
}

interface Reading {
  readonly calendar: CalendarZones;
  readonly zones: ZoneData;
}

/** Reads DTSTART, DTEND or DURATION, RRULE, RDATE and EXDATE of an event. Throws a DomainError that names what cannot be understood. */
export function eventTimes(event: JCalComponent, reading: Reading): EventTimes {
  const start = onlyMoment(event, "dtstart", reading);
  if (start === null) throw new DomainError("QSC_CALENDAR_NO_START", "The event has no DTSTART, so nobody knows when it begins.");
  if (propertiesOf(event, "exrule").length > 0) {
    throw new DomainError(
      "QSC_CALENDAR_RULE_UNSUPPORTED",
      "The event excludes times by an EXRULE, which RFC 5545 no longer has. Use EXDATE.",
    );
  }
  const rules = propertiesOf(event, "rrule").flatMap(textsOf);
  if (rules.length > 1) {
    throw new DomainError("QSC_CALENDAR_RULE_UNSUPPORTED", `The event has ${rules.length} RRULEs; expected one. Ask for an event a rule.`);
  }
  const [rrule] = rules;
  const place = placeOf(start, reading);
  const rdates = momentsOf(event, "rdate", reading);
  const isOnce = rrule === undefined && rdates.length === 0;
  const length = lengthOf(event, { start, place, isOnce, reading });
  // An end in another zone that the start's own cannot say without doubt is said in UTC, start and end.
  const zone = length.inUtc ? "UTC" : place.timeZone;
  const inZone = (moment: Moment): string => formatLocal(localIn(moment, zone, { ...reading, isAllDay: start.kind === "day" }));
  const exdates = momentsOf(event, "exdate", reading).map(inZone);
  return {
    isAllDay: start.kind === "day",
    tzid: start.kind === "local" ? start.tzid : null,
    series: {
      start: inZone(start),
      ...length.part,
      timeZone: zone,
      ...(rrule === undefined ? {} : { rrule }),
      ...(exdates.length === 0 ? {} : { exdates }),
      ...(rdates.length === 0 ? {} : { rdates: rdates.map(inZone) }),
    },
  };
}

/** The local start of the occurrence that a RECURRENCE-ID names, in the zone of its series; null when the event has none. */
export function recurrenceStart(event: JCalComponent, series: EventTimes, reading: Reading): string | null {
  const moment = onlyMoment(event, "recurrence-id", reading);
  return moment === null ? null : formatLocal(localIn(moment, series.series.timeZone, { ...reading, isAllDay: series.isAllDay }));
}

function placeOf(start: Moment, { calendar }: Reading): { readonly timeZone: string } {
  if (start.kind === "local") return { timeZone: start.timeZone };
  if (start.kind === "instant") return { timeZone: "UTC" };
  if (calendar.own !== null) return { timeZone: calendar.own };
  throw new DomainError(
    "QSC_CALENDAR_ZONE_MISSING",
    "The event is for whole days, and the calendar does not say in which time zone its days are. Say it for the import: --time-zone Europe/Madrid.",
    { field: "timeZone" },
  );
}

type Length = { readonly part: Pick<WindowSeries, "end" | "duration">; readonly inUtc: boolean };

function lengthOf(
  event: JCalComponent,
  input: { readonly start: Moment; readonly place: { readonly timeZone: string }; readonly isOnce: boolean; readonly reading: Reading },
): Length {
  const { start, place, reading } = input;
  const end = onlyMoment(event, "dtend", reading);
  const duration = textOf(event, "duration");
  if (end === null && duration !== null) {
    if (parseDuration(duration.replace(/^\+/, "")) === null)
      throw new DomainError("QSC_WINDOW_DURATION_MALFORMED", `"${duration}" is no duration. Expected PT4H, P1D or the like.`);
    return { part: { duration: duration.replace(/^\+/, "") }, inUtc: false };
  }
  if (end === null) {
    if (start.kind !== "day")
      throw new DomainError(
        "QSC_CALENDAR_NO_END",
        "The event has neither an end nor a duration, so it would hold nothing. Ask for one with an end.",
      );
    return { part: { end: formatLocal(start.localMs + DAY_MS) }, inUtc: false };
  }
  if ((end.kind === "day") !== (start.kind === "day"))
    throw new DomainError("QSC_CALENDAR_TIME_MALFORMED", "Of DTSTART and DTEND one is a day and the other a time; expected two of a kind.");
  const isSamePlace = end.kind === start.kind && (end.kind !== "local" || end.timeZone === place.timeZone);
  if (isSamePlace) return { part: { end: formatLocal(end.kind === "instant" ? end.instant : end.localMs) }, inUtc: false };
  if (!input.isOnce)
    throw new DomainError(
      "QSC_CALENDAR_ZONES_DIFFER",
      "The event recurs, and its end stands in another time zone than its start; on every other side of a clock change it would last another time. Ask for both in one zone.",
    );
  const endInstant = instantOf(end, reading.zones);
  const zone = requireZone(reading.zones, place.timeZone);
  const localEnd = localAt(endInstant, zone);
  const isPlain =
    resolveLocal(localEnd, zone).kind === "unique" && start.kind === "local" && resolveLocal(start.localMs, zone).kind === "unique";
  return { part: { end: formatLocal(isPlain ? localEnd : endInstant) }, inUtc: !isPlain };
}

function onlyMoment(event: JCalComponent, name: string, reading: Reading): Moment | null {
  const moments = momentsOf(event, name, reading);
  if (moments.length > 1)
    throw new DomainError("QSC_CALENDAR_TIME_MALFORMED", `${name.toUpperCase()} is given ${moments.length} times; expected once.`);
  return moments[0] ?? null;
}

function momentsOf(event: JCalComponent, name: string, reading: Reading): readonly Moment[] {
  return propertiesOf(event, name).flatMap((property) => {
    const [, , type] = property;
    if (type === "period")
      throw new DomainError(
        "QSC_CALENDAR_PERIOD",
        `${name.toUpperCase()} holds a PERIOD, an occurrence with a length of its own. Ask for an event of its own for it.`,
      );
    return textsOf(property).map((text) => momentOf(text, property, reading));
  });
}

function momentOf(text: string, property: JCalProperty, { calendar }: Reading): Moment {
  const name = property[0].toUpperCase();
  const day = parseLocalDate(text);
  if (day !== null) return { kind: "day", localMs: day };
  const localMs = parseLocal(text.replace(/Z$/, ""));
  if (localMs === null)
    throw new DomainError("QSC_CALENDAR_TIME_MALFORMED", `${name} is "${text.slice(0, 40)}", which is no day and no time.`);
  if (text.endsWith("Z")) return { kind: "instant", instant: localMs };
  const tzid = parameterOf(property, "tzid");
  if (tzid !== null) return { kind: "local", localMs, timeZone: calendar.meant(tzid).timeZone, tzid };
  if (calendar.own !== null) return { kind: "local", localMs, timeZone: calendar.own, tzid: null };
  throw new DomainError(
    "QSC_CALENDAR_ZONE_MISSING",
    `${name} is ${text}, a time without any time zone, and the calendar names none. Say which is meant for the import: --time-zone Europe/Madrid.`,
    { field: "timeZone" },
  );
}

function instantOf(moment: Moment, zones: ZoneData): number {
  if (moment.kind === "instant") return moment.instant;
  return moment.kind === "local" ? rfcInstant(moment.localMs, requireZone(zones, moment.timeZone)) : moment.localMs;
}

/** A moment on the wall clock of a zone, as fake UTC. */
function localIn(moment: Moment, timeZone: string, how: Reading & { readonly isAllDay: boolean }): number {
  if (moment.kind === "day") {
    if (how.isAllDay) return moment.localMs;
    throw new DomainError(
      "QSC_CALENDAR_TIME_MALFORMED",
      "A whole day is named where the event has times: which of them is meant is not said.",
    );
  }
  if (moment.kind === "local" && moment.timeZone === timeZone) return moment.localMs;
  return localAt(instantOf(moment, how.zones), requireZone(how.zones, timeZone));
}
