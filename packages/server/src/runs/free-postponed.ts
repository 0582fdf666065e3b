import { sql } from "drizzle-orm";
import { inTransaction, readNow } from "../command.js";
import type { Database } from "../db/client.js";
import { readOpenSince } from "./open-since.js";

/** Runs of one transaction; more follow in the next. */
const maxFreed = 1_000;

/**
 * Gives runs that wait for the beginning of a window free when nothing of the kind begins then any more: the window was moved, cancelled, ended
 * or only observes, the job runs faster now or became continuous. The next claim decides afresh, and may postpone them for another window. Which
 * ones follows from the stored facts alone, so that no command has to think of them and none is lost. Answers how many.
 */
export async function freePostponed(context: { readonly database: Database }): Promise<number> {
  for (let freed = 0; ;) {
    const batch = await inTransaction(context, async (tx) => {
      const now = await readNow(tx);
      const since = await readOpenSince(tx);
      const rows = await tx.execute<{ id: string }>(sql`
        with unbound as materialized (
          select r.id, r.due_at from run as r cross join control as c left join job as j on j.id = r.job_id
          where r.state = 'queued' and r.due_at >= ${since}::timestamptz and r.postponed_until is not null and r.postponed_until > ${now}::timestamptz
            and not exists (
              select from windows_not_finished_before(
                r.integration_id, r.passes_holds, guarded_lead_ms(r.trigger, j.continuous, j.finish_lead_ms), ${now}::timestamptz, c.mode) as w
              where w.begins_at = r.postponed_until)
          order by r.due_at, r.id limit ${maxFreed}
          for update of r skip locked
        ),
        freed as (
          update run as r set ready_at = ${now}::timestamptz, postponed_until = null
          from unbound as u where r.id = u.id and r.due_at = u.due_at and r.due_at >= ${since}::timestamptz
          returning r.id, r.due_at, r.due_count, r.job_id, r.integration_id
        ),
        announced as (
          insert into event_inbox (at, kind, subject_kind, subject_key, integration_key, payload)
          select ${now}::timestamptz, 'run.unpostponed', 'run', f.id::text, i.key, jsonb_build_object('job', j.key, 'dueAt', f.due_at, 'dueCount', f.due_count)
          from freed as f join integration as i on i.id = f.integration_id left join job as j on j.id = f.job_id
        )
        select id from freed`);
      return rows.length;
    });
    freed += batch;
    if (batch < maxFreed) return freed;
  }
}
