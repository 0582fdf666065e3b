import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packagedZoneData } from "../time/packaged-zone-data.js";
import { offsetAt } from "../time/resolve-local.js";
import { definedZones } from "./defined-zones.js";
import { propertiesOf } from "./jcal.js";
import { timeZoneComponent } from "./vtimezone.js";

const zones = packagedZoneData();
const hour = 3_600_000;
const zoneOf = (name: string) => {
  const zone = zones.zone(name);
  if (zone === undefined) throw new Error(name);
  return zone;
};

describe("the VTIMEZONE of a zone", () => {
  it("gives every instant of its range the offset that our zone data give it, for every zone there is", () => {
    const range = { from: Date.parse("2024-03-01T00:00Z"), to: Date.parse("2031-06-01T00:00Z") };
    const instants = fc.integer({ min: range.from / hour, max: range.to / hour - 1 }).map((hours) => hours * hour);
    fc.assert(
      fc.property(fc.constantFrom(...zones.names()), fc.array(instants, { minLength: 20, maxLength: 60 }), (name, list) => {
        const zone = zoneOf(name);
        const defined = definedZones(["vcalendar", [], [timeZoneComponent(zone, range)]], range).get(name)?.zone;
        const edges = [...zone.starts].filter((at) => at > range.from && at < range.to).flatMap((at) => [at - 1, at]);
        expect(defined).toBeDefined();
        for (const at of [...list, ...edges])
          if (defined !== undefined) expect([at, offsetAt(at, defined)]).toEqual([at, offsetAt(at, zone)]);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ["Europe/Madrid", ["FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU", "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU"]],
    ["America/New_York", ["FREQ=YEARLY;BYMONTH=3;BYDAY=2SU", "FREQ=YEARLY;BYMONTH=11;BYDAY=1SU"]],
    ["Australia/Lord_Howe", ["FREQ=YEARLY;BYMONTH=10;BYDAY=1SU", "FREQ=YEARLY;BYMONTH=4;BYDAY=1SU"]],
    ["Asia/Kolkata", []],
  ])("of %s says what happens every year as a rule", (name, rules) => {
    const [, , observances] = timeZoneComponent(zoneOf(name), {
      from: Date.parse("2026-11-01T00:00Z"),
      to: Date.parse("2031-01-01T00:00Z"),
    });
    expect(observances.flatMap((one) => propertiesOf(one, "rrule").map((property) => property[3]))).toEqual(rules);
  });

  it("says no rule of changes that end inside the range", () => {
    // Tehran gave up summer time in 2022.
    const range = { from: Date.parse("2015-01-01T00:00Z"), to: Date.parse("2030-01-01T00:00Z") };
    const [, , observances] = timeZoneComponent(zoneOf("Asia/Tehran"), range);
    expect(observances.flatMap((one) => propertiesOf(one, "rrule"))).toEqual([]);
  });
});
