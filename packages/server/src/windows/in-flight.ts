import { sql } from "drizzle-orm";
import type { Database } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { bigints } from "../db/sql-arrays.js";
import { readOpenSince } from "../runs/open-since.js";

/** A run that a window waits for. */
export interface InFlightRun {
  readonly holdId: number;
  readonly runId: string;
  readonly integrationId: number;
  /** null for work that runs elsewhere, under a gate lease. */
  readonly job: string | null;
  readonly since: number;
  /** 95 of 100 runs of its job took at most so long; null while nothing is known. */
  readonly p95Ms: number | null;
  /** `since` plus p95; the end of the lease for work elsewhere. */
  readonly expectedEndAt: number | null;
  readonly abortRequestedAt: number | null;
  /** An operator lets it pass the window. */
  readonly breakGlass: boolean;
}

/** The most runs listed for one window; the counts are exact. */
const maxListed = 200;

/** What runs on the integrations that each hold covers, the oldest first. */
export async function runsInFlight(database: Database, holdIds: readonly number[]): Promise<readonly InFlightRun[]> {
  const since = await readOpenSince(database.db);
  return selectRows(
    database.db,
    sql`
    select wanted.id::float8 as "holdId", flight.*
    from unnest(${bigints(holdIds)}) as wanted(id)
    cross join lateral (
      select r.id as "runId", r.integration_id as "integrationId", j.key as job, r.started_at as since, j.p95_ms as "p95Ms",
        case when r.trigger = 'gate' then r.lease_until else r.started_at + j.p95_ms * interval '1 millisecond' end as "expectedEndAt",
        r.abort_requested_at as "abortRequestedAt", coalesce(wanted.id = any (r.passes_holds), false) as "breakGlass"
      from hold_member as m join run as r on r.integration_id = m.integration_id and r.state = 'running' and r.due_at >= ${since}::timestamptz
      left join job as j on j.id = r.job_id
      where m.hold_id = wanted.id and m.released_at is null
      order by r.started_at, r.id limit ${maxListed}) as flight`,
  );
}
