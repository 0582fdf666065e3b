import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { formatLocal, occurrences, packagedZoneData, requireZone, rfcInstant } from "@quiesce/core";
import {
  explainFloating,
  explainTemporal,
  ourInstants,
  ourLocals,
  rruleInstant,
  rruleTemporalTimes,
  rruleTimes,
  type Question,
} from "./other-libraries.js";
import { FLOATING, TEMPORAL, TZID, type Example } from "./known-disagreements.js";
import { plainRule, ZONES } from "./random-series.js";
import { writeRule } from "./slow-reference.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const iso = (instant: number): string => new Date(instant).toISOString().replace(":00.000Z", "Z");
const SPAN_DAYS = { HOURLY: 6, DAILY: 25, WEEKLY: 120, MONTHLY: 400, YEARLY: 1_500 } as const;

const question: fc.Arbitrary<Question> = fc
  .record({
    place: fc.constantFrom(...ZONES.flatMap(({ zone, days }) => days.map((day) => ({ zone, day })))),
    daysBefore: fc.constantFrom(0, 1, 1, 2, 7, 28),
    hour: fc.constantFrom(0, 1, 2, 2, 3, 9, 23),
    minute: fc.constantFrom(0, 30),
    // On an hourly rule with hours that its steps never meet rrule.js walks on to the year 9999.
    rule: plainRule.filter(({ frequency, hours }) => frequency !== "HOURLY" || hours === undefined),
    untilIndex: fc.option(fc.integer({ min: 0, max: 20 }), { nil: null, freq: 2 }),
    untilShift: fc.constantFrom(-HOUR, 0, HOUR),
  })
  .map(({ place, daysBefore, hour, minute, rule, untilIndex, untilShift }) => {
    const startMs = Date.parse(`${place.day}T00:00Z`) - daysBefore * DAY + hour * HOUR + minute * MINUTE;
    const zone = requireZone(packagedZoneData(), place.zone);
    const to = startMs + SPAN_DAYS[rule.frequency] * DAY;
    const asked: Question = { startMs, zone, timeZone: place.zone, rule, from: startMs - 2 * DAY, to };
    const last = untilIndex === null ? undefined : ourLocals(asked)[untilIndex];
    if (last === undefined) return asked;
    return { ...asked, rule: { ...rule, count: undefined, untilInstant: rfcInstant(last, zone) + untilShift } };
  })
  // What never happens again, the libraries walk for to the year 9999.
  .filter(({ startMs, rule, to }) => {
    const rrule = writeRule({ ...rule, count: undefined, untilInstant: undefined });
    return occurrences({ start: formatLocal(startMs), timeZone: "UTC", rrule }, { from: to + 3 * DAY, to: to + 400 * DAY }).length > 0;
  });

/** A fixed seed: the classes that are seen do not change from run to run. A nightly run asks for more, with another. */
const RUNS = { seed: Number(process.env.PROPERTY_SEED ?? 5_545), numRuns: Number(process.env.PROPERTY_RUNS ?? 100) };
/** rrule.js takes its offsets from the zone of the process and from dates in the American writing, so both are fixed here. */
const zoneBefore = process.env.TZ;
beforeAll(() => {
  process.env.TZ = "UTC";
  expect(Intl.DateTimeFormat().resolvedOptions().locale, "rrule.js reads American dates only: run with LANG=en_US or LANG=C").toBe("en-US");
});
afterAll(() => {
  if (zoneBefore === undefined) delete process.env.TZ;
  else process.env.TZ = zoneBefore;
});

describe("on random recurrences another library disagrees with us in the listed classes only", () => {
  test("rrule.js, floating", () => {
    fc.assert(
      fc.property(question, (asked) => {
        const classes = explainFloating(asked);
        if (classes === null) expect(rruleTimes(asked, "floating").map(formatLocal)).toEqual(ourLocals(asked).map(formatLocal));
        else expect(FLOATING.map(({ name }) => name)).toEqual(expect.arrayContaining([...classes]));
      }),
      RUNS,
    );
  });

  test("rrule.js with a time zone: its floating times with the offset of the wrong instant, and nothing else", () => {
    fc.assert(
      fc.property(question, (asked) => {
        // Away from the ends of the range, at which an instant is in it and its local time is not.
        const inside = (instant: number): boolean => instant >= asked.from + DAY && instant < asked.to - DAY;
        const predicted = rruleTimes(asked, "floating").map((local) => rruleInstant(local, asked.zone));
        expect(rruleTimes(asked, "tzid").filter(inside)).toEqual(predicted.filter(inside));
      }),
      RUNS,
    );
  });

  test("rrule-temporal", () => {
    fc.assert(
      fc.property(question, (asked) => {
        const theirs = rruleTemporalTimes(asked);
        const name = explainTemporal(asked, theirs);
        if (name === null) expect(theirs.map(iso)).toEqual(ourInstants(asked).map(iso));
        else expect(TEMPORAL.map((one) => one.name)).toContain(name);
      }),
      RUNS,
    );
  });
});

const examined = ({ zone, start, rule }: Example): Question => {
  const startMs = Date.parse(`${start}Z`);
  return { startMs, timeZone: zone, zone: requireZone(packagedZoneData(), zone), rule, from: startMs - 2 * DAY, to: startMs + 400 * DAY };
};

describe("each listed class has an example in which we are as documented and the library is not", () => {
  test.each(FLOATING)("rrule.js, floating: $name, because $reason", ({ name, ours, theirs, ...example }) => {
    const asked = examined(example);
    expect(ourLocals(asked).map(formatLocal)).toEqual(ours);
    expect(rruleTimes(asked, "floating").map(formatLocal)).toEqual(theirs);
    expect(explainFloating(asked)).toEqual([name]);
  });

  test.each(TZID)("rrule.js with a time zone: $name, because $reason", ({ ours, theirs, ...example }) => {
    const asked = examined(example);
    expect(ourInstants(asked).map(iso)).toEqual(ours);
    expect(rruleTimes(asked, "tzid").map(iso)).toEqual(theirs);
  });

  test.each(TEMPORAL)("rrule-temporal: $name, because $reason", ({ name, ours, theirs, ...example }) => {
    const asked = examined(example);
    expect(ourInstants(asked).map(iso)).toEqual(ours);
    expect(rruleTemporalTimes(asked).map(iso)).toEqual(theirs);
    expect(explainTemporal(asked, rruleTemporalTimes(asked))).toBe(name);
  });
});
