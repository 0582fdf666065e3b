import { DomainError } from "../domain-error.js";
import { parseInstantText } from "../time/instant-text.js";
import { largestValue } from "./histogram.js";

/** What is refused, and what is merely marked. */
export const sampleLimits = {
  charactersOfMetric: 60,
  charactersOfKey: 100,
  /** A sample from so far ahead of the server's clock is marked: its sender's clock is wrong. */
  aheadMs: 1_000,
  /** From further ahead it is refused. */
  mostAheadMs: 300_000,
  /** What arrives so long after its own time is marked. */
  lateMs: 3_600_000,
  /** Samples of one GraphQL mutation. */
  samplesOfMutation: 1_000,
} as const;

/** One measurement as it is sent. */
export interface Sample {
  /** The key of the integration. */
  readonly integration: string;
  /** What was measured, as response or queue.depth. */
  readonly metric: string;
  /** When, epoch milliseconds. */
  readonly at: number;
  /** In the metric's unit, 0 to 10^12. */
  readonly value: number;
  /** Whether what was measured went well. */
  readonly ok: boolean;
  /** Tells samples of one series and one millisecond apart; empty where there is one. */
  readonly key: string;
}

/** How the time of a sample fits: 0 well, 1 late, 2 ahead. */
export const sampleMarks = { fits: 0, late: 1, ahead: 2 } as const;
export type SampleMark = (typeof sampleMarks)[keyof typeof sampleMarks];

const METRIC = /^[a-z][a-z0-9]*(?:[.-][a-z0-9]+)*$/;
const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

/** Whether this is a metric's name: lowercase words joined by dots or dashes. */
export function isMetric(name: string): boolean {
  return name.length <= sampleLimits.charactersOfMetric && METRIC.test(name);
}

/**
 * Reads one sample, `{ integration, metric, at, value, ok?, key? }`; `at` is ISO 8601 with its offset, or epoch milliseconds. Written by hand: this
 * runs for every line. Throws QSC_SAMPLE_INVALID, whose message says which field and why.
 */
export function readSample(given: unknown): Sample {
  if (typeof given !== "object" || given === null || Array.isArray(given)) throw invalid("sample", "is a JSON object", given);
  const { integration, metric, at, value, ok = true, key = "" } = given as { readonly [name: string]: unknown };
  if (typeof integration !== "string" || integration === "") throw invalid("integration", "is the key of an integration", integration);
  if (typeof metric !== "string" || !isMetric(metric))
    throw invalid("metric", "is lowercase words joined by dots or dashes, as queue.depth, 60 characters at most", metric);
  if (typeof value !== "number" || !(value >= 0 && value <= largestValue)) throw invalid("value", "is a number from 0 to 10^12", value);
  if (typeof ok !== "boolean") throw invalid("ok", "is true or false", ok);
  if (typeof key !== "string" || key.length > sampleLimits.charactersOfKey || key.includes("\0"))
    throw invalid("key", "is a text of 100 characters at most", key);
  const instant = typeof at === "number" ? at : typeof at === "string" && ISO.test(at) ? parseInstantText(at) : Number.NaN;
  if (!Number.isSafeInteger(instant)) throw invalid("at", "is an instant as 2027-03-28T01:00:00Z, or epoch milliseconds", at);
  return { integration, metric, at: instant, value, ok, key };
}

/**
 * How the time of a sample fits `now`. Throws QSC_SAMPLE_AHEAD for one from too far ahead, QSC_SAMPLE_TOO_OLD for one from before `keptFrom`: the
 * day it belongs to is summed up for good.
 */
export function markSample(at: number, { now, keptFrom }: { readonly now: number; readonly keptFrom: number }): SampleMark {
  if (at > now + sampleLimits.mostAheadMs)
    throw new DomainError(
      "QSC_SAMPLE_AHEAD",
      `at is ${Math.round((at - now) / 1_000)} seconds ahead of the server's clock, at most ${sampleLimits.mostAheadMs / 1_000} are taken. Correct the sender's clock.`,
      { field: "at" },
    );
  if (at < keptFrom)
    throw new DomainError(
      "QSC_SAMPLE_TOO_OLD",
      `at lies before ${new Date(keptFrom).toISOString()}, from when on samples are kept one by one. Older ones can no longer be added.`,
      { field: "at" },
    );
  if (at > now + sampleLimits.aheadMs) return sampleMarks.ahead;
  return at < now - sampleLimits.lateMs ? sampleMarks.late : sampleMarks.fits;
}

function invalid(field: string, expected: string, found?: unknown): DomainError {
  const words = found === undefined ? `${field} ${expected}` : `${field} ${expected}, found ${shown(found)}`;
  return new DomainError("QSC_SAMPLE_INVALID", `${words}.`, { field });
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? typeof value).slice(0, 60);
}
