import { describe, expect, it } from "vitest";
import { emptyForm, type EditedWindow, formFieldOf, formOf, inputOf, previewInputOf, type WindowForm } from "./window-form.js";

const NOW = Date.parse("2026-11-21T12:00:00Z");
const filled: WindowForm = {
  ...emptyForm(NOW, {}, "Europe/Madrid"),
  title: "ERP patch",
  owner: "Erika Ruiz",
  reason: "monthly patch",
  chosen: [{ kind: "systems", key: "erp" }],
};

const stored: EditedWindow = {
  id: "w",
  key: "erp-patch",
  title: "ERP patch",
  kind: "MAINTENANCE",
  mode: "ENFORCE",
  owner: "Erika Ruiz",
  reason: "monthly patch",
  version: 1,
  drain: { deadlineMinutes: 20, atDeadline: "LEAVE", leadLimitMinutes: 0 },
  resume: { readinessCheck: false, maxWaitMinutes: 45, canaries: 2, failureBound: 0.2, reconcile: true },
  scope: { all: false, systems: ["erp"], integrations: [], tags: ["sales"] },
  series: {
    start: "2026-12-06T02:00",
    end: "2026-12-06T06:00",
    duration: null,
    rrule: "FREQ=MONTHLY;BYDAY=1SU",
    timeZone: "Europe/Madrid",
    dstPolicy: "COVER",
    exdates: ["2027-01-03T02:00"],
    rdates: [],
    calendar: null,
    holidays: [],
    onHoliday: null,
    weekend: ["SA", "SU"],
    businessDays: null,
  },
};

describe("the form of a window", () => {
  it("begins with tomorrow in the reader's zone", () => {
    expect(emptyForm(NOW, {}, "Europe/Madrid").timing).toMatchObject({ from: "2026-11-22", startTime: "02:00", endTime: "06:00" });
  });

  it("plans the first Sunday from the next one on", () => {
    const timing = { ...filled.timing, repeats: "weekday-of-month", ordinal: 1, weekday: "SU" } as const;
    expect(inputOf({ ...filled, timing })).toMatchObject({
      scope: { systems: ["erp"] },
      series: { start: "2026-12-06T02:00", end: "2026-12-06T06:00", rrule: "FREQ=MONTHLY;BYDAY=1SU", timeZone: "Europe/Madrid" },
    });
  });

  it("gives back a stored window, with what it does not show", () => {
    const input = inputOf(formOf(stored));
    const { duration: _duration, businessDays: _businessDays, ...shown } = stored.series;
    expect(input).toMatchObject({ title: "ERP patch", series: shown, scope: { systems: ["erp"], tags: ["sales"] } });
    expect(input).toMatchObject({ drain: stored.drain, resume: stored.resume });
  });

  it("ends a series with a day or after so many times", () => {
    const timing = { ...filled.timing, repeats: "daily" } as const;
    const ruleWith = (ends: typeof filled.timing.ends) => inputOf({ ...filled, timing: { ...timing, ends } })?.series.rrule;
    expect(ruleWith({ kind: "day", day: "2026-12-31" })).toBe("FREQ=DAILY;UNTIL=20261231");
    expect(ruleWith({ kind: "count", count: 3 })).toBe("FREQ=DAILY;COUNT=3");
  });

  it("leaves a series that it cannot show as it is", () => {
    const special = { ...stored, series: { ...stored.series, rrule: "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU" } };
    expect(inputOf(formOf(special))?.series).toEqual(special.series);
  });

  it("previews before everything is filled in, but not before it covers something", () => {
    expect(previewInputOf({ ...filled, title: "", owner: "" })).not.toBeNull();
    expect(previewInputOf({ ...filled, chosen: [] })).toBeNull();
  });

  it.each([
    ["series.rrule", "when"],
    ["end", "end"],
    ["input.owner", "owner"],
    ["scope.systems", "scope"],
    ["drain.deadlineMinutes", "policies"],
    ["timeZone", "timeZone"],
    [null, null],
  ])("shows a refusal of %s at %s", (field, shown) => expect(formFieldOf(field)).toBe(shown));
});
