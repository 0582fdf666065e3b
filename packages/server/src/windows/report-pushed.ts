import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";

/** What was pushed and waited for an occurrence: `waited` = `released` + `waiting`. */
export interface PushedReport {
  readonly pushed: { readonly waited: number; readonly released: number; readonly waiting: number };
}

/** Counts pushed records: those that runs have taken which this hold held, and those that still wait for it or for such a run. */
export async function readPushedReport(tx: Tx, holdId: number | null): Promise<PushedReport> {
  if (holdId === null) return { pushed: { waited: 0, released: 0, waiting: 0 } };
  const [row] = await tx.execute<{ released: number; waiting: number }>(sql`
    select
      (select coalesce(sum(r.records), 0)::integer from inbox_release as r where r.hold_id = ${holdId}::bigint) as released,
      (select coalesce(sum(i.waiting_records), 0)::integer
       from hold_member as m cross join control as c join inbox as i on i.integration_id = m.integration_id
       where m.hold_id = ${holdId}::bigint and i.waiting_records > 0
         and ((m.begins_at <= app_now() and m.released_at is null and m.mode = 'enforce' and c.mode = 'enforce')
           or exists (select from run as r where r.id = i.run_id and r.due_at = i.run_due_at and r.state in ('held', 'queued')
             and ${holdId}::bigint = any (r.held_by)
             and not exists (select from inbox_release as taken where taken.hold_id = ${holdId}::bigint and taken.run_id = r.id)))) as waiting`);
  const { released, waiting } = row ?? { released: 0, waiting: 0 };
  return { pushed: { waited: released + waiting, released, waiting } };
}
