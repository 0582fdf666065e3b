import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nominalLengthMs, parseDuration } from "./duration.js";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "./local-time.js";

describe("a duration", () => {
  test.each([
    ["PT4H", 0, 4 * HOUR_MS],
    ["P1D", 1, 0],
    ["P1W", 7, 0],
    ["P2DT480M", 2, 480 * MINUTE_MS],
    ["PT0S", 0, 0],
    ["P99999DT999999H9999999M99999999S", 99_999, 999_999 * HOUR_MS + 9_999_999 * MINUTE_MS + 99_999_999 * SECOND_MS],
  ])("%s is read as days that are nominal and a rest that is exact", (text, days, exactMs) => {
    expect(parseDuration(text)).toEqual({ days, exactMs });
  });

  test.each([
    ["", "P", "PT", "P1DT", "4H", "PT4", "P4H", "PT1D", " PT4H", "PT4H ", "pt4h"],
    ["P1Y", "P1M", "P1W2D", "P0W2D", "P1WT1H"],
    ["-PT4H", "PT-4H", "+PT4H", "-PT0S", "PT1.5H", "PT1,5H"],
    ["P100000D", "P100000W", "PT1000000H", "PT100000000S", `P${"0".repeat(80)}1D`],
    ["PT1M1H", "PT1H1H", "P1H1D"],
  ])("is refused when it is %s or the like", (...texts) => {
    for (const text of texts) expect(parseDuration(text), text).toBeNull();
  });

  test("reads back whatever is written", () => {
    const count = fc.nat(9_999);
    fc.assert(
      fc.property(count, count, count, count, (days, hours, minutes, seconds) => {
        const parsed = parseDuration(`P${days}DT${hours}H${minutes}M${seconds}S`);
        const exactMs = hours * HOUR_MS + minutes * MINUTE_MS + seconds * SECOND_MS;
        expect(parsed).toEqual({ days, exactMs });
        if (parsed !== null) expect(nominalLengthMs(parsed)).toBe(days * DAY_MS + exactMs);
      }),
    );
  });
});
