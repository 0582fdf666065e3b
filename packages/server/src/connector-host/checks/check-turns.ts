import { sql } from "drizzle-orm";
import type { Tx } from "../../db/client.js";

/** Sees that endpoints which are checked by the clock have a turn, now, and the others have none. Called when endpoints are written. */
export async function placeTurns(tx: Tx, endpointIds: readonly number[]): Promise<void> {
  const ids = sql`${sql.param(endpointIds)}::integer[]`;
  await tx.execute(sql`
    insert into endpoint_check_turn (endpoint_id, due_at)
    select id, app_now() from endpoint where id = any (${ids}) and check_every_ms is not null
    on conflict (endpoint_id) do update set due_at = excluded.due_at`);
  await tx.execute(sql`
    delete from endpoint_check_turn as t using endpoint as e
    where e.id = t.endpoint_id and e.id = any (${ids}) and e.check_every_ms is null`);
}

/** Takes the longest due turn, for this server alone; the next one is an interval from now. */
export async function takeTurn(tx: Tx): Promise<{ readonly id: number; readonly key: string } | undefined> {
  const rows = await tx.execute<{ id: number; key: string }>(sql`
    with due as (select endpoint_id from endpoint_check_turn where due_at <= app_now() order by due_at limit 1 for update skip locked)
    update endpoint_check_turn as t set due_at = app_now() + coalesce(e.check_every_ms, 60000) * interval '1 millisecond'
    from due, endpoint as e where t.endpoint_id = due.endpoint_id and e.id = t.endpoint_id
    returning e.id, e.key`);
  return rows[0];
}
