import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { occurrences } from "@quiesce/core";

const HOUR = 3_600_000;
const iso = (instant: number): string => new Date(instant).toISOString();

interface Expected {
  readonly day: string;
  readonly start: number;
  readonly end: number;
}

/** What cases/first-sundays.txt says, as instants, by zone. */
function readTable(): ReadonlyMap<string, readonly Expected[]> {
  const table = new Map<string, Expected[]>();
  const text = readFileSync(new URL("./cases/first-sundays.txt", import.meta.url), "utf8");
  for (const line of text.split("\n").filter((one) => one !== "" && !one.startsWith("#"))) {
    const [zone = "", year = "", ...cells] = line.split(" ");
    const months = cells.map((cell, index): Expected => {
      const [, date = "", atTwo = "", atSix = atTwo] = /^(\d):([^>]+)(?:>(.+))?$/.exec(cell) ?? [];
      const day = `${year}-${String(index + 1).padStart(2, "0")}-0${date}`;
      return { day, start: Date.parse(`${day}T02:00${atTwo}`), end: Date.parse(`${day}T06:00${atSix}`) };
    });
    table.set(zone, [...(table.get(zone) ?? []), ...months]);
  }
  return table;
}

const TABLE = readTable();

/**
 * The first Sundays that do not last four hours, from the rules of the zones:
 * - Sydney changes on the first Sundays of April (03:00 to 02:00) and October (02:00 to 03:00).
 * - Lord Howe on the same by half an hour; in April from 02:00 to 01:30, so before the window, in October from 02:00 to 02:30.
 * - Chatham in April from 03:45 to 02:45; in September on the last Sunday.
 * - Morocco ended its month of UTC+0 for Ramadan on 6 April 2025 (02:00 to 03:00).
 * The others change on other Sundays, or, as New York (02:00 to 01:00 in November) and Santiago (midnight), before 02:00.
 */
const YEARS = [
  { year: 2024, april: "07", october: "06" },
  { year: 2025, april: "06", october: "05" },
  { year: 2026, april: "05", october: "04" },
  { year: 2027, april: "04", october: "03" },
  { year: 2028, april: "02", october: "01" },
] as const;
const UNUSUAL_HOURS: ReadonlyMap<string, number> = new Map([
  ["Africa/Casablanca 2025-04-06", 3],
  ...YEARS.flatMap(({ year, april, october }): [string, number][] => [
    [`Australia/Sydney ${year}-04-${april}`, 5],
    [`Australia/Sydney ${year}-10-${october}`, 3],
    [`Australia/Lord_Howe ${year}-10-${october}`, 3.5],
    [`Pacific/Chatham ${year}-04-${april}`, 5],
  ]),
]);

describe("the first Sunday of the month from 02:00 to 06:00, for five years", () => {
  test("is told for twelve zones and sixty months each", () => {
    expect([...TABLE.values()].map((months) => months.length)).toEqual(Array(12).fill(60));
  });

  describe.each([...TABLE.keys()])("in %s", (timeZone) => {
    const expected = TABLE.get(timeZone) ?? [];

    test.each(["cover", "rfc"] as const)("falls on the instants of an independent reader, under %s", (dstPolicy) => {
      const series = { start: "2024-01-07T02:00", end: "2024-01-07T06:00", timeZone, rrule: "FREQ=MONTHLY;BYDAY=1SU", dstPolicy };
      const found = occurrences(series, { from: Date.parse("2023-12-31T00:00Z"), to: Date.parse("2028-12-31T00:00Z") });
      expect(found.map(({ localStart, start, end }) => [localStart.slice(0, 10), iso(start), iso(end)])).toEqual(
        expected.map(({ day, start, end }) => [day, iso(start), iso(end)]),
      );
    });

    test("lasts four hours but on the nights of the zone's rules", () => {
      const lasting = expected.map(({ day, start, end }) => [`${timeZone} ${day}`, (end - start) / HOUR]);
      expect(lasting).toEqual(expected.map(({ day }) => [`${timeZone} ${day}`, UNUSUAL_HOURS.get(`${timeZone} ${day}`) ?? 4]));
    });
  });
});
