import { type AccessDecision, describeGrants, DomainError, type Grant, judgeDecision } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudits } from "../../audit/record-audit.js";
import { type CommandContext, inTransaction } from "../../command.js";
import { bigints } from "../../db/sql-arrays.js";
import { appendEvents } from "../../events/append-events.js";
import { decidedItem, lockItems, lockReview, requireReviewer, reviewerOf } from "./review-store.js";

export interface DecideInput {
  readonly id: number;
  /** Numbers of items of the review. */
  readonly items: readonly number[];
  readonly decision: AccessDecision;
  /** With `narrow`: what is left; left out: what was suggested for each. */
  readonly grants?: readonly Grant[] | undefined;
  readonly reason: string;
}

export const maxItemsAtOnce = 500;
const REASON_MAX = 2_000;

/**
 * Decides on items of an open review, all of them or none; what was decided before is replaced. Nothing changes for anybody before the close. Throws
 * QSC_REVIEW_NOT_FOUND, QSC_REVIEW_CLOSED, QSC_REVIEW_ITEM, QSC_REVIEW_REASON, QSC_REVIEW_NOT_REVIEWER and what `judgeDecision` throws.
 */
export async function decideAccess(context: CommandContext, input: DecideInput): Promise<{ readonly id: number }> {
  const { id, decision } = input;
  const items = [...new Set(input.items)];
  const reason = reviewReason(input.reason);
  if (items.length === 0 || items.length > maxItemsAtOnce)
    throw new DomainError("QSC_REVIEW_ITEM", `${items.length} items were named; name 1 to ${maxItemsAtOnce} at a time.`, {
      field: "items",
    });
  return inTransaction(context, async (tx) => {
    const review = await lockReview(tx, id);
    if (review.closing) throw reviewClosed(id);
    const reviewer = await reviewerOf(tx, context.actor);
    requireReviewer(review, reviewer);
    const rows = await lockItems(tx, sql`review_id = ${id} and id = any(${bigints(items)})`);
    const missing = items.find((item) => !rows.some((row) => row.id === item));
    if (missing !== undefined)
      throw new DomainError("QSC_REVIEW_ITEM", `Review ${id} has no item ${missing}. List them: quiesce access-review show ${id}.`, {
        field: "items",
      });
    const by = `${context.actor.kind}:${context.actor.name}`;
    const decided = rows.map((row) => ({ row, grants: judgeDecision(decidedItem(row), reviewer, { decision, grants: input.grants }) }));
    await tx.execute(sql`
      update access_review_item as i set decision = ${decision}, grants = d.grants, reason = ${reason}, decided_by = ${by}, decided_at = app_now()
      from jsonb_to_recordset(${JSON.stringify(decided.map(({ row, grants }) => ({ id: row.id, grants })))}::text::jsonb) as d(id bigint, grants jsonb)
      where i.id = d.id`);
    const subject = { subjectKind: "access-review", subjectKey: String(id) } as const;
    await recordAudits(
      tx,
      decided.map(({ row, grants }) => ({
        actor: context.actor,
        action: "access-review.decide",
        ...subject,
        reason,
        before: { item: row.id, decision: row.decision },
        after: {
          item: row.id,
          subject: row.subject,
          principal: row.principalId,
          token: row.tokenId,
          decision,
          ...(grants === null ? {} : { grants: describeGrants(grants) }),
        },
      })),
    );
    await appendEvents(tx, [{ kind: "access-review.decided", ...subject, payload: { items: items.length, decision } }]);
    return { id };
  });
}

export function reviewReason(text: string): string {
  const reason = text.trim();
  if (reason === "" || reason.length > REASON_MAX)
    throw new DomainError("QSC_REVIEW_REASON", `Say why, in 1 to ${REASON_MAX} characters: it is evidence. This has ${reason.length}.`, {
      field: "reason",
    });
  return reason;
}

export function reviewClosed(id: number): DomainError {
  return new DomainError(
    "QSC_REVIEW_CLOSED",
    `Access review ${id} is closed, or being closed: nothing more is decided in it. Open another one.`,
    {
      field: "key",
    },
  );
}
