import type { KpiFigures, SampleClass } from "@quiesce/core";
import { csvLine } from "../../csv-text.js";

/** The columns of samples one by one: `quiesce samples import` reads the same. */
export const sampleColumns = ["integration", "metric", "at", "value", "ok", "key"] as const;
/** The columns of sums. */
export const sumColumns = [
  "integration",
  "metric",
  "class",
  "at",
  "samples",
  "good",
  "marked",
  "sum",
  "min",
  "max",
  "mean",
  "p50",
  "p95",
  "p99",
] as const;

/** An apostrophe before what a spreadsheet would run says that it is text; where the text has one itself, it gets another. */
const GUARDED = /^'+[=+\-@\t\r]/;

/** The first line of a file. */
export function samplesHeader(of: SampleClass): string {
  return csvLine(of === "sample" ? sampleColumns : sumColumns);
}

export interface ExportedSample {
  readonly metric: string;
  readonly at: number;
  readonly value: number;
  readonly ok: boolean;
  readonly key: string;
}

/** One sample: read back by `quiesce samples import` it is the same sample. */
export function sampleLine(integration: string, { metric, at, value, ok, key }: ExportedSample): string {
  return csvLine([integration, metric, isoOf(at), value, ok ? "true" : "false", GUARDED.test(key) ? `'${key}` : key]);
}

/** What a minute, an hour or a day came to. */
export function sumLine(
  integration: string,
  sum: {
    readonly metric: string;
    readonly class: SampleClass;
    readonly at: number;
    readonly good: number;
    readonly sum: string;
    readonly figures: KpiFigures;
  },
): string {
  const { samples, marked, min, max, mean, p50, p95, p99 } = sum.figures;
  return csvLine([integration, sum.metric, sum.class, isoOf(sum.at), samples, sum.good, marked, sum.sum, min, max, mean, p50, p95, p99]);
}

/** Millionths as a decimal number, with all its digits. */
export function decimalOf(millionths: bigint): string {
  const whole = millionths / 1_000_000n;
  const fraction = String(millionths % 1_000_000n)
    .padStart(6, "0")
    .replace(/0+$/, "");
  return fraction === "" ? String(whole) : `${whole}.${fraction}`;
}

const isoOf = (at: number): string => new Date(at).toISOString();
