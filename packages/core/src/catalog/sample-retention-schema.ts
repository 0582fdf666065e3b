import { z } from "zod";
import { type SampleRetention, unsaidRetention } from "../kpis/sample-retention.js";
import { isMetric } from "../kpis/sample.js";
import { strictObject } from "./strict-object.js";

/** Stands for every metric without days of its own. */
export const EVERY_METRIC_KEY = "*";

const days = z.int().positive().nullable().default(null);

/** For how many days a metric is kept; what is not said is as of every metric, and there as usual. Bounds are those of the command: see `checkSampleRetention`. */
export const sampleRetentionSchema = strictObject({
  /** The metric, or {@link EVERY_METRIC_KEY}. */
  key: z.string().refine((name) => name === EVERY_METRIC_KEY || isMetric(name), {
    message: 'Expected a metric, as queue.depth, or "*" for every metric without days of its own.',
  }),
  samples: days,
  minutes: days,
  hours: days,
  days,
}).refine((entry) => [entry.samples, entry.minutes, entry.hours, entry.days].some((one) => one !== null), {
  message: "Expected samples, minutes, hours or days with a number of days. Leave the metric out where none is to be said.",
});

export type SampleRetentionEntry = z.output<typeof sampleRetentionSchema>;

/** An entry as what is said of a metric; null for every metric. */
export function saidRetention({ key, samples, minutes, hours, days: day }: SampleRetentionEntry): {
  readonly metric: string | null;
  readonly days: SampleRetention;
} {
  return { metric: metricOfKey(key), days: { sample: samples, minute: minutes, hour: hours, day } };
}

/** What was said of a metric as an entry; null where nothing is said. */
export function retentionEntryOf(metric: string | null, { sample, minute, hour, day }: SampleRetention): SampleRetentionEntry | null {
  if ([sample, minute, hour, day].every((one) => one === null)) return null;
  return { key: metric ?? EVERY_METRIC_KEY, samples: sample, minutes: minute, hours: hour, days: day };
}

/** What takes an entry back. */
export function unsaidOf(key: string): { readonly metric: string | null; readonly days: SampleRetention } {
  return { metric: metricOfKey(key), days: unsaidRetention };
}

const metricOfKey = (key: string): string | null => (key === EVERY_METRIC_KEY ? null : key);
