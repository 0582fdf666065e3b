import { deduplicationHours } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { inTransaction, readNow } from "../command.js";
import type { Database } from "../db/client.js";
import { queuePushRun } from "./queue-push-run.js";
import { lockInbox, nextTryAt, pushTargetOf } from "./store.js";

/** Settled records are remembered this much longer than their senders are promised. */
const spareHours = 24;
const deletedAtOnce = 5_000;

/**
 * Queues a run wherever records wait and none does: one was cancelled, failed for good or lost, or its job was switched on again. The net under
 * those who push and deliver.
 */
export async function queuePushRuns(context: { readonly database: Database }): Promise<number> {
  const waiting = await context.database.db.execute<{ id: number }>(sql`
    select i.integration_id as id from inbox as i
    where i.waiting_records > 0 and not exists (
      select from run as r where r.id = i.run_id and r.due_at = i.run_due_at and r.state in ('queued', 'held', 'running'))
    order by i.integration_id limit 1000`);
  let queued = 0;
  for (const { id } of waiting) {
    queued += await inTransaction(context, async (tx) => {
      const target = await pushTargetOf(tx, id);
      if (target === undefined) return 0;
      const inbox = await lockInbox(tx, id);
      const now = await readNow(tx);
      const next = await nextTryAt(tx, target, now);
      if (next === null) return 0;
      await queuePushRun(tx, { target, inbox, waiting: inbox.waitingRecords, notBefore: next, now });
      return 1;
    });
  }
  return queued;
}

/** Forgets records that were settled long ago, a bounded number at a time. Answers how many. */
export async function forgetSettled(context: { readonly database: Database }): Promise<number> {
  const hours = deduplicationHours + spareHours;
  let forgotten = 0;
  for (let more = true; more;) {
    const rows = await context.database.db.execute(sql`
      delete from inbox_record where id in (
        select id from inbox_record
        where settled_at < app_now() - ${hours}::integer * interval '1 hour' and accepted_at < app_now() - ${hours}::integer * interval '1 hour'
        order by settled_at limit ${deletedAtOnce} for update skip locked)
      returning id`);
    forgotten += rows.length;
    more = rows.length === deletedAtOnce;
  }
  return forgotten;
}
