import { decidePushRun, type LastPushRun, planRamp, type RunState } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";
import { lockRamps, saveRamps, targetsOf } from "../runs/ramp.js";
import type { InboxSums, PushTarget } from "./store.js";

/** Why the run exists, in the ledger. */
const pushed = "pushed-records";
const putOff = "pushed-records-put-off";

/**
 * Sees to it that a run of the push job waits when records do. Call it under the lock of the inbox: whoever pushes and whoever delivers then agree
 * on which run takes what. It writes no lock on a run that another might hold while it waits for the inbox.
 */
export async function queuePushRun(
  tx: Tx,
  input: {
    readonly target: PushTarget;
    readonly inbox: InboxSums;
    readonly waiting: number;
    readonly notBefore: number;
    readonly now: number;
  },
): Promise<void> {
  const { target, inbox, now } = input;
  const verdict = decidePushRun({
    waiting: input.waiting,
    enabled: target.jobEnabled,
    last: await lastRun(tx, inbox),
    notBefore: input.notBefore,
    policy: target.retry,
  });
  if (verdict.kind === "none") return;
  if (verdict.kind === "bring-forward") {
    const sooner = await placeOnRamp(tx, target.integrationId, { readyAt: verdict.readyAt, now });
    await tx.execute(sql`
      update run as r set ready_at = least(r.ready_at, ${sooner}::timestamptz), reason = ${pushed}
      from (select id, due_at from run where id = ${inbox.runId}::uuid and due_at = ${inbox.runDueAt}::timestamptz and state = 'queued' for update skip locked) as free
      where r.id = free.id and r.due_at = free.due_at`);
    return;
  }
  const readyAt = await placeOnRamp(tx, target.integrationId, { readyAt: verdict.readyAt, now });
  await tx.execute(sql`select ensure_run_partitions(${now}::timestamptz, ${now}::timestamptz)`);
  const rows = await tx.execute<{ id: string }>(sql`
    with made as (
      insert into run (id, due_at, last_due_at, job_id, integration_id, bucket, trigger, state, ready_at, reason)
      values (new_run_id(${now}::timestamptz), ${now}::timestamptz, ${now}::timestamptz, ${target.jobId}, ${target.integrationId}, ${target.bucket}, 'queue',
        'queued', ${readyAt}::timestamptz, ${input.notBefore > now ? putOff : pushed})
      returning id, due_at
    ),
    noted as (update inbox as i set run_id = made.id, run_due_at = made.due_at from made where i.integration_id = ${target.integrationId})
    select id from made`);
  const runId = rows[0]?.id;
  if (runId === undefined) throw new Error("The run was not written.");
  const payload = { job: target.jobKey, trigger: "queue" };
  await appendEvents(tx, [{ kind: "run.queued", subjectKind: "run", subjectKey: runId, integrationKey: target.key, payload }]);
}

async function lastRun(tx: Tx, inbox: InboxSums): Promise<LastPushRun | null> {
  if (inbox.runId === null) return null;
  const rows = await tx.execute<{ state: RunState; readyAt: number; finishedAt: number | null; isPutOff: boolean }>(sql`
    select state, ready_at as "readyAt", finished_at as "finishedAt", reason is not distinct from ${putOff} and attempt = 0 and released_at is null and postponed_until is null as "isPutOff"
    from run where id = ${inbox.runId}::uuid and due_at = ${inbox.runDueAt}::timestamptz`);
  return rows[0] ?? null;
}

/** While the ramp of a target system lasts, what comes new joins its end, as due times do. */
async function placeOnRamp(tx: Tx, integrationId: number, at: { readonly readyAt: number; readonly now: number }): Promise<number> {
  const ramped = await tx.execute(sql`
    select from integration as i join system_ramp as ramp on ramp.system_id in (select target.system_id from ${targetsOf} as target)
    where i.id = ${integrationId} and ramp.next_at > ${at.now}::timestamptz limit 1`);
  if (ramped.length === 0) return at.readyAt;
  const plan = planRamp({ systems: await lockRamps(tx, integrationId), notBefore: [Math.max(at.now, at.readyAt)] });
  await saveRamps(tx, plan.systems);
  return plan.readyAt[0] ?? at.readyAt;
}
