import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Interval } from "../time/intervals.js";
import { type AvailabilityFigures, availabilityOf, type ServiceHistory, sumAvailability } from "./availability.js";

const period = { start: 1_000, end: 1_400 };
const stretches = fc.array(
  fc
    .record({ start: fc.integer({ min: 900, max: 1_500 }), length: fc.option(fc.nat(200), { freq: 12 }) })
    .map(({ start, length }): Interval => ({ start, end: length === null ? null : start + length })),
  { maxLength: 8 },
);
const histories = fc.record({
  period: fc.constant(period),
  schedule: stretches,
  maintenance: stretches,
  unknown: stretches,
  down: stretches,
});

/** The definitions, millisecond by millisecond. */
function slowly(history: ServiceHistory, maintenance: readonly Interval[]) {
  const covers = (list: readonly Interval[], at: number) => list.some(({ start, end }) => start <= at && at < (end ?? Infinity));
  const counted = { upMs: 0, downMs: 0, unknownMs: 0, excludedMs: 0, outOfScheduleMs: 0 };
  for (let at = history.period.start; at < history.period.end; at++) {
    if (!covers(history.schedule, at)) counted.outOfScheduleMs++;
    else if (covers(maintenance, at)) counted.excludedMs++;
    else if (covers(history.unknown, at)) counted.unknownMs++;
    else if (covers(history.down, at)) counted.downMs++;
    else counted.upMs++;
  }
  return counted;
}

const sumOf = (f: AvailabilityFigures) => f.upMs + f.downMs + f.unknownMs + f.excludedMs + f.outOfScheduleMs;
const all: readonly Interval[] = [{ start: 0, end: null }];

describe("availability", () => {
  it("gives every millisecond of the period to exactly one of up, down, unknown, excluded and out of schedule, net and gross", () => {
    fc.assert(
      fc.property(histories, (history) => {
        const { net, gross } = availabilityOf(history);
        for (const figures of [net, gross]) expect(sumOf(figures) - figures.periodMs).toBe(0);
        expect(net).toMatchObject(slowly(history, history.maintenance));
        expect(gross).toMatchObject(slowly(history, []));
      }),
      { numRuns: 500 },
    );
  });

  it("is (K - D) / K, with K = E - U and E = S without M", () => {
    fc.assert(
      fc.property(histories, (history) => {
        const { net } = availabilityOf(history);
        expect(net.eligibleMs).toBe(net.upMs + net.downMs + net.unknownMs);
        expect(net.knownMs).toBe(net.upMs + net.downMs);
        expect(net.availability).toBe(net.knownMs === 0 ? null : net.upMs / net.knownMs);
        expect(net.coverage).toBe(net.eligibleMs === 0 ? null : net.knownMs / net.eligibleMs);
      }),
    );
  });

  it("does not change when a stretch is said twice, or in two overlapping parts", () => {
    const once = { period, schedule: all, maintenance: [], unknown: [], down: [{ start: 1_100, end: 1_200 }] };
    const twice = { ...once, down: [...once.down, { start: 1_100, end: 1_150 }, { start: 1_120, end: 1_200 }] };
    expect(availabilityOf(twice)).toEqual(availabilityOf(once));
  });

  it("shows downtime in maintenance in the gross figure alone", () => {
    const stretch = [{ start: 1_100, end: 1_200 }];
    const { net, gross } = availabilityOf({ period, schedule: all, maintenance: stretch, unknown: [], down: stretch });
    expect(net).toMatchObject({ availability: 1, excludedMs: 100, downMs: 0 });
    expect(gross).toMatchObject({ availability: 0.75, excludedMs: 0, downMs: 100 });
  });

  it("is null where nothing is known, not 0 and not 1", () => {
    const { net, gross } = availabilityOf({ period, schedule: all, maintenance: all, unknown: all, down: [] });
    expect(net).toMatchObject({ availability: null, coverage: null });
    expect(gross).toMatchObject({ availability: null, coverage: 0 });
    expect(sumAvailability([])).toMatchObject({ availability: null, coverage: null, periodMs: 0 });
  });

  it("adds up over several things, and the identity with it", () => {
    fc.assert(
      fc.property(fc.array(histories, { maxLength: 5 }), (list) => {
        const parts = list.map((history) => availabilityOf(history).net);
        const whole = sumAvailability(parts);
        expect(sumOf(whole)).toBe(whole.periodMs);
        expect(whole.knownMs).toBe(parts.reduce((sum, one) => sum + one.knownMs, 0));
      }),
    );
  });
});
