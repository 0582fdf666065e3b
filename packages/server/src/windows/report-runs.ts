import type { JobSchedule, ZoneData } from "@quiesce/core";
import { type SQL, sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { duesByState, type DueTimesOfVersion, dueTimesOfVersions } from "../runs/due-times-of-version.js";

/** What the runs of one covered integration mean for a window's report; several rows of one integration add up. */
export interface ReportRuns {
  readonly key: string;
  readonly path: string;
  /** Due times while the integration was covered; the sum of `counts`. */
  readonly due: number;
  /** Due times, inside or earlier, that waited for this hold. */
  readonly held: number;
  /** Runs that started while the integration was covered. */
  readonly startedInside: number;
  readonly counts: readonly { readonly state: string; readonly dues: number }[];
}

/** A run that fell due this long before its integration was covered is not looked for: it would be among too many. */
const maxReachBackDays = 31;

/** A range that reaches over an edge of the time in which its integration was covered. */
interface EdgeRange {
  readonly [column: string]: unknown;
  readonly key: string;
  readonly path: string;
  readonly coveredFrom: number;
  readonly coveredUntil: number;
  readonly state: string;
  readonly dueAt: number;
  readonly lastDueAt: number;
  readonly dueCount: number;
  readonly heldByThis: boolean;
  readonly startedInside: number;
  readonly schedule: JobSchedule | null;
  readonly zoneDataVersion: string | null;
}

/**
 * The members of a hold with the runs that were due, held or started while each was covered: from its joining (or the start) to its leaving (or
 * the release, or now).
 */
export async function readReportRuns(
  tx: Tx,
  input: { readonly holdId: number; readonly now: number; readonly zones: ZoneData },
): Promise<readonly ReportRuns[]> {
  const whole = await tx.execute<{
    key: string;
    path: string;
    state: string | null;
    runs: number;
    dues: number;
    held: number;
    startedInside: number;
  }>(sql`
    ${concerned(input)}
    select i.key, m.path, r.state, coalesce(sum(r.due_count) filter (where r.due_at >= m."coveredFrom"), 0)::integer as dues,
      coalesce(sum(r.due_count) filter (where r."heldByThis"), 0)::integer as held, coalesce(sum(r."startedInside"), 0)::integer as "startedInside",
      (count(r.id) filter (where r.due_at >= m."coveredFrom"))::integer as runs
    from member as m join integration as i on i.id = m.integration_id
    left join concerned as r on r.integration_id = m.integration_id and not r.edge
    group by i.key, m.path, r.state order by i.key`);
  const edges = await tx.execute<EdgeRange>(sql`
    ${concerned(input)}
    select i.key, m.path, m."coveredFrom", m."coveredUntil", r.state, r.due_at as "dueAt", r.last_due_at as "lastDueAt", r.due_count as "dueCount",
      r."heldByThis", r."startedInside", s.schedule, s.zone_data_version as "zoneDataVersion"
    from member as m join integration as i on i.id = m.integration_id join concerned as r on r.integration_id = m.integration_id and r.edge
    left join job_schedule as s on s.job_id = r.job_id and s.version = r.schedule_version
    order by i.key, r.due_at`);
  const dueTimesOf = await dueTimesOfVersions(tx, input.zones, edges);
  return [...whole.map(ofWholeRuns), ...edges.map((edge) => ofEdge(edge, dueTimesOf))];
}

/**
 * The members with their covered time, and their runs that were due in it, reach into it, waited for it or started in it. Ends are exclusive, so
 * an open one lies a millisecond after now: what starts now starts inside.
 */
function concerned(input: { readonly holdId: number; readonly now: number }): SQL {
  return sql`
    with member as materialized (
      select m.integration_id, m.path, m.begins_at as "coveredFrom", greatest(m.begins_at, coalesce(m.released_at, ${input.now + 1}::timestamptz)) as "coveredUntil"
      from hold_member as m where m.hold_id = ${input.holdId}::bigint
    ),
    judged as (
      select r.id, r.integration_id, r.job_id, r.schedule_version, r.state, r.due_at, r.last_due_at, r.due_count,
        coalesce(${input.holdId}::bigint = any (r.held_by), false) as "heldByThis",
        coalesce(r.started_at >= m."coveredFrom" and r.started_at < m."coveredUntil"
          and (r.passes_holds is null or ${input.holdId}::bigint <> all (r.passes_holds)), false)::integer as "startedInside",
        r.due_count > 1 and ((r.due_at < m."coveredFrom" and r.last_due_at >= m."coveredFrom") or r.last_due_at >= m."coveredUntil") as edge,
        r.due_at >= m."coveredFrom" or r.last_due_at >= m."coveredFrom" as reaches
      from member as m join run as r on r.integration_id = m.integration_id
        and r.due_at >= m."coveredFrom" - ${`${maxReachBackDays} days`}::interval and r.due_at < m."coveredUntil"
      -- Somebody asked at the gate and was told to wait: no work was due.
      where not (r.trigger = 'gate' and r.state = 'cancelled')
    ),
    concerned as (select * from judged where reaches or "heldByThis" or "startedInside" = 1)`;
}

function ofWholeRuns(row: {
  key: string;
  path: string;
  state: string | null;
  runs: number;
  dues: number;
  held: number;
  startedInside: number;
}): ReportRuns {
  const { key, path, held, startedInside } = row;
  // An integration without runs has no state.
  if (row.state === null) return { key, path, due: 0, held: 0, startedInside: 0, counts: [] };
  const counts = duesByState(row.state, { runs: row.runs, dues: row.dues });
  return { key, path, due: row.dues, held, startedInside, counts };
}

function ofEdge(edge: EdgeRange, dueTimesOf: DueTimesOfVersion): ReportRuns {
  const { key, path, startedInside, coveredFrom, coveredUntil } = edge;
  const inside = duesBetween(edge, { from: coveredFrom, to: coveredUntil }, dueTimesOf);
  const held = edge.heldByThis ? duesBetween(edge, { from: edge.dueAt, to: coveredUntil }, dueTimesOf) : 0;
  return { key, path, due: inside, held, startedInside, counts: duesByState(edge.state, { runs: 1, dues: inside }) };
}

/** How many of the due times that a range stands for lie in [from, to). */
function duesBetween(range: EdgeRange, between: { readonly from: number; readonly to: number }, dueTimesOf: DueTimesOfVersion): number {
  const { dueAt, lastDueAt, dueCount, schedule, zoneDataVersion } = range;
  const from = Math.max(between.from, dueAt);
  const to = Math.min(between.to, lastDueAt + 1);
  if (from === dueAt && to === lastDueAt + 1) return dueCount;
  if (schedule !== null) return Math.min(dueCount, dueTimesOf({ schedule, zoneDataVersion }, { from, to }).length);
  // The job is gone with its history: only the first and the last due time are known.
  return Math.max(0, dueCount - Number(from > dueAt) - Number(to <= lastDueAt));
}
