import { planRamp, type RampSystem } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { inTransaction, readNow } from "../command.js";
import type { Database, Tx } from "../db/client.js";
import { materialiseAheadMs } from "./materialise.js";

/** Due times that join ramps in one transaction. */
const maxJoiners = 1_000;
/** A due time that is late by more waits for a worker or a cap, not for the ramp. */
const lateMs = 60_000;

/**
 * One sweep at a time in the whole deployment, transaction by transaction: places on a ramp are given in one order. False: another server has
 * it; whoever dies with it lets it go.
 */
export async function takeSweep(tx: Tx): Promise<boolean> {
  const rows = await tx.execute<{ mine: boolean }>(sql`select pg_try_advisory_xact_lock(lock_class_sweep(), 0) as mine`);
  return rows[0]?.mine === true;
}

/** The systems that an integration writes to. `i` is the alias of integration. */
export const targetsOf = sql`(
  select route.system_id from integration_system as route where route.integration_id = i.id and route.role = 'target'
  union select e.system_id from endpoint as e where e.id = i.target_endpoint_id)`;

/** The ramps of an integration's target systems, locked until the transaction ends. */
export async function lockRamps(tx: Tx, integrationId: number): Promise<readonly RampSystem[]> {
  await tx.execute(sql`
    insert into system_ramp (system_id, next_at)
    select target.system_id, to_timestamp(0) from integration as i cross join lateral ${targetsOf} as target where i.id = ${integrationId}
    order by 1 on conflict do nothing`);
  return tx.execute<{ systemId: number; nextAt: number; stepMs: number }>(sql`
    select r.system_id as "systemId", r.next_at as "nextAt", s.resume_spacing_ms as "stepMs"
    from system_ramp as r join system as s on s.id = r.system_id
    where r.system_id in (select target.system_id from integration as i cross join lateral ${targetsOf} as target where i.id = ${integrationId})
    order by r.system_id for update of r`);
}

export async function saveRamps(tx: Tx, systems: readonly RampSystem[]): Promise<void> {
  if (systems.length === 0) return;
  await tx.execute(sql`
    update system_ramp as r set next_at = p.next_at
    from unnest(${sql.param(systems.map((one) => one.systemId))}::integer[], ${sql.param(systems.map((one) => one.nextAt))}::timestamptz[])
      as p(system_id, next_at)
    where r.system_id = p.system_id`);
}

interface Joiner {
  readonly [column: string]: unknown;
  readonly id: string;
  readonly dueAt: number;
  readonly integrationId: number;
}

/**
 * While a system's ramp lasts, due times that fall into it join its end: they would otherwise start between its places. Answers how many did.
 * One that has joined is ready later than it was due, and so is not taken twice.
 */
export async function joinRamps(context: { readonly database: Database }): Promise<number> {
  const ramps = await context.database.db.execute(sql`select from system_ramp where next_at > app_now() limit 1`);
  if (ramps.length === 0) return 0;
  return inTransaction(context, async (tx) => {
    if (!(await takeSweep(tx))) return 0;
    const now = await readNow(tx);
    const joiners = await lockJoiners(tx, now);
    for (const integrationId of new Set(joiners.map((one) => one.integrationId))) {
      const own = joiners.filter((one) => one.integrationId === integrationId);
      const plan = planRamp({ systems: await lockRamps(tx, integrationId), notBefore: own.map((one) => Math.max(now, one.dueAt)) });
      await tx.execute(sql`
        update run as r set ready_at = p.ready_at
        from unnest(${sql.param(own.map((one) => one.id))}::uuid[], ${sql.param(own.map((one) => one.dueAt))}::timestamptz[],
          ${sql.param(plan.readyAt)}::timestamptz[]) as p(id, due_at, ready_at)
        where r.id = p.id and r.due_at = p.due_at and r.due_at >= ${now - lateMs}::timestamptz`);
      await saveRamps(tx, plan.systems);
    }
    return joiners.length;
  });
}

function lockJoiners(tx: Tx, now: number): Promise<readonly Joiner[]> {
  return tx.execute<Joiner>(sql`
    select r.id, r.due_at as "dueAt", r.integration_id as "integrationId"
    from (
      select i.id, max(ramp.next_at) as next_at from system_ramp as ramp
      join integration as i on ramp.system_id in (select target.system_id from ${targetsOf} as target)
      where ramp.next_at > ${now}::timestamptz group by i.id) as ramped
    join job as j on j.integration_id = ramped.id
    join run as r on r.job_id = j.id
    where r.state = 'queued' and r.trigger = 'schedule' and r.attempt = 0 and r.released_at is null and r.ready_at = r.due_at
      and r.due_at between ${now - lateMs}::timestamptz and ${now + materialiseAheadMs}::timestamptz and r.due_at < ramped.next_at
    order by r.due_at, r.id limit ${maxJoiners}
    for update of r skip locked`);
}
