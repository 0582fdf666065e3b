import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Interval } from "../time/intervals.js";
import { burnRules, burnVerdicts, burnWindows, eligibleSince, leastBadEvents } from "./burn-rate.js";
import { availabilitySpans, cutIntervals } from "./objective-events.js";
import { errorBudget, objectiveState } from "./error-budget.js";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const now = Date.parse("2027-03-30T12:00:00Z");
const target = 0.999;

/** Samples each minute of three days of which the last `badMinutes` were bad with `share`, in what is eligible. */
function evidence(given: {
  readonly eligible?: readonly Interval[];
  readonly badFrom: number;
  readonly share: number;
  readonly perMinute?: number;
}) {
  const eligible = given.eligible ?? [{ start: now - 4 * day, end: now }];
  const perMinute = given.perMinute ?? 100;
  const spans = cutIntervals(
    eligible,
    Array.from({ length: (4 * day) / minute }, (_, n) => now - n * minute),
  ).map(({ start, end }) => {
    const bad = start >= given.badFrom ? given.share * perMinute : 0;
    return { start, end, valid: perMinute, bad, badEvents: bad };
  });
  return { spans, since: burnWindows(eligible, now) };
}
const burning = (one: ReturnType<typeof evidence>) =>
  burnVerdicts([one], target)
    .filter(({ isBurning }) => isBurning)
    .map(({ rule }) => rule.name);

describe("burn rules", () => {
  it("page when an hour spends 14.4 times the budget and the last five minutes go on with it", () => {
    // 1.5 % of an hour is 15 times 0.1 %.
    expect(burning(evidence({ badFrom: now - hour, share: 0.015 }))).toContain("14.4x");
    expect(burning(evidence({ badFrom: now - hour, share: 0.014 }))).not.toContain("14.4x");
  });

  it("say nothing when it is over: the short window is well again", () => {
    const over = evidence({ badFrom: now - hour, share: 0.05 });
    const ended = {
      ...over,
      spans: over.spans.map((span) => (span.start >= now - 10 * minute ? { ...span, bad: 0, badEvents: 0 } : span)),
    };
    expect(burning(over)).toContain("14.4x");
    expect(burning(ended)).not.toContain("14.4x");
  });

  it("say nothing of fewer than ten bad events, however large their share", () => {
    const few = evidence({ badFrom: now - 9 * minute, share: 1, perMinute: 1 });
    const enough = evidence({ badFrom: now - leastBadEvents * minute, share: 1, perMinute: 1 });
    expect(burnVerdicts([few], target)[0]).toMatchObject({ badEvents: 9, isBurning: false });
    expect(burnVerdicts([enough], target)[0]).toMatchObject({ badEvents: 10, isBurning: true });
  });

  it("open a ticket of what is slow, and page of nothing", () => {
    expect(burning(evidence({ badFrom: now - 4 * day, share: 0.002 }))).toEqual(["1x"]);
    expect(burning(evidence({ badFrom: now - 4 * day, share: 0.004 }))).toEqual(["3x", "1x"]);
  });

  it("look back through maintenance: an hour of eligible time is an hour, whatever lay between", () => {
    const window = { start: now - 5 * hour, end: now - 30 * minute };
    const eligible = [
      { start: now - 4 * day, end: window.start },
      { start: window.end, end: now },
    ];
    expect(eligibleSince(eligible, hour, now)).toBe(now - 5 * hour - 30 * minute);
    // Bad in the half hour before the window and since its end.
    expect(burning(evidence({ eligible, badFrom: now - 5.5 * hour, share: 0.015 }))).toContain("14.4x");
  });

  it("never look back less than their length where there is so much, and skip nothing", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(4_000), fc.integer({ min: 1, max: 600 })), { maxLength: 12 }),
        fc.integer({ min: 1, max: 3_000 }),
        (pieces, minutes) => {
          const eligible = pieces.map(([ago, length]) => ({ start: now - (ago + length) * minute, end: now - ago * minute }));
          const since = eligibleSince(eligible, minutes * minute, now);
          const marked = new Set(
            eligible.flatMap(({ start, end }) => Array.from({ length: (end - start) / minute }, (_, n) => start + n * minute)),
          );
          const within = [...marked].filter((at) => at >= since).length;
          expect(within).toBe(Math.min(minutes, marked.size));
        },
      ),
    );
  });

  it("have the lengths and factors of the workbook", () => {
    expect(burnRules.map(({ factor, longMs, shortMs, action }) => [factor, longMs / hour, shortMs / minute, action])).toEqual([
      [14.4, 1, 5, "page"],
      [6, 6, 30, "page"],
      [3, 24, 120, "ticket"],
      [1, 72, 360, "ticket"],
    ]);
  });
});

describe("an error budget", () => {
  it("is spent day by day, and its days add up to the whole", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 1_000 }), fc.nat(100)), { minLength: 1, maxLength: 31 }), (given) => {
        const days = given.map((_, n) => ({ start: n * day, end: (n + 1) * day }));
        const spans = given.map(([valid, share], n) => {
          const bad = Math.floor((valid * share) / 100);
          return { start: n * day, end: n * day + hour, valid, bad, badEvents: bad };
        });
        const { figures, days: byDay } = errorBudget({ target, spans, days });
        expect(byDay.reduce((sum, { spent }) => sum + spent, 0)).toBe(figures.spent);
        expect(byDay.reduce((sum, { valid }) => sum + valid, 0)).toBe(figures.valid);
        expect(byDay.at(-1)?.remainingShare).toBeCloseTo(figures.remainingShare ?? Number.NaN, 6);
        expect(figures.total + 0).toBeCloseTo(figures.spent + figures.remaining, 6);
      }),
    );
  });

  it("is met to the last event of it, missed by one more, unknown without any", () => {
    const stateOf = (valid: number, bad: number) => {
      const spans = [{ start: 0, end: hour, valid, bad, badEvents: bad }];
      return objectiveState(errorBudget({ target, spans, days: [{ start: 0, end: day }] }).figures, []);
    };
    expect(stateOf(10_000, 10)).toBe("met");
    expect(stateOf(10_000, 11)).toBe("missed");
    expect(stateOf(0, 0)).toBe("unknown");
  });

  it("of availability counts time that is known and eligible, and no other", () => {
    const spans = availabilitySpans({
      eligible: [
        { start: 0, end: 10 * minute },
        { start: 20 * minute, end: 40 * minute },
      ],
      unknown: [{ start: 35 * minute, end: 50 * minute }],
      down: [{ start: 5 * minute, end: 38 * minute }],
      evidence: [{ ok: false, first: 5 * minute, last: 37 * minute, count: 33 }],
      cuts: [7 * minute, 30 * minute],
    });
    expect(spans.map(({ valid, bad, badEvents }) => [valid / minute, bad / minute, badEvents])).toEqual([
      [7, 2, 2],
      [3, 3, 3],
      [10, 10, 10],
      [5, 5, 8],
    ]);
  });
});
