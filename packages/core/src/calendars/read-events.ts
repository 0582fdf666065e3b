import { DomainError } from "../domain-error.js";
import type { ZoneData } from "../time/zone-data.js";
import { validateWindowSeries } from "../windows/validate-series.js";
import type { WindowSeries } from "../windows/window-series.js";
import { calendarZones } from "./calendar-zones.js";
import { type EventTimes, eventTimes, recurrenceStart } from "./event-times.js";
import { componentsOf, type JCalComponent, parameterOf, propertiesOf, textOf, textsOf } from "./jcal.js";

/** Of one calendar that is read. */
export const MAX_EVENTS_READ = 2_000;
/** How the parser marks a line that it could not read. */
export const UNREADABLE_PROPERTY = "x-quiesce-unreadable";
const MAX_TITLE = 200;
const MAX_UID = 500;

/** Names an event of a calendar: a series, or the one occurrence of it that RECURRENCE-ID names, as it is written there. */
export interface EventName {
  readonly uid: string;
  readonly recurrenceId: string | null;
}

/** An event that was understood. */
export interface ReadEvent extends EventName {
  readonly title: string;
  readonly series: WindowSeries;
  readonly isAllDay: boolean;
}

/** An event that was not, with the reason. */
export interface RefusedEvent extends EventName {
  readonly title: string;
  readonly code: string;
  readonly message: string;
}

export interface ReadEvents {
  readonly events: readonly ReadEvent[];
  readonly refused: readonly RefusedEvent[];
}

export interface ReadEventsOptions {
  readonly timeZone: string | null;
  readonly zoneMap: Readonly<Record<string, string>>;
  /** Events with these are wanted; the others count as if they were not there. */
  readonly wants: (title: string) => boolean;
  readonly now: number;
}

interface Raw extends EventName {
  readonly title: string;
  readonly component: JCalComponent;
}

/**
 * The events of a calendar as window series, each UID with its RECURRENCE-IDs: what such a one says about an occurrence is taken out of the series
 * and stands as an event of its own. What cannot be understood is refused by its name, and the others go on; a series whose occurrence was moved in
 * a way that is not understood keeps that occurrence where it was. Throws QSC_CALENDAR_TOO_LARGE.
 */
export function readEvents(calendar: JCalComponent, options: ReadEventsOptions, zones: ZoneData): ReadEvents {
  const raws = newestOf(componentsOf(calendar, "vevent"));
  if (raws.length > MAX_EVENTS_READ) {
    throw new DomainError(
      "QSC_CALENDAR_TOO_LARGE",
      `The calendar has ${raws.length} events, at most ${MAX_EVENTS_READ} are read. Ask its owner for one of the coming months alone.`,
    );
  }
  const reading = { calendar: calendarZones(calendar, { ...options, zones }), zones };
  const events: ReadEvent[] = [];
  const refused: RefusedEvent[] = [];
  /** Runs a reading; a refusal becomes an entry of the list. */
  const guarded = <T>({ uid, recurrenceId, title }: Raw, read: () => T): T | null => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      refused.push({ uid, recurrenceId, title, code: error.code, message: error.message });
      return null;
    }
  };
  const timesOf = (raw: Raw): EventTimes => {
    refuseUnreadable(raw.component);
    return eventTimes(raw.component, reading);
  };
  const accept = (raw: Raw, times: EventTimes): void => {
    const series = guarded(raw, () => checked(times, reading));
    if (series !== null) events.push({ uid: raw.uid, recurrenceId: raw.recurrenceId, title: raw.title, series, isAllDay: times.isAllDay });
  };
  for (const family of familiesOf(raws)) {
    const master = family.find((raw) => raw.recurrenceId === null);
    const times = master === undefined || isCancelled(master) ? null : guarded(master, () => timesOf(master));
    const excluded: string[] = [];
    for (const raw of family) {
      if (raw === master) continue;
      const detached = guarded(raw, () => {
        refuseRange(raw.component);
        const own = isCancelled(raw) || !options.wants(raw.title) ? null : timesOf(raw);
        const start = times === null ? null : recurrenceStart(raw.component, times, reading);
        // Checked before the series gives the occurrence up: one that is refused stays where it was.
        if (own !== null) checked(own, reading);
        return { own, start };
      });
      if (detached === null) continue;
      if (detached.start !== null) excluded.push(detached.start);
      if (detached.own !== null) accept(raw, detached.own);
    }
    if (master === undefined || times === null || !options.wants(master.title)) continue;
    const exdates = [...new Set([...(times.series.exdates ?? []), ...excluded])].toSorted();
    const left: EventTimes = { ...times, series: { ...times.series, ...(exdates.length === 0 ? {} : { exdates }) } };
    if (guarded(master, () => checked(times, reading)) !== null && !isNothingLeft(left, zones)) accept(master, left);
  }
  return { events, refused };
}

/** The series, once a window could be saved with it and the zone it was taken for is the one that the calendar means. */
function checked(
  times: EventTimes,
  { calendar, zones }: { readonly calendar: ReturnType<typeof calendarZones>; readonly zones: ZoneData },
): WindowSeries {
  const { series, tzid } = times;
  const [refusal] = validateWindowSeries(series, {}, zones);
  if (refusal !== undefined) throw new DomainError(refusal.code, refusal.message);
  if (tzid !== null && calendar.meant(tzid).trust === "likely" && calendar.agrees(tzid, series) === false) {
    throw new DomainError(
      "QSC_CALENDAR_ZONE_DISAGREES",
      `The time zone "${tzid.slice(0, 80)}", as the calendar defines it, differs from ${series.timeZone} on this event. Say which zone is meant: --map-zone "${tzid.slice(0, 80)}=Europe/Madrid".`,
    );
  }
  return series;
}

/** A series whose every occurrence was moved or cancelled: that is no mistake of its maker. */
function isNothingLeft({ series }: EventTimes, zones: ZoneData): boolean {
  return validateWindowSeries(series, {}, zones).some((refusal) => refusal.code === "QSC_WINDOW_NEVER");
}

/** Of events with one name the one with the highest SEQUENCE, the last of these. */
function newestOf(components: readonly JCalComponent[]): readonly Raw[] {
  const newest = new Map<string, Raw & { readonly sequence: number }>();
  for (const [index, component] of components.entries()) {
    const uid = textOf(component, "uid") ?? `without UID ${index + 1}`;
    const recurrenceId = textOf(component, "recurrence-id");
    const sequence = Number(propertiesOf(component, "sequence")[0]?.[3] ?? 0);
    const name = JSON.stringify([uid, recurrenceId]);
    if ((newest.get(name)?.sequence ?? 0) <= sequence)
      newest.set(name, { uid, recurrenceId, title: titleOf(component), component, sequence });
  }
  return [...newest.values()];
}

function familiesOf(raws: readonly Raw[]): readonly (readonly Raw[])[] {
  const families = new Map<string, Raw[]>();
  for (const raw of raws) {
    const family = families.get(raw.uid);
    if (family === undefined) families.set(raw.uid, [raw]);
    else family.push(raw);
  }
  return [...families.values()];
}

function titleOf(component: JCalComponent): string {
  const title = (textOf(component, "summary") ?? "").replaceAll(/\p{Cc}+/gu, " ").trim();
  return title === "" ? "Maintenance" : title.slice(0, MAX_TITLE).trim();
}

function isCancelled({ component }: Raw): boolean {
  return textOf(component, "status")?.toUpperCase() === "CANCELLED";
}

function refuseUnreadable(component: JCalComponent): void {
  const [line] = propertiesOf(component, UNREADABLE_PROPERTY).flatMap(textsOf);
  if (line !== undefined)
    throw new DomainError("QSC_CALENDAR_EVENT_UNREADABLE", `A line of the event cannot be read: "${line.slice(0, 120)}".`);
  if ((textOf(component, "uid")?.length ?? 0) > MAX_UID)
    throw new DomainError("QSC_CALENDAR_EVENT_UNREADABLE", `The event's UID has over ${MAX_UID} characters.`);
  if (textOf(component, "uid") === null) {
    throw new DomainError(
      "QSC_CALENDAR_EVENT_UNREADABLE",
      "The event has no UID, so it could not be found again when it changes. Ask for one.",
    );
  }
}

function refuseRange(component: JCalComponent): void {
  const [property] = propertiesOf(component, "recurrence-id");
  if (property !== undefined && parameterOf(property, "range") !== null) {
    throw new DomainError(
      "QSC_CALENDAR_RANGE",
      "The change is for one occurrence and all that follow (RANGE); expected a series of its own for these.",
    );
  }
}
