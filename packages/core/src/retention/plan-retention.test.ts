import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { daysToHave, expiredDays, judgeDay, retentionCutoff, retentionDays } from "./plan-retention.js";

const day = 86_400_000;
const iso = (text: string) => Date.parse(text);
const days = (...texts: readonly string[]) => texts.map((text) => ({ name: text, opensAt: iso(text), closesAt: iso(text) + day }));

describe("retention", () => {
  it.each([
    ["at midnight", "2026-03-01T00:00:00Z", "2026-01-25T00:00:00Z"],
    ["a millisecond before midnight", "2026-02-28T23:59:59.999Z", "2026-01-24T00:00:00Z"],
    ["over a leap day", "2028-03-05T12:00:00Z", "2028-01-30T00:00:00Z"],
    ["at the end of a year", "2027-01-01T00:00:00Z", "2026-11-27T00:00:00Z"],
  ])("of 35 days %s keeps 35 whole days and today", (_name, now, cutoff) => {
    expect(new Date(retentionCutoff("run", 35, iso(now))).toISOString()).toBe(new Date(iso(cutoff)).toISOString());
  });

  it("never goes below the promise of live cursors, nor below what reports look back", () => {
    expect(() => retentionCutoff("event_log", 6, 0)).toThrow(RangeError);
    expect(() => retentionCutoff("run", 34, 0)).toThrow(RangeError);
    expect(() => retentionCutoff("run", Number.NaN, 0)).toThrow(RangeError);
  });

  it("law: whatever the time, an event or due time of the kept days is in no expired day", () => {
    const instant = fc.integer({ min: iso("2026-01-01T00:00:00Z"), max: iso("2030-01-01T00:00:00Z") });
    fc.assert(
      fc.property(instant, fc.integer({ min: 7, max: 60 }), fc.integer({ min: 0, max: 60 * day }), (now, keep, ageMs) => {
        const opensAt = Math.floor((now - ageMs) / day) * day;
        const expired = expiredDays([{ name: "x", opensAt, closesAt: opensAt + day }], retentionCutoff("event_log", keep, now));
        return expired.length === 0 || ageMs > keep * day;
      }),
    );
  });

  it("takes the oldest days first", () => {
    const found = expiredDays(days("2026-01-03", "2026-01-01", "2026-01-02", "2026-01-04"), iso("2026-01-04T00:00:00Z"));
    expect(found.map((one) => one.name)).toEqual(["2026-01-01", "2026-01-02", "2026-01-03"]);
  });

  it("keeps a day in which a run waits, or stands for due times that are to be kept", () => {
    const cutoff = iso("2026-01-04T00:00:00Z");
    expect(judgeDay({ waiting: 1, lastDueAt: cutoff - day }, cutoff)).toEqual({ kind: "keep", reason: "waiting" });
    expect(judgeDay({ waiting: 0, lastDueAt: cutoff }, cutoff)).toEqual({ kind: "keep", reason: "reaches" });
    expect(judgeDay({ waiting: 0, lastDueAt: cutoff - 1 }, cutoff)).toEqual({ kind: "drop" });
    expect(judgeDay({ waiting: 0, lastDueAt: null }, cutoff)).toEqual({ kind: "drop" });
  });

  it("has yesterday, today and three days more", () => {
    expect(daysToHave(iso("2026-02-28T23:59:59Z"))).toEqual({ from: iso("2026-02-27T00:00:00Z"), to: iso("2026-03-03T00:00:00Z") });
    for (const { least, usual, most } of Object.values(retentionDays))
      expect([least, usual, most]).toEqual([least, usual, most].toSorted((a, b) => a - b));
  });
});
