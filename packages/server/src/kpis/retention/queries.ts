import { keptDays, type KeptDays, type SampleRetention, unsaidRetention } from "@quiesce/core";
import type { Database } from "../../db/client.js";
import { daysKeptFrom, everyMetric, generalRetention, retentionRows } from "./store.js";

/** For how long a metric is kept. */
export interface ReadRetention {
  /** null: every metric without days of its own. */
  readonly metric: string | null;
  /** What is said of it. */
  readonly said: SampleRetention;
  /** What comes of that. */
  readonly inForce: KeptDays;
  /** Samples before it may be gone; null: none have gone. */
  readonly samplesFrom: number | null;
  /** When somebody said it; null: nobody ever has. */
  readonly changedAt: number | null;
}

/** Every metric of which something is said and whose samples the caller may see, after what is said of every metric. */
export async function readSampleRetention(
  databases: { readonly seen: Database; readonly whole: Database },
  sampleDays: number,
): Promise<readonly ReadRetention[]> {
  const all = await retentionRows(databases.whole.db);
  const general = generalRetention(all);
  const daysFrom = await daysKeptFrom(databases.whole.db);
  const visible = databases.seen === databases.whole ? all : await retentionRows(databases.seen.db);
  return visible
    .filter(({ metric, days }) => metric === everyMetric || Object.values(days).some((one) => one !== null))
    .map(({ metric, days, changedAt, samplesKeptFrom }) => {
      const own = metric === everyMetric ? null : days;
      return {
        metric: metric === everyMetric ? null : metric,
        said: days,
        inForce: keptDays({ own, general: general.days, sampleDays }),
        samplesFrom: finite(Math.max(samplesKeptFrom, daysFrom)),
        changedAt: finite(changedAt),
      };
    });
}

/** What a metric is kept by, also when nothing is said of it. */
export async function retentionOf(
  databases: { readonly seen: Database; readonly whole: Database },
  of: { readonly metric: string | null; readonly sampleDays: number },
): Promise<ReadRetention> {
  const rows = await readSampleRetention(databases, of.sampleDays);
  const row = rows.find(({ metric }) => metric === of.metric) ?? rows.find(({ metric }) => metric === null);
  if (row === undefined) throw new Error("Nothing is said of every metric.");
  return row.metric === of.metric ? row : { ...row, metric: of.metric, said: unsaidRetention };
}

const finite = (at: number): number | null => (Number.isFinite(at) ? at : null);
