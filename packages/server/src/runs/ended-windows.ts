import type { JobFacts } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { bigints } from "../db/sql-arrays.js";

type EndedWindow = NonNullable<JobFacts["holds"][number]["ended"]>;

/** Of these holds, those whose window has reached its end and is not over: for what they wait, by the hold's number. */
export async function endedWindows(tx: Tx, holdIds: readonly number[]): Promise<ReadonlyMap<number, EndedWindow>> {
  if (holdIds.length === 0) return new Map();
  const rows = await tx.execute<EndedWindow & { readonly [column: string]: unknown; readonly holdId: number }>(sql`
    select h.id as "holdId", w.key as "window", o.ends_at as at, o.overrun_at is not null as overrun,
      case when h.canary_of is null then 'readiness' when o.reheld_at is null then 'canaries' else 'reheld' end as "for",
      (select coalesce(jsonb_agg(jsonb_build_object('endpoint', e.key, 'why', k.error) order by e.key), '[]')
        from readiness_check as k join endpoint as e on e.id = k.endpoint_id where k.occurrence_id = o.id and not k.ok) as "waitsFor"
    from hold as h join occurrence as o on o.id = coalesce(h.occurrence_id, h.canary_of) join maintenance_window as w on w.id = o.window_id
    where h.id = any (${bigints(holdIds)}) and (o.verifying_at is not null or h.canary_of is not null)`);
  return new Map(rows.map(({ holdId, ...ended }) => [holdId, ended]));
}
