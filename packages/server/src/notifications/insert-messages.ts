import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";

/** A message for one webhook, as the outbox keeps it. */
interface QueuedMessage {
  readonly kind: string;
  readonly webhook_id: number;
  readonly team: string;
  readonly destination: string;
  /** Messages of one webhook about one thing go in their order. */
  readonly thing: string;
  readonly payload: unknown;
}

/** Writes messages into the outbox, in the transaction of what they tell. */
export async function insertMessages(tx: Tx, messages: readonly QueuedMessage[]): Promise<void> {
  if (messages.length === 0) return;
  // A webhook that is being removed right now is skipped, not waited for: who removes it may wait for the dispatch locks that are held here (ADR 0004).
  await tx.execute(sql`
    insert into outbox (kind, webhook_id, team, destination, thing, payload)
    select m.kind, m.webhook_id, m.team, m.destination, m.thing, m.payload
    from jsonb_to_recordset(${JSON.stringify(messages)}::text::jsonb)
      as m(kind text, webhook_id integer, team text, destination text, thing text, payload jsonb)
    join team_webhook as k on k.id = m.webhook_id
    for key share of k skip locked`);
}
