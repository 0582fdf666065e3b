import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packagedZoneData } from "../time/packaged-zone-data.js";
import { requireZone } from "../time/zone-data.js";
import { monthsOf, plannedAvailability, type PlannedDowntime } from "./planned-availability.js";
import { windowKinds } from "./window-kinds.js";

const hour = 3_600_000;
const at = (text: string): number => Date.parse(text);
const zone = (name: string) => requireZone(packagedZoneData(), name);
const march = { month: "2026-03", start: at("2026-03-01T00:00:00Z"), end: at("2026-04-01T00:00:00Z") };
const planned = (from: number, hours: number, kind: PlannedDowntime["kind"] = "maintenance"): PlannedDowntime => ({
  start: march.start + from * hour,
  end: march.start + (from + hours) * hour,
  kind,
});

describe("the months of an occurrence", () => {
  it("are those of its zone's wall clock, an hour shorter where clocks go forward", () => {
    const night = { start: at("2026-03-29T00:00:00Z"), end: at("2026-03-29T04:00:00Z") };
    const [one, ...more] = monthsOf(night, zone("Europe/Madrid"), 3);
    expect(more).toEqual([]);
    expect(one).toEqual({ month: "2026-03", start: at("2026-02-28T23:00:00Z"), end: at("2026-03-31T22:00:00Z") });
    expect(((one?.end ?? 0) - (one?.start ?? 0)) / hour).toBe(743);
  });

  it("are two over the turn of a year, and the end itself belongs to none", () => {
    const over = monthsOf({ start: at("2026-12-31T22:00:00Z"), end: at("2027-01-01T02:00:00Z") }, zone("UTC"), 3);
    expect(over.map((one) => one.month)).toEqual(["2026-12", "2027-01"]);
    expect(monthsOf({ start: at("2026-12-31T22:00:00Z"), end: at("2027-01-01T00:00:00Z") }, zone("UTC"), 3)).toHaveLength(1);
    expect(monthsOf({ start: 0, end: at("2027-01-01T00:00:00Z") }, zone("UTC"), 2)).toHaveLength(2);
  });
});

describe("the planned availability of a month", () => {
  it("loses maintenance gross and not net, a change both ways, and nothing to a freeze", () => {
    const of = (kind: PlannedDowntime["kind"]) => plannedAvailability({ month: march, own: [planned(10, 7.44, kind)], others: [] });
    expect(of("maintenance")).toMatchObject({ addedMs: 7.44 * hour, excludedMs: 7.44 * hour, countedMs: 0, gross: 0.99, net: 1 });
    expect(of("change")).toMatchObject({ excludedMs: 0, countedMs: 7.44 * hour, gross: 0.99, net: 0.99 });
    expect(of("freeze")).toMatchObject({ addedMs: 0, upMs: 744 * hour, gross: 1, net: 1 });
  });

  it("counts what others have planned already once, and what lies outside the month not at all", () => {
    const both = plannedAvailability({ month: march, own: [planned(10, 4)], others: [planned(12, 4, "change"), planned(-5, 6)] });
    expect(both).toMatchObject({ addedMs: 2 * hour, excludedMs: 5 * hour, countedMs: 2 * hour, grossBefore: 739 / 744 });
    expect(plannedAvailability({ month: march, own: [planned(0, 744)], others: [] })).toMatchObject({ upMs: 0, gross: 0, net: null });
  });

  it("adds up to the month to the millisecond, whatever overlaps", () => {
    const downtime = fc
      .tuple(fc.integer({ min: -hour, max: 745 * hour }), fc.integer({ min: 0, max: 100 * hour }), fc.constantFrom(...windowKinds))
      .map(([from, length, kind]): PlannedDowntime => ({ start: march.start + from, end: march.start + from + length, kind }));
    fc.assert(
      fc.property(fc.array(downtime, { maxLength: 12 }), fc.array(downtime, { maxLength: 12 }), (own, others) => {
        const found = plannedAvailability({ month: march, own, others });
        expect(found.upMs + found.countedMs + found.excludedMs).toBe(march.end - march.start);
        expect(found.gross).toBeLessThanOrEqual(found.grossBefore);
        expect(found.net ?? 1).toBeGreaterThanOrEqual(found.gross);
      }),
    );
  });
});
