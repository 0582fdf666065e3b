import { DomainError } from "../domain-error.js";
import { retentionCutoff, retentionDays } from "../retention/plan-retention.js";
import { kpiDefinition, kpis } from "./kpi-definitions.js";
import { isMetric } from "./sample.js";

const DAY_MS = 86_400_000;

/** Classes of what is measured, the finest first: samples one by one, and their sums by minute, hour and day. */
export const sampleClasses = ["sample", "minute", "hour", "day"] as const;
export type SampleClass = (typeof sampleClasses)[number];

/** For how many days each class is to be kept; null: not said here. */
export type SampleRetention = { readonly [of in SampleClass]: number | null };

/** For how many days each class is kept; days of null are kept for good. */
export type KeptDays = { readonly [of in Exclude<SampleClass, "day">]: number } & { readonly day: number | null };

/** What nobody said anything about. Samples themselves are kept as the servers are configured. */
export const usualSumDays = { minute: 35, hour: 800, day: null } as const;

/** Nothing is said. */
export const unsaidRetention: SampleRetention = { sample: null, minute: null, hour: null, day: null };

/**
 * Bounds in days. What figures are read from is looked back at: objectives go 31 days back by the minute, reports 400 days. Metrics that no figure is read
 * from may go sooner.
 */
export const sampleRetentionBounds = {
  leastOfFigures: { sample: retentionDays.kpi_sample.least, minute: 35, hour: 35, day: 401 },
  least: { sample: retentionDays.kpi_sample.least, minute: 2, hour: 2, day: 2 },
  most: { sample: retentionDays.kpi_sample.most, minute: 36_500, hour: 36_500, day: 36_500 },
  /** Metrics with days of their own. */
  metrics: 200,
  /** What is to be kept for a shorter time goes so long afterwards at the earliest: until then a mistake can be taken back. */
  settleMs: 3_600_000,
} as const;

/** Metrics that figures are read from. */
const figureMetrics: ReadonlySet<string> = new Set(
  kpis.flatMap((kpi) => {
    const { metric, of } = kpiDefinition(kpi);
    return of === undefined ? [metric] : [metric, of];
  }),
);

/** Who says for how long a metric is kept, the nearest first. */
export interface RetentionSources {
  /** What is said of the metric itself; null for all metrics of which nothing is said. */
  readonly own: SampleRetention | null;
  /** What is said of every metric. */
  readonly general: SampleRetention;
  /** Days of samples where neither says any. */
  readonly sampleDays: number;
}

/**
 * For how long a metric is kept: what is said of it, else of every metric, else the usual. A class is kept as long as the finer one at least: sums are made
 * anew from what is below them, and days are read where hours would be too many.
 */
export function keptDays({ own, general, sampleDays }: RetentionSources): KeptDays {
  const said = (of: SampleClass): number | null => own?.[of] ?? general[of];
  const sample = said("sample") ?? sampleDays;
  const minute = Math.max(said("minute") ?? usualSumDays.minute, sample);
  const hour = Math.max(said("hour") ?? usualSumDays.hour, minute);
  const day = said("day") ?? usualSumDays.day;
  return { sample, minute, hour, day: day === null ? null : Math.max(day, hour) };
}

/**
 * Checks what is to be said of a metric, or (null) of every metric: days within their bounds, and no class to be kept for less than the finer one. Throws
 * QSC_SAMPLE_RETENTION_INVALID, whose message says which and what fits.
 */
export function checkSampleRetention(
  given: { readonly metric: string | null; readonly days: SampleRetention },
  others: { readonly general: SampleRetention; readonly sampleDays: number },
): void {
  const { metric, days } = given;
  const refuse = (field: string, words: string): never => {
    throw new DomainError("QSC_SAMPLE_RETENTION_INVALID", `${field} ${words}`, { field: `input.${field}` });
  };
  if (metric !== null && !isMetric(metric))
    refuse(
      "metric",
      `is ${JSON.stringify(metric.slice(0, 60))}; expected lowercase words joined by dots or dashes, as queue.depth, 60 characters at most.`,
    );
  const { least: leastOfOwn, leastOfFigures, most } = sampleRetentionBounds;
  const isRead = metric === null || figureMetrics.has(metric);
  const bounds = isRead ? leastOfFigures : leastOfOwn;
  for (const of of sampleClasses) {
    const found = days[of];
    if (found === null || (Number.isInteger(found) && found >= bounds[of] && found <= most[of])) continue;
    const why = isRead && of !== "sample" ? " Figures and objectives look back so far." : "";
    refuse(`${of}Days`, `is ${found}; expected ${bounds[of]} to ${most[of]} whole days, or null.${why}`);
  }
  const kept = keptDays(metric === null ? { ...others, own: null, general: days } : { ...others, own: days });
  for (const of of sampleClasses) {
    const [found, least] = [days[of], kept[of]];
    if (found !== null && least !== null && found < least)
      refuse(
        `${of}Days`,
        `is ${found}, but what it is summed up from is kept for ${least} days. Expected ${least} or more, or fewer days of that.`,
      );
  }
}

/** Before these instants each class of a metric may go; null: nothing goes. */
export type RetentionCutoffs = { readonly [of in Exclude<SampleClass, "day">]: number } & { readonly day: number | null };

/** What is older than it is kept. Sums go no further than samples have gone (`samplesKeptFrom`): they are made anew from what is below them until then. */
export function retentionCutoffs(kept: KeptDays, at: { readonly now: number; readonly samplesKeptFrom: number }): RetentionCutoffs {
  const { now, samplesKeptFrom } = at;
  const before = (days: number): number => Math.min(now - days * DAY_MS, samplesKeptFrom);
  return {
    sample: retentionCutoff("kpi_sample", kept.sample, now),
    minute: before(kept.minute),
    hour: before(kept.hour),
    day: kept.day === null ? null : before(kept.day),
  };
}

/**
 * From when on the samples of a metric are to be kept, where that is later than it was: whole days of UTC, none of which waits to be summed up. Null: nothing
 * may go now.
 */
export function samplesToKeepFrom(of: {
  readonly cutoff: number;
  readonly keptFrom: number;
  /** The first sample before the cutoff that is not summed up; null: there is none. */
  readonly firstWaitingAt: number | null;
}): number | null {
  const { cutoff, keptFrom, firstWaitingAt } = of;
  const from = firstWaitingAt === null ? cutoff : Math.min(cutoff, Math.floor(firstWaitingAt / DAY_MS) * DAY_MS);
  return from > keptFrom ? from : null;
}

/** Whether what was said about the time to keep stands for long enough that something may go by it. */
export function isRetentionSettled(changedAt: number, now: number): boolean {
  return now - changedAt >= sampleRetentionBounds.settleMs;
}
