import { type CatchUp, type ResumeProgress, resumeProgress } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Database } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { bigints } from "../db/sql-arrays.js";
import { readOpenSince } from "../runs/open-since.js";

/** One check that an occurrence waits for. */
export interface ReadinessView {
  readonly endpointId: number;
  readonly ok: boolean;
  readonly attempts: number;
  readonly error: string | null;
  readonly lastAt: number | null;
  readonly nextAt: number;
}

/** The first runs of one target system. */
export interface CanaryView {
  readonly systemId: number;
  readonly pending: number;
  readonly succeeded: number;
  readonly failed: number;
}

/** The resume after one occurrence, as far as it is. */
export interface ResumeView extends ResumeProgress {
  readonly occurrenceId: number;
  readonly held: number;
  readonly skipped: number;
  readonly coalesced: number;
  /** An operator's word for this resume. */
  readonly catchUp: CatchUp | null;
  readonly checks: readonly ReadinessView[];
  readonly canaries: readonly CanaryView[];
}

interface Row {
  readonly occurrenceId: number;
  readonly asOf: number;
  readonly released: boolean;
  readonly reheld: boolean;
  readonly overrun: boolean;
  readonly closed: boolean;
  readonly canaryHoldId: number | null;
  readonly held: number;
  readonly catchUp: CatchUp | null;
  readonly batches: readonly {
    readonly runs: number;
    readonly first: number | null;
    readonly last: number | null;
    readonly skipped: number;
    readonly coalesced: number;
  }[];
  readonly checks: readonly ReadinessView[];
  readonly canaries: readonly CanaryView[];
}

const instantMs = (column: string) => sql.raw(`(extract(epoch from ${column}) * 1000)::float8`);

/** The resumes of occurrences whose end was reached; none for the others. */
export async function resumesOfOccurrences(database: Database, occurrenceIds: readonly number[]): Promise<readonly ResumeView[]> {
  const since = await readOpenSince(database.db);
  const [chosen] = await selectRows<{ readonly first: number | null }>(
    database.db,
    sql`select min(c.run_due_at) as first from canary as c join hold as h on h.id = c.hold_id where h.canary_of = any (${bigints(occurrenceIds)})`,
  );
  const rows = await selectRows<Row>(
    database.db,
    sql`
    select o.id::float8 as "occurrenceId", (select app_now()) as "asOf", o.released_at is not null as released, o.reheld_at is not null as reheld,
      o.overrun_at is not null as overrun, o.closed_at is not null as closed, canary.id::float8 as "canaryHoldId",
      coalesce(canary.catch_up, h.catch_up) as "catchUp",
      case when o.closed_at is not null then 0 else (
        -- A run that both of its holds list is one run.
        select count(distinct r.id)::integer from hold as own join hold_member as m on m.hold_id = own.id and (m.released_at is null or m.settled_at is null)
        join run as r on r.integration_id = m.integration_id and r.state = 'held' and r.due_at >= ${since}::timestamptz
          and own.id = any (r.held_by)
        where own.occurrence_id = o.id or own.canary_of = o.id) end as held,
      (select coalesce(jsonb_agg(jsonb_build_object('runs', b.queued, 'first', ${instantMs("b.first_at")}, 'last', ${instantMs("b.last_at")},
          'skipped', b.skipped, 'coalesced', b.coalesced)), '[]')
        from resume_batch as b where b.hold_id = h.id) as batches,
      (select coalesce(jsonb_agg(jsonb_build_object('endpointId', k.endpoint_id, 'ok', k.ok, 'attempts', k.attempts, 'error', k.error,
          'lastAt', ${instantMs("k.last_at")}, 'nextAt', ${instantMs("k.next_at")}) order by k.ok, k.endpoint_id), '[]')
        from readiness_check as k where k.occurrence_id = o.id) as checks,
      (select coalesce(jsonb_agg(one), '[]') from (
        select c.system_id as "systemId", count(*) filter (where r.state in ('queued', 'running', 'held')) as pending,
          count(*) filter (where r.state = 'succeeded') as succeeded, count(*) filter (where r.state in ('failed', 'dead', 'lost')) as failed
        from canary as c join hold as tried on tried.id = c.hold_id and tried.canary_trial = c.trial join run as r on r.id = c.run_id and r.due_at = c.run_due_at
          and r.due_at >= ${chosen?.first ?? Infinity}::timestamptz
        where tried.canary_of = o.id and not c.follows group by c.system_id order by c.system_id) as one) as canaries
    from occurrence as o join hold as h on h.occurrence_id = o.id left join hold as canary on canary.canary_of = o.id and canary.released_at is null
    where o.id = any (${bigints(occurrenceIds)}) and (o.released_at is not null or o.verifying_at is not null)`,
  );
  return rows.map(viewOf);
}

function viewOf(row: Row): ResumeView {
  const { occurrenceId, held, catchUp, checks, canaries } = row;
  const sum = (of: "skipped" | "coalesced") => row.batches.reduce((total, batch) => total + batch[of], 0);
  const skipped = sum("skipped");
  const coalesced = sum("coalesced");
  const facts = {
    ...row,
    skipped,
    coalesced,
    tryingCanaries: row.canaryHoldId !== null && !row.reheld,
    checks: checks.length,
    checksOpen: checks.filter((check) => !check.ok).length,
    batches: row.batches.flatMap(({ runs, first, last }) =>
      first === null || last === null ? [] : [{ runs, firstAt: first, lastAt: last }],
    ),
  };
  return { occurrenceId, held, catchUp, checks, canaries, skipped, coalesced, ...resumeProgress(facts, row.asOf) };
}
