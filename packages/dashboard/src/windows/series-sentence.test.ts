import { createIntl, type IntlConfig } from "react-intl";
import { describe, expect, it } from "vitest";
import en from "../messages/en/windows.json" with { type: "json" };
import es from "../messages/es/windows.json" with { type: "json" };
import { seriesSentence, type ShownSeries } from "./series-sentence.js";

const intlOf = (locale: string, messages: object) => createIntl({ locale, messages: messages as IntlConfig["messages"] });
const [english, spanish] = [intlOf("en-GB", en), intlOf("es-ES", es)];
const series = (rrule: string | null, change: Partial<ShownSeries> = {}): ShownSeries => ({
  start: "2026-12-06T02:00",
  end: "2026-12-06T06:00",
  duration: null,
  rrule,
  timeZone: "Europe/Madrid",
  businessDays: null,
  ...change,
});

describe("the sentence of a series", () => {
  it.each([
    ["FREQ=MONTHLY;BYDAY=1SU", "First Sunday of every month", "El primer domingo de cada mes"],
    ["FREQ=MONTHLY;INTERVAL=3;BYDAY=-1SU", "Last Sunday of every 3 months", "El último domingo de cada 3 meses"],
    ["FREQ=WEEKLY;BYDAY=MO,WE", "Every Monday and Wednesday", "Cada lunes y miércoles"],
    ["FREQ=WEEKLY;INTERVAL=2;BYDAY=SU", "Every 2 weeks on Sunday", "Cada 2 semanas: domingo"],
    ["FREQ=DAILY", "Every day", "Cada día"],
    ["FREQ=MONTHLY;BYMONTHDAY=15", "Day 15 of every month", "El día 15 de cada mes"],
    ["FREQ=MONTHLY;BYMONTHDAY=-1", "Last day of every month", "El último día de cada mes"],
    ["FREQ=YEARLY;BYMONTH=3", "By the rule FREQ=YEARLY;BYMONTH=3", "Según la regla FREQ=YEARLY;BYMONTH=3"],
  ])("reads %s in both languages", (rrule, inEnglish, inSpanish) => {
    expect(seriesSentence(series(rrule), english)).toBe(`${inEnglish}, 02:00–06:00 Europe/Madrid`);
    expect(seriesSentence(series(rrule), spanish)).toBe(`${inSpanish}, 02:00–06:00 Europe/Madrid`);
  });

  it("names the day of one that happens once", () => {
    // Whether a comma follows the weekday is a matter of the version of CLDR.
    expect(seriesSentence(series(null), english)).toMatch(/^Sunday,? 6 December 2026, 02:00–06:00/);
    expect(seriesSentence(series(null), spanish)).toMatch(/^domingo,? 6 de diciembre de 2026, 02:00–06:00/);
  });

  it("says on which day it ends, how long it lasts, and which business days it counts", () => {
    expect(seriesSentence(series("FREQ=DAILY", { end: "2026-12-07T06:00" }), english)).toBe(
      "Every day, 02:00–06:00 the next day Europe/Madrid",
    );
    expect(seriesSentence(series("FREQ=DAILY", { end: "2026-12-08T06:00" }), spanish)).toContain("06:00 2 días después");
    expect(seriesSentence(series("FREQ=DAILY", { end: null, duration: "PT4H" }), english)).toBe("Every day, 02:00 for PT4H Europe/Madrid");
    const counted = series(null, { businessDays: { of: "MONTH", ordinals: [1, -1] } });
    expect(seriesSentence(counted, english)).toBe("Business day 1 and -1 of every month, 02:00–06:00 Europe/Madrid");
  });

  it("has every message in both languages", () => expect(Object.keys(es)).toEqual(Object.keys(en)));
});
