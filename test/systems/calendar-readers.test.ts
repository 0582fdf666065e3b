import { execFile, execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { calendarFeed, type CalendarWindow, occurrences, packagedZoneData, type WindowSeries } from "@quiesce/core";
import ICAL from "ical.js";
import { describe, expect, test } from "vitest";
import { writeCalendar } from "../../packages/server/src/calendars/ical-text.js";

const zones = packagedZoneData();
const now = Date.parse("2026-11-20T12:00:00Z");
const range = { from: now, to: now + 731 * 86_400_000 };
const timeZones = ["America/New_York", "Europe/Madrid", "Australia/Sydney", "Australia/Lord_Howe", "Africa/Casablanca", "America/Santiago"];

/** Windows that meet the nights of clock changes in one of the zones or another: starts and ends in gaps and overlaps, across them, at midnight. */
const kinds: { readonly [name: string]: Omit<WindowSeries, "timeZone"> } = {
  "every night 02:00-06:00": { start: "2026-11-02T02:00", end: "2026-11-02T06:00", rrule: "FREQ=DAILY" },
  "every night 02:30-03:00": { start: "2026-11-02T02:30", end: "2026-11-02T03:00", rrule: "FREQ=DAILY" },
  "every night 01:45-02:15": { start: "2026-11-02T01:45", end: "2026-11-02T02:15", rrule: "FREQ=DAILY" },
  "Sundays from midnight": { start: "2026-11-08T00:00", end: "2026-11-08T04:00", rrule: "FREQ=WEEKLY;BYDAY=SU" },
  "Saturdays over midnight": { start: "2026-11-07T23:30", end: "2026-11-08T03:30", rrule: "FREQ=WEEKLY;INTERVAL=2;BYDAY=SA;WKST=SU" },
  "first Sunday, four hours": { start: "2026-11-01T01:00", duration: "PT4H", rrule: "FREQ=MONTHLY;BYDAY=1SU" },
  "last weekday of the month": {
    start: "2026-11-30T20:00",
    end: "2026-12-01T02:00",
    rrule: "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
  },
  "the 31st": { start: "2026-12-31T22:00", end: "2027-01-01T02:00", rrule: "FREQ=MONTHLY;BYMONTHDAY=31" },
  "nine Sundays, one left out, one more": {
    start: "2027-02-07T02:30",
    end: "2027-02-07T05:00",
    rrule: "FREQ=WEEKLY;BYDAY=SU;COUNT=9",
    exdates: ["2027-02-21T02:30"],
    rdates: ["2027-10-31T02:30"],
  },
  "until spring": { start: "2026-11-22T02:00", end: "2026-11-22T05:00", rrule: "FREQ=WEEKLY;UNTIL=20270328T010000Z" },
  "a weekend of spring and one of autumn": { start: "2027-03-27T22:00", end: "2027-03-28T08:00", rdates: ["2027-10-30T22:00"] },
  "every seven hours": { start: "2027-03-20T02:00", end: "2027-03-20T03:00", rrule: "FREQ=HOURLY;INTERVAL=7;COUNT=80" },
  "as RFC 5545 reads it": { start: "2026-11-01T02:30", end: "2026-11-01T04:00", rrule: "FREQ=DAILY", dstPolicy: "rfc" },
};

interface Read {
  readonly uid: string;
  readonly start: number;
  readonly end: number;
}

function windowsOf(timeZone: string): readonly CalendarWindow[] {
  return Object.entries(kinds).map(([title, kind], index) => ({
    uid: `window-${index}@test`,
    title,
    kind: "maintenance",
    holding: "held",
    series: { ...kind, timeZone },
    owner: "erp-team",
    reason: "Patches",
    covers: [],
    version: 1,
    createdAt: now,
    updatedAt: now,
    // One occurrence is ended early, one extended, one cancelled.
    changes:
      index === 0
        ? [
            { localStart: "2026-12-05T02:00", cancelled: false, startsAt: null, endsAt: Date.parse("2026-12-05T13:00:00Z"), at: now },
            { localStart: "2026-12-06T02:00", cancelled: false, startsAt: null, endsAt: Date.parse("2026-12-06T20:00:00Z"), at: now },
            { localStart: "2026-12-07T02:00", cancelled: true, startsAt: null, endsAt: null, at: now },
          ]
        : [],
  }));
}

/** What we would hold: uid, start and end of every occurrence, by our own reckoning. */
function expected(windows: readonly CalendarWindow[]): readonly string[] {
  return windows
    .flatMap((window) =>
      occurrences(window.series, range, zones).flatMap((one) => {
        const change = window.changes.find(({ localStart }) => localStart === one.localStart);
        return change?.cancelled === true ? [] : [line({ uid: window.uid, start: one.start, end: change?.endsAt ?? one.end })];
      }),
    )
    .toSorted();
}

/** A window without a rule is several events, whose UIDs begin alike. */
const line = ({ uid, start, end }: Read): string =>
  `${uid.replace(/-\d{8}T\d{6}@/, "@")} ${new Date(start).toISOString()} ${new Date(end).toISOString()}`;

const linesOf = (read: readonly Read[]): readonly string[] =>
  read
    .filter(({ start }) => start >= range.from && start < range.to)
    .map(line)
    .toSorted();

function feedOf(windows: readonly CalendarWindow[]): string {
  return writeCalendar(calendarFeed({ title: "Windows", windows, ...range }, zones).calendar);
}

describe("ical.js reads a feed", () => {
  function readByIcal(text: string): readonly Read[] {
    const calendar = new ICAL.Component(ICAL.parse(text));
    ICAL.TimezoneService.reset();
    for (const zone of calendar.getAllSubcomponents("vtimezone")) ICAL.TimezoneService.register(zone);
    const components = calendar.getAllSubcomponents("vevent");
    const exceptions = components.filter((component) => component.hasProperty("recurrence-id"));
    const uidOf = (component: ICAL.Component): unknown => component.getFirstPropertyValue("uid");
    // Left to itself the library gives every event the exceptions of all.
    const masters = components
      .filter((component) => !exceptions.includes(component))
      .map((component) => new ICAL.Event(component, { exceptions: exceptions.filter((other) => uidOf(other) === uidOf(component)) }));
    const instant = (time: { toUnixTime(): number }): number => time.toUnixTime() * 1_000;
    return masters.flatMap((event): readonly Read[] => {
      if (!event.isRecurring()) return [{ uid: event.uid, start: instant(event.startDate), end: instant(event.endDate) }];
      const read: Read[] = [];
      const iterator = event.iterator();
      for (
        let next = iterator.next();
        next !== null && next !== undefined && instant(next) < range.to + 86_400_000;
        next = iterator.next()
      ) {
        const details = event.getOccurrenceDetails(next);
        read.push({ uid: event.uid, start: instant(details.startDate), end: instant(details.endDate) });
      }
      return read;
    });
  }

  test.each(timeZones)("and sees the windows of %s at our instants for two years", (timeZone) => {
    const windows = windowsOf(timeZone);
    expect(linesOf(readByIcal(feedOf(windows)))).toEqual(expected(windows));
  });
});

/** Debian's own Python has Debian's packages; another one in front of it may not. */
const python = ["/usr/bin/python3", "python3"].find((program) => {
  try {
    execFileSync(program, ["-c", "import icalendar, recurring_ical_events"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
});
if (python === undefined && process.env["CI"] !== "true") {
  console.log("Skipped: python3-icalendar and python3-recurring-ical-events are not installed (apt-get). CI=true makes this a failure.");
}

describe.runIf(python !== undefined || process.env["CI"] === "true")("python's icalendar reads a feed", () => {
  const script = fileURLToPath(new URL("read-calendar.py", import.meta.url));

  test.each(timeZones)("and sees the windows of %s at our instants for two years", async (timeZone) => {
    const folder = await mkdtemp(join(tmpdir(), "quiesce-calendar-"));
    try {
      const windows = windowsOf(timeZone);
      const file = join(folder, "feed.ics");
      // Under a name that Python does not know, or it would take its own data for the zone instead of our definition.
      await writeFile(file, feedOf(windows).replaceAll(timeZone, `Ours/${timeZone}`));
      const { stdout } = await promisify(execFile)(python ?? "python3", [script, file, String(range.from), String(range.to)], {
        maxBuffer: 50_000_000,
      });
      expect(linesOf(JSON.parse(stdout) as Read[])).toEqual(expected(windows));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
