import { sql } from "drizzle-orm";
import type { Actor } from "../command.js";
import type { Tx } from "../db/client.js";
import { addEntries } from "./entries.js";

/** Ends the offer of an incident that is closed: nothing is left that a team could take over. The timeline says so. */
export async function endOffer(
  tx: Tx,
  { incidentId, actor, now }: { readonly incidentId: number; readonly actor: Actor; readonly now: number },
): Promise<void> {
  const [ended] = await tx.execute<{ team: string }>(sql`
    update incident as i set offered_to = null, offered_by = null, offer_reason = null, offered_at = null
    from (select id, offered_to as team from incident where id = ${incidentId}::bigint) as was
    where i.id = was.id and was.team is not null
    returning was.team`);
  if (ended === undefined) return;
  const text = `The offer to ${ended.team} ended unanswered: the incident was closed.`;
  await addEntries(tx, { actor, now }, [{ incidentId, kind: "offer-ended", text, data: { offeredTo: ended.team } }]);
}
