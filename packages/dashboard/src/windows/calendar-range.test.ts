import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rangeOf, stepped } from "./calendar-range.js";
import { addDays } from "./recurrence.js";
import { calendarViews } from "./calendar-views.js";

const dates = fc.integer({ min: 0, max: 20_000 }).map((days) => addDays("2020-01-01", days));

describe("what a view of the calendar shows", () => {
  it.each([
    ["day", "2026-12-06", "2026-12-06", "2026-12-06"],
    ["week", "2026-12-06", "2026-11-30", "2026-12-06"],
    ["month", "2028-02-15", "2028-02-01", "2028-02-29"],
    ["quarter", "2026-12-06", "2026-10-01", "2026-12-31"],
  ] as const)("is in a %s of %s %s to %s", (view, date, first, last) => expect(rangeOf(view, date)).toEqual({ first, last }));

  it("joins the view behind it without a gap", () => {
    fc.assert(
      fc.property(fc.constantFrom(...calendarViews), dates, (view, date) => {
        const range = rangeOf(view, date);
        expect(range.first <= date && date <= range.last).toBe(true);
        expect(rangeOf(view, stepped(view, date, 1)).first).toBe(addDays(range.last, 1));
        expect(addDays(rangeOf(view, stepped(view, date, -1)).last, 1)).toBe(range.first);
      }),
    );
  });
});
