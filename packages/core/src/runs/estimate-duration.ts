/** Fewer runs than this say nothing about the ninety-fifth of a hundred. */
export const minDurationSamples = 20;
/** Older runs than so many are not looked at: the system behind a job changes. */
export const maxDurationSamples = 200;
/** A run may take a little longer than it ever did: a tenth of its p95, and never less than a second. */
const marginShare = 0.1;
const minMarginMs = 1_000;

/** What a job's last successful runs say about the next one. */
export interface DurationEstimate {
  readonly samples: number;
  /** 95 of 100 runs took at most this; null without a sample. */
  readonly p95Ms: number | null;
  /** p95 plus the margin: a run that starts less than this before a window would not finish. Null below {@link minDurationSamples}. */
  readonly finishLeadMs: number | null;
}

/** Estimates from durations in milliseconds, in any order; of more than {@link maxDurationSamples} the first ones count. p95 by nearest rank. */
export function estimateDuration(durationsMs: readonly number[]): DurationEstimate {
  const sorted = durationsMs.slice(0, maxDurationSamples).toSorted((a, b) => a - b);
  const p95Ms = sorted[Math.ceil(sorted.length * 0.95) - 1] ?? null;
  const enough = p95Ms !== null && sorted.length >= minDurationSamples;
  return {
    samples: sorted.length,
    p95Ms,
    finishLeadMs: enough ? p95Ms + Math.max(minMarginMs, Math.ceil(p95Ms * marginShare)) : null,
  };
}
