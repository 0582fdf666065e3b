import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { occurrences, windowAt, type WindowSeries } from "@quiesce/core";

/**
 * Cases on which independent implementations agree: dateutil with zone data 2026f, and libical with java.time.
 * The zone of the process must not matter, so they run under three.
 */

interface RecurrenceCase {
  readonly id: string;
  readonly rrule: string;
  readonly dtstart: string;
  readonly tzid: string;
  readonly exdate?: readonly string[];
  readonly rdate?: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly expected: readonly string[];
}

interface ExpectedWindow {
  readonly inWindow: boolean;
  readonly startInstant?: string;
  readonly endInstant?: string;
  readonly nextStart?: string | null;
}

interface WindowCase {
  readonly id: string;
  readonly rrule: string | null;
  readonly dtstart: string;
  readonly end?: string;
  readonly duration?: string;
  readonly tzid: string;
  readonly instant: string;
  readonly expected: ExpectedWindow;
  readonly expectedRfc?: ExpectedWindow;
}

function readCases(file: string): readonly unknown[] {
  const text = readFileSync(new URL(`./cases/${file}`, import.meta.url), "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line): unknown => JSON.parse(line));
}

const iso = (instant: number): string => new Date(instant).toISOString().replace(".000Z", "Z");

function expectWindow(series: WindowSeries, instant: string, expected: ExpectedWindow): void {
  const found = windowAt(series, Date.parse(instant));
  const written = found.inWindow
    ? { inWindow: true, startInstant: iso(found.start), endInstant: iso(found.end) }
    : { inWindow: false, nextStart: found.nextStart === null ? null : iso(found.nextStart) };
  expect(written).toMatchObject(expected);
}

/** With the offset from UTC in July 2026, which proves that the setting took effect. */
const PROCESS_ZONES = [
  { processZone: "UTC", julyOffsetMinutes: 0 },
  { processZone: "America/Chicago", julyOffsetMinutes: -300 },
  { processZone: "Australia/Sydney", julyOffsetMinutes: 600 },
] as const;

describe.each(PROCESS_ZONES)("with the process in $processZone", ({ processZone, julyOffsetMinutes }) => {
  const zoneBefore = process.env.TZ;
  beforeAll(() => {
    process.env.TZ = processZone;
    expect(new Date(2026, 6, 1).getTimezoneOffset()).toBe(0 - julyOffsetMinutes);
  });
  afterAll(() => {
    if (zoneBefore === undefined) delete process.env.TZ;
    else process.env.TZ = zoneBefore;
  });

  describe("recurrences fall on the instants that independent implementations agree on", () => {
    test.each(readCases("recurrence-sample.jsonl") as RecurrenceCase[])("$id: $rrule from $dtstart in $tzid", (recurrence) => {
      const series: WindowSeries = {
        start: recurrence.dtstart,
        timeZone: recurrence.tzid,
        rrule: recurrence.rrule,
        exdates: recurrence.exdate,
        rdates: recurrence.rdate,
      };
      const found = occurrences(series, { from: Date.parse(recurrence.from), to: Date.parse(recurrence.to) });
      expect(found.map((occurrence) => iso(occurrence.start))).toEqual(recurrence.expected);
    });
  });

  describe("windows cover the instants that independent implementations agree on", () => {
    test.each(readCases("windows-sample.jsonl") as WindowCase[])("$id: $rrule $dtstart in $tzid at $instant", (window) => {
      const series: WindowSeries = {
        start: window.dtstart,
        end: window.end,
        duration: window.duration,
        timeZone: window.tzid,
        rrule: window.rrule,
      };
      expectWindow(series, window.instant, window.expected);
      expectWindow({ ...series, dstPolicy: "rfc" }, window.instant, window.expectedRfc ?? window.expected);
    });
  });
});
