import type { KpiSeriesQuery } from "./kpis.generated.js";
import { type Period, type Step, stepMs } from "./period.js";

type Point = KpiSeriesQuery["kpi"]["points"][number];

/** Columns for the chart: seconds of the epoch, then a column a line; null where nothing was measured. */
export interface SeriesColumns {
  readonly at: readonly number[];
  readonly lines: readonly (readonly (number | null)[])[];
}

export type LineName = "value" | "p50" | "p95" | "p99";

/**
 * Every step of the period, also those without samples: a line must not run across what nobody measured. Steps of hours and days begin as the server's do,
 * at whole ones of UTC.
 */
export function seriesColumns(
  points: readonly Point[],
  input: { readonly period: Period; readonly step: Step; readonly lines: readonly LineName[] },
): SeriesColumns {
  const { period, step, lines } = input;
  const length = stepMs[step];
  const known = new Map(points.map(({ at, figures }) => [Date.parse(at), figures]));
  const at: number[] = [];
  for (let start = Math.floor(period.from / length) * length; start < period.to; start += length) at.push(start);
  return {
    at: at.map((start) => start / 1_000),
    lines: lines.map((line) => at.map((start) => known.get(start)?.[line] ?? null)),
  };
}

/** A time that is shaded. */
export interface Shade {
  readonly from: number;
  readonly to: number;
}

interface Maintenance {
  readonly key: string;
  readonly startsAt: string;
  readonly endsAt: string;
}

/** Each window once, however many integrations it covered. */
export function maintenanceOnce<One extends Maintenance>(
  integrations: readonly { readonly maintenance: readonly One[] }[],
): readonly One[] {
  const known = new Map<string, One>();
  for (const { maintenance } of integrations) for (const one of maintenance) known.set(one.key, one);
  return [...known.values()].toSorted((a, b) => Date.parse(a.startsAt) - Date.parse(b.startsAt));
}

/** The ends of what is usual at each step; bands are told by the hour, so steps of days have none. Null: nothing is known of any step. */
export function bandColumns(
  bands: readonly { readonly at: string; readonly low: number; readonly high: number }[],
  { at, step }: { readonly at: readonly number[]; readonly step: Step },
): { readonly low: readonly (number | null)[]; readonly high: readonly (number | null)[] } | null {
  if (step === "DAY" || bands.length === 0) return null;
  const known = new Map(bands.map((band) => [Date.parse(band.at), band]));
  const bandAt = (seconds: number) => known.get(Math.floor((seconds * 1_000) / stepMs.HOUR) * stepMs.HOUR);
  return { low: at.map((one) => bandAt(one)?.low ?? null), high: at.map((one) => bandAt(one)?.high ?? null) };
}
