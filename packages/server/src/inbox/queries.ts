import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";

/** What waits for an integration, and what became of all that was ever accepted. */
export interface InboxView {
  readonly integrationId: number;
  readonly accepted: number;
  /** Waiting and not in the hands of a run. accepted = waiting + processing + done + dead. */
  readonly waiting: number;
  readonly processing: number;
  readonly done: number;
  readonly dead: number;
  /** Of all that is not settled. */
  readonly waitingBytes: number;
  /** When the oldest record that is not settled was accepted. */
  readonly oldestAt: number | null;
  /** Records that wait for another try, each with its key. */
  readonly putOff: number;
  readonly fullSince: number | null;
}

/** The inboxes of these integrations that take pushed records. */
export async function inboxesOf(tx: Tx, integrationIds: readonly number[]): Promise<readonly InboxView[]> {
  return selectRows<InboxView>(
    tx,
    sql`
    select i.id as "integrationId", coalesce(b.accepted, 0) as accepted, coalesce(b.waiting_records - busy.records, 0)::integer as waiting,
      coalesce(busy.records, 0)::integer as processing, coalesce(b.done, 0) as done, coalesce(b.dead, 0) as dead,
      coalesce(b.waiting_bytes, 0) as "waitingBytes",
      (select min(o.accepted_at) from (
        select r.accepted_at from inbox_record as r where r.integration_id = i.id and r.settled_at is null order by r.id limit 1) as o) as "oldestAt",
      (select count(*)::integer from inbox_record as r where r.integration_id = i.id and r.settled_at is null and r.next_try_at > app_now()) as "putOff",
      b.full_since as "fullSince"
    from integration as i left join inbox as b on b.integration_id = i.id
    left join lateral (
      -- Taken by the run that is running now; of one that died they wait again.
      select count(*) as records from inbox_record as r
      where r.integration_id = i.id and r.settled_at is null and r.run_id in (
        select j.running_run_id from job as j where j.integration_id = i.id and j.push)) as busy on true
    where i.id = any (${sql.param(integrationIds)}::integer[]) and (b.integration_id is not null or i.streams @> '[{"push": true}]')`,
  );
}
