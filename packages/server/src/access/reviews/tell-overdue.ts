import { sql } from "drizzle-orm";
import { queueForAuditors } from "../../audit/publish-head.js";
import { inTransaction } from "../../command.js";
import type { Database } from "../../db/client.js";
import { appendEvents, payloadInstant } from "../../events/append-events.js";

/** Tells, once each, of reviews that are open after they were due: an event, and a message to the webhooks that name its kind. Answers how many. */
export function tellOverdueReviews(context: { readonly database: Database }): Promise<number> {
  return inTransaction(context, async (tx) => {
    const rows = await tx.execute<{ id: number; title: string; dueAt: number; undecided: number }>(sql`
      update access_review set overdue_told_at = app_now()
      where id in (select id from access_review where closing_at is null and overdue_told_at is null and due_at <= app_now() for update skip locked)
      returning id, title, due_at as "dueAt",
        (select count(*)::integer from access_review_item as i where i.review_id = access_review.id and i.decision is null) as undecided`);
    for (const { id, title, dueAt, undecided } of rows) {
      const facts = { title, dueAt: payloadInstant(dueAt), undecided };
      await appendEvents(tx, [{ kind: "access-review.overdue", subjectKind: "access-review", subjectKey: String(id), payload: facts }]);
      await queueForAuditors(tx, "access-review.overdue", { review: String(id), ...facts });
    }
    return rows.length;
  });
}
