import type { PlainRule } from "./slow-reference.js";

/** A recurrence with our answer and the library's. */
export interface Example {
  readonly start: string;
  readonly zone: string;
  readonly rule: PlainRule;
}

/** A class of disagreements: why we keep to our answer, and one worked out by hand. */
interface Disagreement extends Example {
  readonly name: string;
  readonly reason: string;
  /** How often it was seen in 500 questions (PROPERTY_RUNS=500, seed 5545); 0 is rarer. */
  readonly seen: number;
  readonly ours: readonly string[];
  readonly theirs: readonly string[];
}

const rule = (frequency: PlainRule["frequency"], parts: Partial<PlainRule>): PlainRule => ({
  frequency,
  interval: 1,
  weekStart: 0,
  ...parts,
});
const WEDNESDAY = 2;
const FRIDAY = 4;

/** rrule.js 2.8.1 as a generator of floating times; these are local times. */
export const FLOATING: readonly Disagreement[] = [
  {
    name: "UNTIL as a local time",
    reason: "UNTIL in UTC is an instant (3.3.10); the library compares its digits with the local time",
    seen: 30,
    start: "2026-01-01T09:00",
    zone: "Asia/Tokyo",
    // 09:00 in Tokyo is 00:00Z, which is UNTIL and inclusive.
    rule: rule("DAILY", { untilInstant: Date.parse("2026-01-03T00:00Z") }),
    ours: ["2026-01-01T09:00", "2026-01-02T09:00", "2026-01-03T09:00"],
    theirs: ["2026-01-01T09:00", "2026-01-02T09:00"],
  },
  {
    name: "times in the order written",
    reason: "a list of hours is a set (3.3.10); the library walks it as written, so positions and COUNT take the wrong ones",
    seen: 86,
    start: "2026-01-01T00:30",
    zone: "UTC",
    // The last of 01:30, 03:30 and 23:30 is 23:30.
    rule: rule("DAILY", { count: 2, hours: [23, 1, 3], positions: [-1] }),
    ours: ["2026-01-01T23:30", "2026-01-02T23:30"],
    theirs: ["2026-01-01T03:30", "2026-01-02T03:30"],
  },
  {
    name: "plain and numbered weekdays at once",
    reason: "the values of BYDAY are alternatives (3.3.10); the library asks for a plain and a numbered one at once",
    seen: 11,
    start: "2026-01-02T09:00",
    zone: "UTC",
    // Every Friday, the first among them.
    rule: rule("MONTHLY", {
      count: 3,
      days: [
        { weekday: FRIDAY, nth: 1 },
        { weekday: FRIDAY, nth: null },
      ],
    }),
    ours: ["2026-01-02T09:00", "2026-01-09T09:00", "2026-01-16T09:00"],
    theirs: ["2026-01-02T09:00", "2026-02-06T09:00", "2026-03-06T09:00"],
  },
  {
    name: "a position before the first",
    reason: "a set of one has no last but one; the library gives the first instead",
    seen: 0,
    start: "2026-03-30T09:00",
    zone: "UTC",
    // April has no 31st, so its 30th stands alone.
    rule: rule("MONTHLY", { count: 2, monthDays: [30, 31], positions: [-2] }),
    ours: ["2026-03-30T09:00", "2026-05-30T09:00"],
    theirs: ["2026-03-30T09:00", "2026-04-30T09:00"],
  },
  {
    name: "one time twice",
    reason: "a recurrence set has a time once; two positions that name one time give it twice, and COUNT counts both",
    seen: 15,
    start: "2026-01-01T09:00",
    zone: "UTC",
    rule: rule("MONTHLY", { count: 2, monthDays: [1], positions: [1, -1] }),
    ours: ["2026-01-01T09:00", "2026-02-01T09:00"],
    theirs: ["2026-01-01T09:00", "2026-01-01T09:00"],
  },
  {
    name: "the first week begins with the start",
    reason: "positions count within the week of WKST (3.3.10); the library counts the first week from DTSTART",
    seen: 4,
    start: "2026-01-07T09:00",
    zone: "UTC",
    // 7 January is a Wednesday, the second of Monday, Wednesday and Friday.
    rule: rule("WEEKLY", { count: 2, days: [0, WEDNESDAY, FRIDAY].map((weekday) => ({ weekday, nth: null })), positions: [2] }),
    ours: ["2026-01-07T09:00", "2026-01-14T09:00"],
    theirs: ["2026-01-09T09:00", "2026-01-14T09:00"],
  },
];

/** rrule.js 2.8.1 with `tzid` in a process in UTC; these are instants. Beside this one it has the classes above. */
export const TZID: readonly Disagreement[] = [
  {
    name: "the offset of the wrong instant",
    reason: "a local time has the offset of its own instant (3.3.5); the library asks for that of the instant at which UTC shows it",
    seen: 33,
    start: "2021-11-07T03:30",
    zone: "America/New_York",
    // Clocks go back at 06:00Z. 03:30 is 08:30Z, with UTC-5; at 03:30Z it was still UTC-4.
    rule: rule("DAILY", { count: 2 }),
    ours: ["2021-11-07T08:30Z", "2021-11-08T08:30Z"],
    theirs: ["2021-11-07T07:30Z", "2021-11-08T08:30Z"],
  },
];

/** rrule-temporal 2.2.7 with the Temporal polyfill that it bundles; these are instants. */
export const TEMPORAL: readonly Disagreement[] = [
  {
    name: "starts in a gap are left out",
    reason:
      "3.3.10 says both that such a start is ignored and that it is read as 3.3.5 reads it; we document the second, because a window that vanishes dispatches into a system that is down",
    seen: 3,
    start: "2021-03-27T02:30",
    zone: "Europe/Madrid",
    // Clocks go from 02:00 to 03:00 at 01:00Z on the 28th: 02:30 with UTC+1 is 01:30Z, and counts.
    rule: rule("DAILY", { count: 3 }),
    ours: ["2021-03-27T01:30Z", "2021-03-28T01:30Z", "2021-03-29T00:30Z"],
    theirs: ["2021-03-27T01:30Z", "2021-03-29T00:30Z", "2021-03-30T00:30Z"],
  },
  {
    name: "a start in a gap moves the series",
    reason: "the local time of a start is 02:30 also when clocks jump over it; the library takes 03:30 for all that follow",
    seen: 4,
    start: "2021-03-28T02:30",
    zone: "Europe/Madrid",
    rule: rule("DAILY", { count: 2 }),
    ours: ["2021-03-28T01:30Z", "2021-03-29T00:30Z"],
    theirs: ["2021-03-28T01:30Z", "2021-03-29T01:30Z"],
  },
  {
    name: "hours as they pass",
    reason:
      "we document that HOURLY steps on the wall clock; the library does so without BYDAY or BYMONTH and counts elapsed hours with them",
    seen: 5,
    start: "2018-11-03T23:30",
    zone: "America/Sao_Paulo",
    // A Saturday at UTC-3. At midnight clocks go to 01:00, UTC-2: from 23:30 four hours on, the clock shows 03:30 (05:30Z) and three hours have passed.
    rule: rule("HOURLY", { interval: 4, count: 3, days: [5, 6].map((weekday) => ({ weekday, nth: null })) }),
    ours: ["2018-11-04T02:30Z", "2018-11-04T05:30Z", "2018-11-04T09:30Z"],
    theirs: ["2018-11-04T02:30Z", "2018-11-04T06:30Z", "2018-11-04T10:30Z"],
  },
  {
    name: "only the numbered weekdays of a year",
    reason: "the values of BYDAY are alternatives and BYMONTHDAY limits them (3.3.10); beside a numbered one the library drops both",
    seen: 2,
    start: "2026-01-02T09:00",
    zone: "UTC",
    // Every Friday and the first Monday of the year, which is 5 January.
    rule: rule("YEARLY", {
      count: 3,
      days: [
        { weekday: FRIDAY, nth: null },
        { weekday: 0, nth: 1 },
      ],
    }),
    ours: ["2026-01-02T09:00Z", "2026-01-05T09:00Z", "2026-01-09T09:00Z"],
    theirs: ["2026-01-05T09:00Z", "2027-01-04T09:00Z"],
  },
  {
    name: "a short change of clocks is not seen",
    reason: "Morocco was at UTC+0 from 5 May to 9 June 2019; the polyfill looks for changes in longer steps and misses both",
    seen: 9,
    start: "2019-05-05T12:00",
    zone: "Africa/Casablanca",
    rule: rule("DAILY", { count: 2 }),
    ours: ["2019-05-05T12:00Z", "2019-05-06T12:00Z"],
    theirs: ["2019-05-05T11:00Z", "2019-05-06T11:00Z"],
  },
];
