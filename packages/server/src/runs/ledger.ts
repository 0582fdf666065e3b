import type { ZoneData } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { duesByState, dueTimesOfVersions, type ScheduleVersion } from "./due-times-of-version.js";
import { reachBack } from "./reach-back.js";

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
  /** How many due times differ; zero, or there is a fault. */
  readonly difference: number;
  /** The first of those that differ. */
  readonly differences: readonly LedgerDifference[];
}

interface ScheduleSpan extends ScheduleVersion {
  readonly [column: string]: unknown;
  readonly jobId: number;
  readonly job: string;
  readonly version: number;
  readonly from: number;
  readonly to: number;
}

interface LedgerRow {
  readonly [column: string]: unknown;
  readonly jobId: number;
  readonly job: string;
  readonly version: number;
  readonly dueAt: number;
  readonly lastDueAt: number;
  readonly dueCount: number;
  readonly state: string;
  /** In which time its version of the schedule was in force, as its own reading saw it; null when the version has no schedule. */
  readonly validFrom: number | null;
  readonly validTo: number | null;
}

/** The most differences that an answer lists; the counts are exact. */
const maxListed = 1_000;
/**
 * Recomputes every due time from the schedules' history and compares it with the run table: each must be in exactly one row or inside exactly
 * one range, and no row may be there that no schedule explains. A difference is an alert (law 2). The rows of deleted jobs have no history any
 * more and are not looked at.
 */
export async function conservation(
  tx: Tx,
  zones: ZoneData,
  /** `jobs`: only the jobs with an id above `after`, up to `upTo`. */
  input: { readonly from: number; readonly to: number; readonly jobs?: { readonly after: number; readonly upTo: number } },
): Promise<Conservation> {
  const range = { from: input.from, to: input.to };
  const ofJobs = input.jobs === undefined ? sql`true` : sql`j.id > ${input.jobs.after} and j.id <= ${input.jobs.upTo}`;
  const spans = await tx.execute<ScheduleSpan>(sql`
    select j.id as "jobId", j.key as job, s.version, s.schedule, s.zone_data_version as "zoneDataVersion", greatest(s.valid_from, ${range.from}::timestamptz) as "from",
      least(coalesce(s.valid_to, j.watermark), j.watermark, ${range.to}::timestamptz) as "to"
    from job_schedule as s join job as j on j.id = s.job_id
    where ${ofJobs} and s.schedule is not null and s.valid_from < ${range.to}::timestamptz and coalesce(s.valid_to, 'infinity') > ${range.from}::timestamptz
    order by j.id, s.version`);
  const rows = await tx.execute<LedgerRow>(sql`
    select r.job_id as "jobId", j.key as job, r.schedule_version as version, r.due_at as "dueAt", r.last_due_at as "lastDueAt", r.due_count as "dueCount", r.state,
      s.valid_from as "validFrom", case when s.version is not null then least(s.valid_to, j.watermark) end as "validTo"
    from run as r join job as j on j.id = r.job_id
    left join job_schedule as s on s.job_id = r.job_id and s.version = r.schedule_version and s.schedule is not null
    where ${ofJobs} and r.trigger = 'schedule' and r.due_at >= ${await reachBack(tx, range.from)}::timestamptz and r.due_at < ${range.to}::timestamptz
      and r.last_due_at >= ${range.from}::timestamptz
    order by r.due_at`);
  const bySpan = new Map<string, LedgerRow[]>();
  for (const row of rows) {
    const name = `${row.jobId}/${row.version}`;
    const list = bySpan.get(name);
    if (list === undefined) bySpan.set(name, [row]);
    else list.push(row);
  }
  const dueTimesOf = await dueTimesOfVersions(tx, zones, spans);
  const account = new Account();
  for (const span of spans) account.compare(span, dueTimesOf(span, span), bySpan.get(`${span.jobId}/${span.version}`) ?? []);
  for (const row of rows) account.refuseOutside(row, range);
  return { ...range, ...account.result() };
}

class Account {
  #expected = 0;
  #accounted = 0;
  readonly #byState = new Map<string, number>();
  #difference = 0;
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

  /**
   * What a row stands for outside the time of its version was never due. The times come from the statement that read the row: a due time
   * written, or a schedule edited, since the spans were read is no difference.
   */
  refuseOutside(row: LedgerRow, range: { readonly from: number; readonly to: number }): void {
    const { job, dueAt, lastDueAt, validFrom, validTo } = row;
    const outside = (at: number) => validFrom === null || validTo === null || at < validFrom || at >= validTo;
    const found = [dueAt, lastDueAt].filter(outside);
    if (found.length === 0) return;
    const inRange = found.find((at) => at >= range.from && at < range.to);
    if (inRange !== undefined) this.#differ({ job, kind: "unexpected", dueAt: inRange });
    // A range that no schedule explains and that begins before and ends after the period.
    else if (validFrom === null) this.#differ({ job, kind: "unexpected", dueAt: range.from });
  }

  result(): Pick<Conservation, "expected" | "accounted" | "byState" | "difference" | "differences"> {
    return {
      expected: this.#expected,
      accounted: this.#accounted,
      byState: Object.fromEntries(this.#byState),
      difference: this.#difference,
      differences: this.#differences,
    };
  }

  #count(state: string, dues: number): void {
    this.#accounted += dues;
    for (const one of duesByState(state, { runs: 1, dues })) this.#byState.set(one.state, (this.#byState.get(one.state) ?? 0) + one.dues);
  }

  #differ(difference: LedgerDifference): void {
    this.#difference += 1;
    if (this.#differences.length < maxListed) this.#differences.push(difference);
  }
}
