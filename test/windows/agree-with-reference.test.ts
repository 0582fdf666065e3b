import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatLocal, occurrences, windowAt, type WindowSeries } from "@quiesce/core";
import { optionally, plainRule, SHORT_HOURS, ZONES } from "./random-series.js";
import { instantsOfOccurrence, localStarts, writeRule, type PlainSeries } from "./slow-reference.js";

const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;

const plainSeries: fc.Arbitrary<PlainSeries> = fc
  .record({
    place: fc.constantFrom(...ZONES.flatMap(({ zone, days }) => days.map((day) => ({ zone, day })))),
    daysBefore: fc.constantFrom(0, 1, 7, 28, 400),
    hour: fc.constantFrom(...SHORT_HOURS, 12),
    minute: fc.constantFrom(0, 15, 30, 45),
    lengthMs: fc.constantFrom(15 * MINUTE, 30 * MINUTE, HOUR, 4 * HOUR, DAY, 3 * DAY),
    rule: fc.option(plainRule, { nil: null, freq: 8 }),
    policy: fc.constantFrom("cover", "rfc" as const),
    excludedIndexes: fc.uniqueArray(fc.integer({ min: 0, max: 30 }), { maxLength: 4 }),
    addedMinutes: fc.uniqueArray(fc.integer({ min: -1_000, max: 60_000 }), { maxLength: 3 }),
    untilIndex: optionally(fc.integer({ min: 0, max: 40 })),
    untilShift: fc.constantFrom(-1_000, 0, 1_000),
  })
  .map(({ place, daysBefore, hour, minute, excludedIndexes, addedMinutes, untilIndex, untilShift, ...rest }) => {
    const startMs = Date.parse(`${place.day}T00:00Z`) - daysBefore * DAY + hour * HOUR + minute * MINUTE;
    const bare: PlainSeries = {
      startMs,
      zone: place.zone,
      ...rest,
      excluded: [],
      added: addedMinutes.map((minutes) => startMs + minutes * MINUTE),
    };
    const starts = localStarts(bare, startMs + 500 * DAY);
    const pick = (index: number): number | undefined => starts[index % Math.max(1, starts.length)];
    const untilLocal = untilIndex === undefined ? undefined : pick(untilIndex);
    const untilInstant =
      untilLocal === undefined ? undefined : instantsOfOccurrence(untilLocal, { ...bare, lengthMs: 0 }).start + untilShift;
    return {
      ...bare,
      rule: bare.rule === null || untilInstant === undefined ? bare.rule : { ...bare.rule, untilInstant },
      excluded: excludedIndexes.map(pick).filter((local) => local !== undefined),
    };
  });

function toSeries(plain: PlainSeries, shape: "window" | "starts"): WindowSeries {
  return {
    start: formatLocal(plain.startMs),
    ...(shape === "window" ? { end: formatLocal(plain.startMs + plain.lengthMs) } : {}),
    timeZone: plain.zone,
    rrule: plain.rule === null ? null : writeRule(plain.rule),
    exdates: plain.excluded.map(formatLocal),
    rdates: plain.added.map(formatLocal),
    dstPolicy: plain.policy,
  };
}

const place = fc.record({ days: fc.integer({ min: -2, max: 430 }), minutes: fc.integer({ min: 0, max: 1_439 }) });
/** A failure prints its seed. A nightly run asks for more. */
const RUNS = { numRuns: Number(process.env.PROPERTY_RUNS ?? 300) };
const TIMEOUT_MS = 600_000;

describe("the engine agrees with a direct reading of the documentation on random series", () => {
  test(
    "occurrences are those of the direct reading, in every field",
    () => {
      fc.assert(
        fc.property(plainSeries, place, fc.integer({ min: 0, max: 90 }), (plain, at, days) => {
          const from = plain.startMs + at.days * DAY + at.minutes * MINUTE;
          const to = from + days * DAY;
          const expected = localStarts(plain, to + 3 * DAY)
            .map((local) => instantsOfOccurrence(local, plain))
            .filter(({ start }) => start >= from && start < to)
            .toSorted((a, b) => a.start - b.start || a.local - b.local);
          const found = occurrences(toSeries(plain, "window"), { from, to });
          expect(found.map(({ start, end, localStart }) => ({ start, end, localStart }))).toEqual(
            expected.map(({ start, end, local }) => ({ start, end, localStart: formatLocal(local) })),
          );
        }),
        RUNS,
      );
    },
    TIMEOUT_MS,
  );

  test(
    "starts alone are the distinct instants of the RFC reading",
    () => {
      fc.assert(
        fc.property(plainSeries, place, (plain, at) => {
          const from = plain.startMs + at.days * DAY + at.minutes * MINUTE;
          const to = from + 60 * DAY;
          const instants = localStarts(plain, to + 3 * DAY).map((local) => instantsOfOccurrence(local, { ...plain, lengthMs: 0 }).start);
          const expected = [...new Set(instants)].filter((start) => start >= from && start < to).toSorted((a, b) => a - b);
          expect(occurrences(toSeries(plain, "starts"), { from, to }).map(({ start }) => start)).toEqual(expected);
        }),
        RUNS,
      );
    },
    TIMEOUT_MS,
  );

  test(
    "windowAt names the merged stretch of the direct reading, or the next start",
    () => {
      fc.assert(
        fc.property(plainSeries, place, fc.boolean(), (plain, at, onEdge) => {
          const horizon = plain.startMs + 600 * DAY;
          const all = localStarts(plain, horizon)
            .map((local) => instantsOfOccurrence(local, plain))
            .toSorted((a, b) => a.start - b.start);
          let instant = plain.startMs + at.days * DAY + at.minutes * MINUTE;
          const near = all[at.minutes % Math.max(1, all.length)];
          if (onEdge && near !== undefined) instant = at.days % 2 === 0 ? near.start : near.end;
          const stretches: { start: number; end: number }[] = [];
          for (const { start, end } of all) {
            const last = stretches.at(-1);
            if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end);
            else stretches.push({ start, end });
          }
          const inside = stretches.find(({ start, end }) => start <= instant && instant < end);
          // What reaches the horizon may go on behind it.
          fc.pre(inside === undefined ? instant < horizon - 5 * DAY : inside.end < horizon - 5 * DAY);
          const next = stretches.find(({ start }) => start > instant);
          const found = windowAt(toSeries(plain, "window"), instant);
          if (inside !== undefined) expect(found).toEqual({ inWindow: true, ...inside });
          else if (next !== undefined) expect(found).toEqual({ inWindow: false, nextStart: next.start });
          else expect(found.inWindow ? null : (found.nextStart ?? Number.POSITIVE_INFINITY)).toBeGreaterThan(horizon - 5 * DAY);
        }),
        RUNS,
      );
    },
    TIMEOUT_MS,
  );
});

describe("laws of every series", () => {
  test(
    "occurrences over split ranges equal the whole",
    () => {
      fc.assert(
        fc.property(
          plainSeries,
          place,
          fc.array(fc.integer({ min: 0, max: 90 * 1_440 }), { maxLength: 4 }),
          fc.constantFrom("window", "starts" as const),
          (plain, at, cuts, shape) => {
            const series = toSeries(plain, shape);
            const from = plain.startMs + at.days * DAY;
            const to = from + 90 * DAY;
            const edges = [from, ...cuts.map((minutes) => from + minutes * MINUTE).toSorted((a, b) => a - b), to];
            const parts = edges.slice(1).flatMap((end, index) => occurrences(series, { from: edges[index] ?? from, to: end }));
            expect(parts).toEqual(occurrences(series, { from, to }));
          },
        ),
        RUNS,
      );
    },
    TIMEOUT_MS,
  );

  test(
    "a window is half-open: its start is in it, its end is not, and nothing before a next start is",
    () => {
      fc.assert(
        fc.property(plainSeries, place, (plain, at) => {
          const series = toSeries(plain, "window");
          const found = windowAt(series, plain.startMs + at.days * DAY + at.minutes * MINUTE);
          // What is always open is followed for twenty years and no further.
          fc.pre(!found.inWindow || found.end < plain.startMs + 10 * 366 * DAY);
          if (found.inWindow) {
            expect(windowAt(series, found.start)).toEqual(found);
            expect(windowAt(series, found.end - 1)).toEqual(found);
            expect(windowAt(series, found.end).inWindow).toBe(false);
            expect(windowAt(series, found.start - 1)).toEqual({ inWindow: false, nextStart: found.start });
          } else if (found.nextStart !== null) {
            expect(windowAt(series, found.nextStart)).toMatchObject({ inWindow: true, start: found.nextStart });
            expect(windowAt(series, found.nextStart - 1)).toEqual(found);
          }
        }),
        RUNS,
      );
    },
    TIMEOUT_MS,
  );
});
