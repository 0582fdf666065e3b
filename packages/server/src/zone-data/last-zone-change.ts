import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";

interface ToldSpan {
  readonly startsAt: string;
  readonly endsAt: string;
}

/** What the last change of the data moved, as it was recorded with it; instants as text. */
export interface RecordedZoneChange {
  readonly at: number;
  readonly before: string;
  readonly version: string;
  readonly source: string;
  readonly occurrencesMoved: number;
  readonly occurrences: readonly {
    readonly window: string;
    readonly localStart: string;
    readonly timeZone: string;
    readonly before: ToldSpan;
    readonly after: ToldSpan;
  }[];
  readonly jobsMoved: number;
  readonly jobs: readonly { readonly job: string; readonly before: string | null; readonly after: string | null }[];
}

/** The last time that other zone data came into force; null when those of the beginning still are. */
export async function lastZoneChange(tx: Tx): Promise<RecordedZoneChange | null> {
  const [row] = await tx.execute<{ at: number; before: string; change: Omit<RecordedZoneChange, "at" | "before"> }>(sql`
    select at, before ->> 'version' as before, after as change from audit_entry
    where subject_kind = 'control' and subject_key = 'zone-data' and action = 'control.zone-data' and before ->> 'version' is not null order by id desc limit 1`);
  return row === undefined ? null : { ...row.change, at: row.at, before: row.before };
}
