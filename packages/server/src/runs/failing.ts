import { sql } from "drizzle-orm";
import { readNow } from "../command.js";
import type { Database } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";

/** Integrations whose jobs fail for the same reason. */
export interface FailureGroup {
  readonly kind: string;
  /** Of the newest failure among them. */
  readonly message: string;
  readonly integrations: number;
  /** Since when the first of them has failed without a success between, epoch milliseconds; a day back at most. */
  readonly since: number;
  /** Some of them, the most critical first. */
  readonly sampleIds: readonly number[];
}

export interface Failing {
  readonly integrations: number;
  /** The largest first. */
  readonly groups: readonly FailureGroup[];
}

const DAY_MS = 86_400_000;
const MAX_GROUPS = 20;
const SAMPLE = 10;
const MAX_MESSAGE = 300;

/**
 * What fails now: enabled jobs whose last run of a day that ended did so in failure, grouped by what went wrong. Numbers of four digits and more, and
 * what looks like an id, are not compared: "record 10418 …" and "record 10419 …" fail alike, 401 and 503 do not.
 */
export async function failing(database: Database): Promise<Failing> {
  const now = await readNow(database.db);
  const [row] = await selectRows<Failing>(
    database.db,
    sql`
    with last_run as (
      select j.id as job_id, j.integration_id, r.due_at, r.finished_at, coalesce(r.error ->> 'kind', r.state) as kind,
        left(coalesce(r.error ->> 'message', r.reason, r.state), ${MAX_MESSAGE}) as message
      from job as j cross join lateral (
        select q.state, q.due_at, q.finished_at, q.error, q.reason from run as q
        where q.integration_id = j.integration_id and q.job_id = j.id and q.due_at > ${now - DAY_MS}::timestamptz and q.due_at <= ${now}::timestamptz
          and q.state in ('succeeded', 'failed', 'dead', 'lost')
        order by q.due_at desc limit 1) as r
      where j.enabled and r.state <> 'succeeded'),
    -- The failures since the last success.
    streak as (
      select l.*, (
        select min(coalesce(q.finished_at, q.due_at)) from run as q
        where q.integration_id = l.integration_id and q.job_id = l.job_id and q.due_at > ${now - DAY_MS}::timestamptz and q.due_at <= l.due_at
          and q.state in ('failed', 'dead', 'lost') and q.due_at > coalesce((
            select max(s.due_at) from run as s where s.integration_id = l.integration_id and s.job_id = l.job_id
              and s.due_at > ${now - DAY_MS}::timestamptz and s.due_at < l.due_at and s.state = 'succeeded'), '-infinity')) as since
      from last_run as l),
    alike as (
      select kind, regexp_replace(message, '[0-9a-f]{8}[0-9a-f-]*|[0-9]{4,}', '#', 'g') as pattern,
        (array_agg(message order by finished_at desc nulls last, job_id))[1] as message, count(distinct integration_id)::int as n, min(since) as since,
        array_agg(distinct integration_id) as ids
      from streak group by 1, 2 order by n desc, min(since), 1, 2 limit ${MAX_GROUPS})
    select (select count(distinct integration_id)::int from last_run) as integrations,
      (select coalesce(jsonb_agg(jsonb_build_object('kind', a.kind, 'message', a.message, 'integrations', a.n,
          'since', floor(extract(epoch from a.since) * 1000), 'sampleIds', (
            select jsonb_agg(i.id order by i.place) from (
              select s.id, row_number() over (order by array_position(array['critical', 'high', 'medium', 'low'], s.criticality), s.key) as place
              from integration as s where s.id = any(a.ids)) as i where i.place <= ${SAMPLE}))
        order by a.n desc, a.since, a.kind, a.message), '[]') from alike as a) as groups`,
  );
  return row ?? { integrations: 0, groups: [] };
}
