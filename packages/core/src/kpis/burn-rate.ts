import type { Interval } from "../time/intervals.js";
import { mergeIntervals } from "../time/intervals.js";
import type { ObjectiveSpan } from "./objective-events.js";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/**
 * When a budget is spent too fast, after "The Site Reliability Workbook", chapter 5: a long window says that it matters, a short one that it goes on. Lengths
 * are eligible time. A rate of 1 spends the budget of the period exactly in the period. page: somebody is called; ticket: it waits for the day.
 */
export const burnRules = [
  { name: "14.4x", factor: 14.4, longMs: HOUR_MS, shortMs: 5 * MINUTE_MS, action: "page", severity: "critical" },
  { name: "6x", factor: 6, longMs: 6 * HOUR_MS, shortMs: 30 * MINUTE_MS, action: "page", severity: "major" },
  { name: "3x", factor: 3, longMs: DAY_MS, shortMs: 2 * HOUR_MS, action: "ticket", severity: "minor" },
  { name: "1x", factor: 1, longMs: 3 * DAY_MS, shortMs: 6 * HOUR_MS, action: "ticket", severity: "warning" },
] as const;
export type BurnRule = (typeof burnRules)[number];
export type BurnRuleName = BurnRule["name"];

/** Fewer bad events in the long window say nothing. */
export const leastBadEvents = 10;

/** What is known of one integration, and since when the windows of each rule reach back there. */
export interface BurnEvidence {
  readonly spans: readonly ObjectiveSpan[];
  readonly since: { readonly [rule in BurnRuleName]: { readonly long: number; readonly short: number } };
}

export interface BurnVerdict {
  readonly rule: BurnRule;
  /** How many times too fast; null: nothing is known in the window. */
  readonly long: number | null;
  readonly short: number | null;
  readonly badEvents: number;
  readonly isBurning: boolean;
}

/**
 * Since when the last `lengthMs` of eligible time run, to the minute before; the beginning of what is eligible when there is less of it. Time that is not
 * eligible neither counts nor ages what was before it.
 */
export function eligibleSince(eligible: readonly Interval[], lengthMs: number, now: number): number {
  let rest = lengthMs;
  let since = now;
  for (const { start, end } of mergeIntervals(eligible).toReversed()) {
    const until = Math.min(end ?? now, now);
    if (start >= until) continue;
    if (until - start >= rest) return Math.floor((until - rest) / MINUTE_MS) * MINUTE_MS;
    rest -= until - start;
    since = start;
  }
  return Math.floor(since / MINUTE_MS) * MINUTE_MS;
}

/** Where the windows of all rules begin for one integration. */
export function burnWindows(eligible: readonly Interval[], now: number): BurnEvidence["since"] {
  const of = ({ longMs, shortMs }: BurnRule) => ({
    long: eligibleSince(eligible, longMs, now),
    short: eligibleSince(eligible, shortMs, now),
  });
  const [first, second, third, fourth] = burnRules;
  return { "14.4x": of(first), "6x": of(second), "3x": of(third), "1x": of(fourth) };
}

/**
 * Whether an objective spends its budget too fast, by each rule: both windows at its factor at least, and ten bad events in the long one. A factor beyond 1 / (1 -
 * target), which everything being bad would not reach, is never met.
 */
export function burnVerdicts(integrations: readonly BurnEvidence[], target: number): readonly BurnVerdict[] {
  return burnRules.map((rule) => {
    const read = (window: "long" | "short") =>
      joined(integrations.map(({ spans, since }) => spentIn(spans, { start: since[rule.name][window], end: Number.POSITIVE_INFINITY })));
    const [longOnes, shortOnes] = [read("long"), read("short")];
    const rate = ({ valid, bad }: Spent): number | null => (valid === 0 ? null : bad / valid / (1 - target));
    const [long, short] = [rate(longOnes), rate(shortOnes)];
    const isBurning = longOnes.badEvents >= leastBadEvents && (long ?? 0) >= rule.factor && (short ?? 0) >= rule.factor;
    return { rule, long, short, badEvents: longOnes.badEvents, isBurning };
  });
}

interface Spent {
  readonly valid: number;
  readonly bad: number;
  readonly badEvents: number;
}

/** What the spans that begin in a stretch come to. */
export function spentIn(spans: readonly ObjectiveSpan[], within: { readonly start: number; readonly end: number }): Spent {
  return joined(spans.filter(({ start }) => start >= within.start && start < within.end));
}

function joined(list: readonly Spent[]): Spent {
  return list.reduce<Spent>(
    (sum, one) => ({ valid: sum.valid + one.valid, bad: sum.bad + one.bad, badEvents: sum.badEvents + one.badEvents }),
    { valid: 0, bad: 0, badEvents: 0 },
  );
}
