import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { occurrences, windowAt, type WindowSeries } from "@quiesce/core";

const iso = (instant: number): string => new Date(instant).toISOString().replace(":00.000Z", "Z");

interface Row {
  readonly zone: string;
  readonly start: string;
  readonly until: string;
  readonly cover: string;
  readonly rfc: string;
}

function readRows(): readonly Row[] {
  const text = readFileSync(new URL("./cases/dst-nights.txt", import.meta.url), "utf8");
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return lines.map((line) => {
    const [zone = "", start = "", until = "", cover = "", rfc = ""] = line.split(" | ");
    return { zone, start, until, cover, rfc };
  });
}

const ROWS = readRows();
const ZONES = [...new Set(ROWS.map(({ zone }) => zone))];
const EVER = { from: Date.parse("2000-01-01T00:00Z"), to: Date.parse("2030-01-01T00:00Z") };

function held(series: WindowSeries): string {
  return occurrences(series, EVER)
    .map(({ start, end }) => `${iso(start)} ${iso(end)}`)
    .join(", ");
}

describe("a window on the nights on which clocks change", () => {
  test("has the same twelve rows for each of eight zones", () => {
    expect(ZONES.map((zone) => ROWS.filter((row) => row.zone === zone).length)).toEqual(Array(8).fill(12));
  });

  describe.each(ZONES)("in %s", (zone) => {
    test.each(ROWS.filter((row) => row.zone === zone))("from $start to or for $until", ({ start, until, cover, rfc }) => {
      const series: WindowSeries = { timeZone: zone, start, ...(until.startsWith("P") ? { duration: until } : { end: until }) };
      expect({ cover: held(series), rfc: held({ ...series, dstPolicy: "rfc" }) }).toEqual({ cover, rfc });

      const [from = 0, to = 0] = cover.split(" ").map((text) => Date.parse(text));
      expect(windowAt(series, from - 1)).toEqual({ inWindow: false, nextStart: from });
      for (const instant of [from, to - 1]) expect(windowAt(series, instant)).toEqual({ inWindow: true, start: from, end: to });
      expect(windowAt(series, to)).toEqual({ inWindow: false, nextStart: null });
    });
  });
});
