import { describe, expect, it } from "vitest";
import { clockChangeOf, instantOf, localAt } from "./clock-change.js";

const madrid = (localStart: string, localEnd: string, startsAt: string, endsAt: string) =>
  clockChangeOf({ localStart, localEnd, startsAt, endsAt }, "Europe/Madrid");

describe("what a clock change does to an occurrence", () => {
  it("says that a night in March is an hour short", () => {
    expect(madrid("2027-03-28T00:00", "2027-03-28T04:00", "2027-03-27T23:00:00Z", "2027-03-28T02:00:00Z")).toEqual({
      kind: "short",
      lengthMs: 3 * 3_600_000,
      from: "02:00",
      to: "03:00",
      planned: "00:00",
      start: "00:00",
    });
  });

  it("says that a night in October is an hour long", () => {
    expect(madrid("2027-10-31T02:00", "2027-10-31T06:00", "2027-10-31T00:00:00Z", "2027-10-31T05:00:00Z")).toEqual({
      kind: "long",
      lengthMs: 5 * 3_600_000,
      from: "03:00",
      to: "02:00",
      planned: "02:00",
      start: "02:00",
    });
  });

  it("says when a start does not exist, or happens twice, although the window lasts as long as planned", () => {
    expect(madrid("2027-03-28T02:30", "2027-03-28T03:30", "2027-03-28T01:00:00Z", "2027-03-28T02:00:00Z")).toMatchObject({
      kind: "skipped",
      planned: "02:30",
      start: "03:00",
      from: "02:00",
      to: "03:00",
    });
    expect(madrid("2027-10-31T02:15", "2027-10-31T02:45", "2027-10-31T00:15:00Z", "2027-10-31T00:45:00Z")).toMatchObject({
      kind: "repeated",
      planned: "02:15",
      from: "03:00",
    });
  });

  it("is silent on any other night", () => {
    expect(madrid("2026-12-06T02:00", "2026-12-06T06:00", "2026-12-06T01:00:00Z", "2026-12-06T05:00:00Z")).toBeNull();
  });

  it("reads the wall clock on both sides of a change", () => {
    expect(localAt(Date.parse("2027-03-28T00:59:00Z"), "Europe/Madrid")).toBe("2027-03-28T01:59");
    expect(localAt(Date.parse("2027-03-28T01:00:00Z"), "Europe/Madrid")).toBe("2027-03-28T03:00");
    expect(localAt(Date.parse("2026-01-01T00:00:00Z"), "America/St_Johns")).toBe("2025-12-31T20:30");
  });
});

describe("the instant of a local time", () => {
  it.each([
    ["2026-12-06T02:00", "Europe/Madrid", "2026-12-06T01:00:00.000Z"],
    // 02:30 happens twice, then never.
    ["2026-10-25T02:30", "Europe/Madrid", "2026-10-25T00:30:00.000Z"],
    ["2027-03-28T02:30", "Europe/Madrid", "2027-03-28T01:30:00.000Z"],
    ["2026-11-01T01:30", "America/Chicago", "2026-11-01T06:30:00.000Z"],
    ["2027-04-04T02:30", "Australia/Sydney", "2027-04-03T15:30:00.000Z"],
    ["2026-12-06T23:59", "UTC", "2026-12-06T23:59:00.000Z"],
  ])("%s in %s is %s", (local, zone, at) => {
    expect(instantOf(local, zone)).toBe(at);
  });

  it("is none for what is no local time", () => {
    for (const local of ["", "T", "2026-12-06T", "T02:00", "2026-13-40T02:00"]) expect(instantOf(local, "UTC")).toBeNull();
  });
});
