import fc from "fast-check";
import type { PlainRule } from "./slow-reference.js";

/** Zones with the days around which their clocks do something. */
export const ZONES: readonly { readonly zone: string; readonly days: readonly string[] }[] = [
  { zone: "America/New_York", days: ["2021-03-14", "2021-11-07"] },
  { zone: "Europe/Madrid", days: ["2014-03-30", "2021-10-31"] },
  { zone: "Australia/Sydney", days: ["2020-10-04", "2021-04-04"] },
  { zone: "Australia/Lord_Howe", days: ["2020-10-04", "2021-04-04"] },
  { zone: "Africa/Casablanca", days: ["2019-05-05", "2019-06-09"] },
  { zone: "Pacific/Apia", days: ["2011-12-30", "2012-04-01"] },
  { zone: "America/Sao_Paulo", days: ["2018-11-04", "2019-02-17"] },
  { zone: "America/Santiago", days: ["2022-09-11", "2023-04-02"] },
  { zone: "Pacific/Chatham", days: ["2021-09-26", "2022-04-03"] },
  { zone: "UTC", days: ["2020-02-29", "2021-12-31"] },
];

export const optionally = <Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: 2 });
const someOf = (values: readonly number[], most: number): fc.Arbitrary<readonly number[]> =>
  fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: most });
const weekdays = fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 3 });
export const SHORT_HOURS = [0, 1, 2, 3, 23];

export const plainRule: fc.Arbitrary<PlainRule> = fc
  .record({
    frequency: fc.constantFrom("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY" as const),
    interval: fc.integer({ min: 1, max: 5 }),
    weekStart: fc.integer({ min: 0, max: 6 }),
    count: optionally(fc.integer({ min: 1, max: 60 })),
    months: optionally(someOf([1, 2, 3, 4, 9, 10, 11, 12], 3)),
    monthDays: optionally(someOf([1, 15, 29, 30, 31, -1, -2, -31], 3)),
    plainDays: optionally(weekdays),
    nth: fc.constantFrom(1, 2, 5, -1, -2),
    isNumbered: fc.boolean(),
    isMixed: fc.boolean(),
    hours: optionally(someOf(SHORT_HOURS, 3)),
    minutes: optionally(someOf([0, 15, 30, 45], 2)),
    positions: optionally(someOf([1, 2, -1, -2], 2)),
  })
  .map(({ plainDays, nth, isNumbered, isMixed, monthDays, positions, ...rule }) => {
    const mayNumber = rule.frequency === "YEARLY" || rule.frequency === "MONTHLY";
    const days = plainDays?.map((weekday, index) => ({ weekday, nth: isNumbered && mayNumber && (!isMixed || index > 0) ? nth : null }));
    const choosable =
      days !== undefined ||
      (monthDays !== undefined && rule.frequency !== "WEEKLY") ||
      rule.hours !== undefined ||
      rule.minutes !== undefined;
    return {
      ...rule,
      days,
      monthDays: rule.frequency === "WEEKLY" ? undefined : monthDays,
      positions: choosable ? positions : undefined,
    };
  });
