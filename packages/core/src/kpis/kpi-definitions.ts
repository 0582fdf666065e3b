import { type EventRatio, eventRatio } from "./event-ratio.js";
import { addEncoded, emptyHistogram, quantileOf } from "./histogram.js";

/** How a figure is read from samples. */
interface KpiDefinition {
  /** The metric whose samples it is read from. */
  readonly metric: string;
  /**
   * distribution: mean and percentiles of the values. rate: the values' sum a second. good-share, bad-share: of the samples, those that are ok or are not.
   * count-share: samples of the metric for each sample of `of`.
   */
  readonly reading: "distribution" | "rate" | "good-share" | "bad-share" | "count-share";
  readonly of?: string;
  readonly unit: "ms" | "1/s" | "share" | "count";
  readonly better: "higher" | "lower";
}

/** Every figure that is read from samples, in one table. Availability is computed of time: `availabilityOf`. */
export const kpiDefinitions = {
  "response-time": { metric: "response", reading: "distribution", unit: "ms", better: "lower" },
  "check-time": { metric: "check", reading: "distribution", unit: "ms", better: "lower" },
  "run-time": { metric: "run.attempt", reading: "distribution", unit: "ms", better: "lower" },
  throughput: { metric: "run.records", reading: "rate", unit: "1/s", better: "higher" },
  "attempt-error-rate": { metric: "run.attempt", reading: "bad-share", unit: "share", better: "lower" },
  "job-error-rate": { metric: "run.latency", reading: "bad-share", unit: "share", better: "lower" },
  "retry-rate": { metric: "run.retry", of: "run.attempt", reading: "count-share", unit: "share", better: "lower" },
  "delivery-success": { metric: "delivery", reading: "good-share", unit: "share", better: "higher" },
  "end-to-end-latency": { metric: "run.latency", reading: "distribution", unit: "ms", better: "lower" },
  "end-to-end-latency-unheld": { metric: "run.latency-without-hold", reading: "distribution", unit: "ms", better: "lower" },
  "queue-depth": { metric: "queue.depth", reading: "distribution", unit: "count", better: "lower" },
  "sync-accuracy": { metric: "sync", reading: "good-share", unit: "share", better: "higher" },
} as const satisfies { readonly [kpi: string]: KpiDefinition };

export type Kpi = keyof typeof kpiDefinitions;
export const kpis = Object.keys(kpiDefinitions).filter((name): name is Kpi => Object.hasOwn(kpiDefinitions, name));

/** Figures of which baselines are learned: all but the latency with holds, which every window makes long afterwards. */
export const baselineKpis: readonly Kpi[] = kpis.filter((kpi) => kpi !== "end-to-end-latency");

/** The definition of a figure, with the fields that only some have. */
export function kpiDefinition(kpi: Kpi): KpiDefinition {
  return kpiDefinitions[kpi];
}

/** Sums of samples, as a minute, an hour or a day has them. */
export interface SampleSums {
  readonly samples: number;
  readonly good: number;
  readonly marked: number;
  /** In millionths of the unit. */
  readonly sumMillionths: bigint;
  readonly min: number;
  readonly max: number;
  readonly histogram: Uint8Array;
}

/** What samples come to in a period. */
export interface KpiFigures {
  /** The figure itself: of a distribution the p95; null without samples. */
  readonly value: number | null;
  readonly samples: number;
  /** Samples that came late or from a clock that is ahead. */
  readonly marked: number;
  readonly mean: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  /** Of shares: how sure it is. */
  readonly share: EventRatio | null;
}

/**
 * What the sums of a period come to. Percentiles are read from the histograms put together, never averaged. `all` are the sums of the metric that a
 * count-share is a share of; `seconds` the length of the period.
 */
export function kpiFigures(
  kpi: Kpi,
  given: { readonly sums: readonly SampleSums[]; readonly all?: readonly SampleSums[]; readonly seconds: number },
): KpiFigures {
  const { sums, seconds } = given;
  const { reading } = kpiDefinition(kpi);
  const samples = total(sums, (one) => one.samples);
  const sum = Number(sums.reduce((so, one) => so + one.sumMillionths, 0n)) / 1e6;
  const hasValues = samples > 0;
  const range = {
    min: sums.reduce((least, one) => Math.min(least, one.min), Number.POSITIVE_INFINITY),
    max: sums.reduce((most, one) => Math.max(most, one.max), 0),
  };
  const histogram = emptyHistogram();
  if (reading === "distribution") for (const one of sums) addEncoded(histogram, one.histogram);
  const percentile = (quantile: number): number | null => (reading === "distribution" ? quantileOf(histogram, quantile, range) : null);
  const share = shareOf(reading, given);
  const p95 = percentile(0.95);
  return {
    value: share !== null ? share.ratio : reading === "rate" ? (hasValues && seconds > 0 ? sum / seconds : null) : p95,
    samples,
    marked: total(sums, (one) => one.marked),
    mean: hasValues ? sum / samples : null,
    min: hasValues ? range.min : null,
    max: hasValues ? range.max : null,
    p50: percentile(0.5),
    p95,
    p99: percentile(0.99),
    share,
  };
}

function shareOf(
  reading: KpiDefinition["reading"],
  { sums, all = [] }: { readonly sums: readonly SampleSums[]; readonly all?: readonly SampleSums[] },
): EventRatio | null {
  const samples = total(sums, (one) => one.samples);
  const good = total(sums, (one) => one.good);
  switch (reading) {
    case "good-share":
      return eventRatio(good, samples);
    case "bad-share":
      return eventRatio(samples - good, samples);
    case "count-share": {
      const valid = total(all, (one) => one.samples);
      return eventRatio(Math.min(samples, valid), valid);
    }
    default:
      return null;
  }
}

function total(sums: readonly SampleSums[], of: (one: SampleSums) => number): number {
  return sums.reduce((sum, one) => sum + of(one), 0);
}
