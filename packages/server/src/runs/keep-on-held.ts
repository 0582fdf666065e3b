import { type SQL, sql } from "drizzle-orm";
import { inTransaction } from "../command.js";
import type { Database, Tx } from "../db/client.js";
import { appendEvents, payloadInstant } from "../events/append-events.js";
import { holdsNow } from "./active-holds.js";
import { readOpenSince } from "./open-since.js";

/** Runs that one transaction gives to other holds; more follow in the next. */
const maxKeptOn = 1_000;
/** Members that one transaction settles. */
const maxSettled = 500;

/**
 * Held runs whose holds have all ended while others cover them are held by these from now on. The ended ones stay listed as the record. Answers
 * how many runs changed their holds.
 */
export async function keepOnHeld(context: { readonly database: Database }): Promise<number> {
  if (!(await hasUnsettled(context.database.db))) return 0;
  let kept = 0;
  // Each integration for itself: a look for the next thousand among all that is held would be as long as all of it, each time.
  for (const integrationId of await integrationsLeftAlone(context.database.db)) {
    for (let batch = maxKeptOn; batch === maxKeptOn; kept += batch) {
      batch = await inTransaction(context, async (tx) => {
        const runs = await lockLeftAlone(tx, integrationId);
        await giveToHolds(tx, runs);
        return runs.length;
      });
    }
  }
  return kept;
}

/**
 * Notes of released members that no run waits for them any more: each was let go, or is listed under the holds that keep it. From then on nobody
 * looks at them again. A run that was held by them later cannot be: their release waited for the claims under way.
 */
export async function settleMembers(context: { readonly database: Database }): Promise<void> {
  if (!(await hasUnsettled(context.database.db))) return;
  for (let after = { hold: 0, integration: 0 }; ;) {
    const looked = await inTransaction(context, (tx) => settleBatch(tx, after));
    const last = looked.at(-1);
    if (last === undefined || looked.length < maxSettled) return;
    after = last;
  }
}

/** Asked before anything that touches the runs: to plan a statement over all their days costs more than to run it. */
async function hasUnsettled(tx: Tx): Promise<boolean> {
  const rows = await tx.execute(sql`select from hold_member as m where m.released_at is not null and m.settled_at is null limit 1`);
  return rows.length > 0;
}

async function settleBatch(tx: Tx, after: { readonly hold: number; readonly integration: number }) {
  const batch = await tx.execute<{ hold: number; integration: number }>(sql`
    select m.hold_id as hold, m.integration_id as integration from hold_member as m
    where m.released_at is not null and m.settled_at is null and (m.hold_id, m.integration_id) > (${after.hold}::bigint, ${after.integration}::integer)
    order by m.hold_id, m.integration_id limit ${maxSettled} for update skip locked`);
  const since = await readOpenSince(tx);
  // In a later statement than the locks: what was read above is released, and stays so until the commit.
  await tx.execute(sql`
    with batch as (
      select * from unnest(${sql.param(batch.map((one) => one.hold))}::bigint[], ${sql.param(batch.map((one) => one.integration))}::integer[])
        as b(hold_id, integration_id)
    ),
    waiting as materialized (
      select i.integration_id from (select distinct integration_id from batch) as i
      cross join lateral (
        select array_agg(m.hold_id) as holds from hold_member as m cross join control as c where m.integration_id = i.integration_id and ${holdsNow}) as cover
      where exists (
        select from run as r where r.integration_id = i.integration_id and r.state = 'held' and r.due_at >= ${since}::timestamptz
          -- Not listed under what covers it, or covered by nothing that it may not pass.
          and (cover.holds is null or not (r.held_by && cover.holds) or (r.passes_holds is not null and cover.holds <@ r.passes_holds)))
    )
    update hold_member as m set settled_at = app_now() from batch as b
    where m.hold_id = b.hold_id and m.integration_id = b.integration_id and b.integration_id not in (select integration_id from waiting)`);
  return batch;
}

interface LeftAlone {
  readonly [column: string]: unknown;
  readonly id: string;
  readonly dueAt: number;
  readonly dueCount: number;
  /** The holds that cover it now, none of which it lists. */
  readonly heldBy: readonly number[];
  readonly job: string | null;
  readonly integrationKey: string;
}

/** A held run (r) that lists none of the holds that cover it (cover), and may not pass them all. */
const leftAlone: SQL = sql`r.state = 'held' and not (r.held_by && cover.holds) and (r.passes_holds is null or not (cover.holds <@ r.passes_holds))`;

async function integrationsLeftAlone(tx: Tx): Promise<readonly number[]> {
  const since = await readOpenSince(tx);
  const rows = await tx.execute<{ id: number }>(sql`
    with cover as materialized (
      select m.integration_id, array_agg(m.hold_id) as holds
      from hold_member as m cross join control as c
      where ${holdsNow}
        and m.integration_id in (select left_by.integration_id from hold_member as left_by where left_by.released_at is not null and left_by.settled_at is null)
      group by m.integration_id
    )
    select cover.integration_id as id from cover
    where exists (select from run as r where r.integration_id = cover.integration_id and r.due_at >= ${since}::timestamptz and ${leftAlone})
    order by 1`);
  return rows.map((row) => row.id);
}

async function lockLeftAlone(tx: Tx, integrationId: number): Promise<readonly LeftAlone[]> {
  const since = await readOpenSince(tx);
  return tx.execute<LeftAlone>(sql`
    with cover as materialized (
      select m.integration_id, array_agg(m.hold_id) as holds from hold_member as m cross join control as c
      where m.integration_id = ${integrationId} and ${holdsNow} group by m.integration_id
    )
    select r.id, r.due_at as "dueAt", r.due_count as "dueCount", j.key as job, i.key as "integrationKey",
      array(select unnest(cover.holds) except select unnest(r.passes_holds) order by 1) as "heldBy"
    from run as r cross join cover join integration as i on i.id = r.integration_id left join job as j on j.id = r.job_id
    where r.integration_id = ${integrationId} and r.due_at >= ${since}::timestamptz and ${leftAlone}
    order by r.due_at, r.id limit ${maxKeptOn} for update of r skip locked`);
}

async function giveToHolds(tx: Tx, runs: readonly LeftAlone[]): Promise<void> {
  const first = runs[0];
  const last = runs.at(-1);
  if (first === undefined || last === undefined) return;
  const rows = JSON.stringify(runs.map(({ id, dueAt, heldBy }) => ({ id, due_at: payloadInstant(dueAt), holds: heldBy })));
  await tx.execute(sql`
    update run as r set held_by = r.held_by || array(select jsonb_array_elements_text(k.holds)::bigint)
    from jsonb_to_recordset(${rows}::text::jsonb) as k(id uuid, due_at timestamptz, holds jsonb)
    where r.id = k.id and r.due_at = k.due_at and r.due_at between ${first.dueAt}::timestamptz and ${last.dueAt}::timestamptz`);
  await appendEvents(
    tx,
    runs.map(({ id, integrationKey, job, dueAt, dueCount, heldBy }) => ({
      kind: "run.held",
      subjectKind: "run",
      subjectKey: id,
      integrationKey,
      payload: { job, dueAt: payloadInstant(dueAt), dueCount, heldBy },
    })),
  );
}
