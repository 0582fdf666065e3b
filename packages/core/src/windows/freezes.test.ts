import { describe, expect, it } from "vitest";
import { packagedZoneData } from "../time/packaged-zone-data.js";
import { type FreezeOccurrence, freezesMet, nearestFreeStart, type PlannedOccurrence, refusalInFreeze } from "./freezes.js";
import { windowKinds } from "./window-kinds.js";

const zones = packagedZoneData();
const at = (text: string): number => Date.parse(`${text}Z`);
const planned = (localStart: string, localEnd: string): PlannedOccurrence => ({
  localStart,
  localEnd,
  start: at(localStart),
  end: at(localEnd),
});
const freeze = (from: string, until: string, key = "year-end"): FreezeOccurrence => ({
  freeze: key,
  title: "Year end",
  owner: "finance",
  localStart: from,
  start: at(from),
  end: at(until),
});
const christmas = freeze("2026-12-18T00:00", "2027-01-07T00:00");
const patch = planned("2026-12-20T22:00", "2026-12-20T23:00");

describe("a freeze", () => {
  it("is met by a change inside it, and by no other kind", () => {
    const kinds = windowKinds.filter((kind) => freezesMet({ kind, planned: [patch], freezes: [christmas] }).length > 0);
    expect(kinds).toEqual(["change"]);
  });

  it("is not met by a change that ends when it begins, or begins when it ends", () => {
    const touching = [planned("2026-12-17T22:00", "2026-12-18T00:00"), planned("2027-01-07T00:00", "2027-01-07T01:00")];
    expect(freezesMet({ kind: "change", planned: touching, freezes: [christmas] })).toEqual([]);
    const [met] = freezesMet({ kind: "change", planned: [planned("2026-12-17T22:00", "2026-12-18T00:01")], freezes: [christmas] });
    expect(met).toMatchObject({ from: christmas.start, until: christmas.start + 60_000 });
  });
});

describe("the nearest free start", () => {
  const nearest = (input: Partial<Parameters<typeof nearestFreeStart>[0]> = {}) =>
    nearestFreeStart({ planned: patch, timeZone: "UTC", taken: [christmas], now: at("2026-11-01T00:00"), zones, ...input });

  it("is the same time of day on the nearest day that is free, before or after", () => {
    expect(nearest()).toBe("2026-12-17T22:00");
    expect(nearest({ planned: planned("2027-01-05T22:00", "2027-01-05T23:00") })).toBe("2027-01-07T22:00");
  });

  it("lies ahead of now and meets nothing else that is taken", () => {
    expect(nearest({ now: at("2026-12-19T00:00") })).toBe("2027-01-07T22:00");
    const other = { start: at("2027-01-07T12:00"), end: at("2027-01-08T12:00") };
    expect(nearest({ now: at("2026-12-19T00:00"), taken: [christmas, other] })).toBe("2027-01-08T22:00");
  });

  it("is none when nothing is free within a hundred days, or a pause has no end", () => {
    expect(nearest({ now: at("2026-12-19T00:00"), taken: [{ start: at("2026-12-18T00:00"), end: null }] })).toBeNull();
  });

  it("is read in the plan's zone", () => {
    const madrid = { ...patch, start: at("2026-12-20T21:00"), end: at("2026-12-20T22:00") };
    // 18 December begins in Madrid an hour before it begins in UTC: 23:00 there on the 17th is 22:00Z.
    const taken = [freeze("2026-12-17T21:30", "2027-01-07T00:00")];
    expect(nearest({ planned: madrid, timeZone: "Europe/Madrid", taken })).toBe("2026-12-16T22:00");
  });
});

describe("the refusal", () => {
  it("names the freeze, its owner, how many occurrences fall into it, and the nearest free start", () => {
    const own = [patch, planned("2026-12-27T22:00", "2026-12-27T23:00")];
    const [first, ...more] = freezesMet({ kind: "change", planned: own, freezes: [christmas] });
    if (first === undefined) throw new Error("It is met.");
    const error = refusalInFreeze({ window: "patch", met: [first, ...more], nearest: "2026-12-17T22:00" });
    expect(error).toMatchObject({
      code: "QSC_WINDOW_IN_FREEZE",
      field: "start",
      details: { nearest: "2026-12-17T22:00", occurrences: 2, freezes: ["year-end"] },
    });
    expect(error.message).toContain(
      'at 2026-12-20T22:00 and 1 more of its occurrences would fall into the freeze "year-end" (Year end) of finance, from 2026-12-18T00:00:00.000Z until 2027-01-07T00:00:00.000Z. The nearest time that is free: 2026-12-17T22:00.',
    );
  });
});
