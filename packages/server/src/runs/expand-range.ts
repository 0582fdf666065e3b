import { dueTimes, type JobSchedule, maxWaitingRuns, type ZoneData } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { zoneDataByVersion } from "../zone-data/store.js";

/** A row that stands for several due times of one job. */
export interface RangeRow {
  readonly runId: string;
  readonly jobId: number;
  readonly scheduleVersion: number;
  readonly dueAt: number;
  readonly lastDueAt: number;
  readonly dueCount: number;
}

/** One due time out of a range, as it becomes a row; the last of very many stays a range. */
export interface ExpandedDue {
  readonly dueAt: number;
  readonly lastDueAt: number;
  readonly dueCount: number;
  readonly local: string;
}

/**
 * The due times inside ranges, recomputed from the schedule of their time, when an operator wants every one of them. At most a thousand rows of a
 * job: what is beyond stays one range. A range whose due times cannot be found again is left out, and goes as one run.
 */
export async function expandRanges(
  tx: Tx,
  input: { readonly zones: ZoneData; readonly ranges: readonly RangeRow[] },
): Promise<ReadonlyMap<string, readonly ExpandedDue[]>> {
  const { zones, ranges } = input;
  if (ranges.length === 0) return new Map();
  const rows = await tx.execute<{ jobId: number; version: number; schedule: JobSchedule; zoneDataVersion: string | null }>(sql`
    select s.job_id as "jobId", s.version, s.schedule, s.zone_data_version as "zoneDataVersion"
    from unnest(${sql.param(ranges.map((one) => one.jobId))}::integer[], ${sql.param(ranges.map((one) => one.scheduleVersion))}::integer[])
      as wanted(job_id, version)
    join job_schedule as s on s.job_id = wanted.job_id and s.version = wanted.version and s.schedule is not null`);
  const zonesOf = await zoneDataByVersion(
    tx,
    zones,
    rows.map((row) => row.zoneDataVersion),
  );
  const versions = new Map(rows.map((row) => [`${row.jobId}/${row.version}`, row]));
  const found = new Map<string, readonly ExpandedDue[]>();
  for (const range of ranges) {
    const version = versions.get(`${range.jobId}/${range.scheduleVersion}`);
    if (version === undefined) continue;
    const span = { from: range.dueAt, to: range.lastDueAt + 1, limit: range.dueCount + 1 };
    const dues = dueTimes(version.schedule, span, zonesOf(version.zoneDataVersion));
    if (dues.length === range.dueCount) found.set(range.runId, rowsOf(dues));
  }
  return found;
}

function rowsOf(dues: readonly { readonly dueAt: number; readonly local: string }[]): readonly ExpandedDue[] {
  const singles = dues.slice(0, dues.length > maxWaitingRuns ? maxWaitingRuns - 1 : dues.length);
  const rest = dues.slice(singles.length);
  const first = rest[0];
  const rows = singles.map((due) => ({ dueAt: due.dueAt, lastDueAt: due.dueAt, dueCount: 1, local: due.local }));
  return first === undefined
    ? rows
    : [...rows, { dueAt: first.dueAt, lastDueAt: rest.at(-1)?.dueAt ?? first.dueAt, dueCount: rest.length, local: first.local }];
}
