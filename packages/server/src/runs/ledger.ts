import { dueTimes, type JobSchedule, type ZoneData } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { zoneDataByVersion } from "../zone-data/store.js";

/** A due time that the schedule's history expects and the ledger lacks, or the other way round. */
export interface LedgerDifference {
  readonly job: string;
  readonly kind: "missing" | "unexpected";
  readonly dueAt: number;
}

/** The conservation figure: expected = accounted, and every count by the state it ended in. */
export interface Conservation {
  readonly from: number;
  readonly to: number;
  readonly expected: number;
  readonly accounted: number;
  /** Due times by state; those that a range row stands for count as coalesced into it (or skipped with it). */
  readonly byState: { readonly [state: string]: number };
  readonly differences: readonly LedgerDifference[];
}

interface ScheduleSpan {
  readonly [column: string]: unknown;
  readonly jobId: number;
  readonly job: string;
  readonly version: number;
  readonly schedule: JobSchedule;
  readonly zoneDataVersion: string | null;
  readonly from: number;
  readonly to: number;
}

interface LedgerRow {
  readonly [column: string]: unknown;
  readonly jobId: number;
  readonly version: number;
  readonly dueAt: number;
  readonly lastDueAt: number;
  readonly dueCount: number;
  readonly state: string;
}

/** The most differences that an answer lists; the counts are exact. */
const maxListed = 1_000;
/** The most due times of one job in one check. */
const maxDues = 1_000_000;

/**
 * Recomputes every due time from the schedules' history and compares it with the run table: each must be in exactly one row or inside exactly
 * one range. A difference is an alert (law 2).
 */
export async function conservation(tx: Tx, zones: ZoneData, range: { readonly from: number; readonly to: number }): Promise<Conservation> {
  const spans = await tx.execute<ScheduleSpan>(sql`
    select j.id as "jobId", j.key as job, s.version, s.schedule, s.zone_data_version as "zoneDataVersion", greatest(s.valid_from, ${range.from}::timestamptz) as "from",
      least(coalesce(s.valid_to, j.watermark), j.watermark, ${range.to}::timestamptz) as "to"
    from job_schedule as s join job as j on j.id = s.job_id
    where s.schedule is not null and s.valid_from < ${range.to}::timestamptz and coalesce(s.valid_to, 'infinity') > ${range.from}::timestamptz
    order by j.id, s.version`);
  const rows = await tx.execute<LedgerRow>(sql`
    select r.job_id as "jobId", r.schedule_version as version, r.due_at as "dueAt", r.last_due_at as "lastDueAt", r.due_count as "dueCount", r.state
    from run as r where r.trigger = 'schedule' and r.due_at < ${range.to}::timestamptz and r.last_due_at >= ${range.from}::timestamptz
    order by r.due_at`);
  const bySpan = new Map<string, LedgerRow[]>();
  for (const row of rows) {
    const name = `${row.jobId}/${row.version}`;
    const list = bySpan.get(name);
    if (list === undefined) bySpan.set(name, [row]);
    else list.push(row);
  }
  // The past is recomputed with the zone data of its time: others would find due times that nobody could know of.
  const zonesOf = await zoneDataByVersion(tx, zones, spans.map((span) => span.zoneDataVersion));
  const account = new Account();
  for (const span of spans) {
    const expected = span.to <= span.from ? [] : dueTimes(span.schedule, { from: span.from, to: span.to, limit: maxDues }, zonesOf(span.zoneDataVersion));
    account.compare(span, expected.map((due) => due.dueAt), bySpan.get(`${span.jobId}/${span.version}`) ?? []);
  }
  return { ...range, ...account.result() };
}

class Account {
  #expected = 0;
  #accounted = 0;
  readonly #byState = new Map<string, number>();
  readonly #differences: LedgerDifference[] = [];

  compare(span: ScheduleSpan, expected: readonly number[], rows: readonly LedgerRow[]): void {
    this.#expected += expected.length;
    const open = new Set(expected);
    for (const row of rows) {
      const inside = row.dueCount === 1 ? [row.dueAt] : expected.filter((due) => due >= row.dueAt && due <= row.lastDueAt);
      let found = 0;
      for (const due of inside) {
        if (due < span.from || due >= span.to) continue;
        if (open.delete(due)) found += 1;
        else this.#differ({ job: span.job, kind: "unexpected", dueAt: due });
      }
      const whole = row.dueAt >= span.from && row.lastDueAt < span.to;
      if (whole && row.dueCount > 1 && found !== row.dueCount) this.#differ({ job: span.job, kind: "unexpected", dueAt: row.dueAt });
      this.#count(row.state, found);
    }
    for (const due of open) this.#differ({ job: span.job, kind: "missing", dueAt: due });
  }

  result(): Pick<Conservation, "expected" | "accounted" | "byState" | "differences"> {
    return { expected: this.#expected, accounted: this.#accounted, byState: Object.fromEntries(this.#byState), differences: this.#differences };
  }

  #count(state: string, dues: number): void {
    if (dues === 0) return;
    this.#accounted += dues;
    // One due time of a range is the run itself; the others were coalesced into it. A skipped range skipped every one.
    const own = state === "skipped" || state === "coalesced" || state === "cancelled" ? dues : 1;
    this.#byState.set(state, (this.#byState.get(state) ?? 0) + own);
    if (dues > own) this.#byState.set("coalesced", (this.#byState.get("coalesced") ?? 0) + dues - own);
  }

  #differ(difference: LedgerDifference): void {
    if (this.#differences.length < maxListed) this.#differences.push(difference);
  }
}
