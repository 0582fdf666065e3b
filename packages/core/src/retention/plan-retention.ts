/** What is kept by days: runs with the ledger, live events, and samples one by one. */
export const retainedTables = ["run", "event_log", "kpi_sample"] as const;
export type RetainedTable = (typeof retainedTables)[number];

/**
 * Bounds and defaults in days. Cursors of live events are good for seven days at least; reports look back a month. Samples are summed up, and the sums
 * are kept for longer.
 */
export const retentionDays = {
  run: { least: 35, most: 36_500, usual: 400 },
  event_log: { least: 7, most: 36_500, usual: 30 },
  kpi_sample: { least: 2, most: 3_650, usual: 14 },
} as const satisfies { readonly [table in RetainedTable]: { readonly least: number; readonly most: number; readonly usual: number } };

/** One day of a table; instants in epoch milliseconds, days in UTC. */
export interface DayPartition {
  readonly name: string;
  readonly opensAt: number;
  readonly closesAt: number;
}

/** What a day holds that is old enough to go. */
export interface DayContents {
  /** Runs that are queued, held or running; stretches of samples that are not summed up. */
  readonly waiting: number;
  /** The last of all due times that its rows stand for; null in an empty day, and for what is no run. */
  readonly lastDueAt: number | null;
}

export type RetentionVerdict =
  | { readonly kind: "drop" }
  /** Some of its runs have not ended, or some of its samples are not summed up. */
  | { readonly kind: "keep"; readonly reason: "waiting" }
  /** A run of it stands for due times that are to be kept. */
  | { readonly kind: "keep"; readonly reason: "reaches" };

const DAY_MS = 86_400_000;
/** A server that nobody watches over a weekend still has somewhere to write. */
const daysAhead = 3;

/** The days that must exist: from yesterday, for transactions that were open at midnight, to three days ahead. */
export function daysToHave(now: number): { readonly from: number; readonly to: number } {
  const today = Math.floor(now / DAY_MS) * DAY_MS;
  return { from: today - DAY_MS, to: today + daysAhead * DAY_MS };
}

/** What was before this instant may go: the last `days` whole days and today are kept. Throws RangeError for days out of bounds. */
export function retentionCutoff(table: RetainedTable, days: number, now: number): number {
  const { least, most } = retentionDays[table];
  if (!Number.isInteger(days) || days < least || days > most)
    throw new RangeError(`${table} is kept ${least} to ${most} days, found ${days}.`);
  return (Math.floor(now / DAY_MS) - days) * DAY_MS;
}

/** The days that are old enough to go, oldest first. */
export function expiredDays<Day extends DayPartition>(days: readonly Day[], cutoff: number): readonly Day[] {
  return days.filter((day) => day.closesAt <= cutoff).toSorted((a, b) => a.opensAt - b.opensAt);
}

/** Whether a day that is old enough may really go. */
export function judgeDay(contents: DayContents, cutoff: number): RetentionVerdict {
  if (contents.waiting > 0) return { kind: "keep", reason: "waiting" };
  if (contents.lastDueAt !== null && contents.lastDueAt >= cutoff) return { kind: "keep", reason: "reaches" };
  return { kind: "drop" };
}
