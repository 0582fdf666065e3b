import { describe, expect, it } from "vitest";
import { changeSeries } from "./change-series.js";

const weekly = {
  start: "2026-03-02T22:00",
  end: "2026-03-03T02:00",
  timeZone: "Europe/Madrid",
  rrule: "FREQ=WEEKLY",
  exdates: ["2026-03-09T22:00"],
};

describe("a changed series", () => {
  it("keeps what is left out, and loses what is null", () => {
    expect(changeSeries(weekly, {})).toEqual(weekly);
    expect(changeSeries(weekly, { rrule: null, exdates: null })).toEqual({
      start: "2026-03-02T22:00",
      end: "2026-03-03T02:00",
      timeZone: "Europe/Madrid",
    });
  });

  it("that starts at another time lasts as long as before, unless its end is said as well", () => {
    expect(changeSeries(weekly, { start: "2026-03-04T23:30" })).toMatchObject({ start: "2026-03-04T23:30", end: "2026-03-05T03:30" });
    expect(changeSeries(weekly, { start: "2026-03-04T23:30", end: "2026-03-05T00:00" })).toMatchObject({ end: "2026-03-05T00:00" });
  });

  it("has an end or a duration, and a rule or business days, whichever was said last", () => {
    const short = changeSeries(weekly, { duration: "PT1H", businessDays: { of: "month", ordinals: [1] } });
    expect(short).toEqual({ ...weekly, end: undefined, rrule: undefined, duration: "PT1H", businessDays: { of: "month", ordinals: [1] } });
    expect(changeSeries(short, { end: "2026-03-03T04:00", rrule: "FREQ=DAILY" })).toEqual({
      ...weekly,
      end: "2026-03-03T04:00",
      rrule: "FREQ=DAILY",
    });
  });
});
