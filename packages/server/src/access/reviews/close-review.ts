import { type AccessDecision, DomainError, type Grant, locksEverybodyOut, readGrants, reviewHash, type WayIn } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { queueForAuditors } from "../../audit/publish-head.js";
import { recordAudit } from "../../audit/record-audit.js";
import { sha256 } from "../../audit/sha256.js";
import { type CommandContext, inTransaction, readNow } from "../../command.js";
import type { Tx } from "../../db/client.js";
import { selectRows } from "../../db/select-rows.js";
import { appendEvents } from "../../events/append-events.js";
import { applyDecision, type ReviewOutcome } from "./apply-decision.js";
import { reviewClosed, reviewReason } from "./decide-access.js";
import { itemsOf, reviewById } from "./queries.js";
import { evidenceOfItem, evidenceOfReview } from "./review-evidence.js";
import { type ItemRow, lockItems, lockReview, ownItem, requireReviewer, reviewerOf, type ReviewRow } from "./review-store.js";

export interface CloseInput {
  readonly id: number;
  /** What is decided on items that nobody has decided on; left out: the close is refused while there are any. */
  readonly undecided?: Exclude<AccessDecision, "narrow"> | undefined;
  readonly reason: string;
}

/**
 * Carries out what was decided, each item in a transaction of its own, and closes the review for good. When it is interrupted, closing again goes on.
 * Throws QSC_REVIEW_NOT_FOUND, QSC_REVIEW_CLOSED, QSC_REVIEW_UNDECIDED, QSC_REVIEW_OWN_ACCESS, QSC_REVIEW_NOT_REVIEWER, QSC_REVIEW_LAST_ADMIN.
 */
export async function closeReview(context: CommandContext, input: CloseInput): Promise<{ readonly id: number }> {
  const { id } = input;
  const reason = reviewReason(input.reason);
  await inTransaction(context, (tx) => beginClose(tx, context, { ...input, reason }));
  const left = await selectRows<{ id: number }>(
    context.database.db,
    sql`select id from access_review_item where review_id = ${id} and applied_at is null order by id`,
  );
  for (const item of left) await inTransaction(context, (tx) => applyItem(tx, context, { reviewId: id, itemId: item.id }));
  await inTransaction(context, (tx) => endClose(tx, context, { id, reason }));
  return { id };
}

/** Nothing is decided from here on. */
async function beginClose(tx: Tx, context: CommandContext, input: CloseInput): Promise<void> {
  const { id, undecided, reason } = input;
  const review = await lockReview(tx, id);
  if (review.closed) throw reviewClosed(id);
  const reviewer = await reviewerOf(tx, context.actor);
  const items = await lockItems(tx, sql`review_id = ${id}`);
  if (!review.closing) {
    const open = items.filter(({ decision }) => decision === null);
    if (open.length > 0) await decideTheRest(tx, context, { review, open, undecided, reason });
    await refuseLockout(tx, id);
  }
  const own = items.find(
    ({ decision, tokenId, snapshot }) => decision === "revoke" && tokenId === null && snapshot.account === reviewer.name,
  );
  if (own !== undefined)
    throw new DomainError(
      "QSC_REVIEW_OWN_ACCESS",
      `Item ${own.id} takes away the account that closes here, "${reviewer.name}". Let another admin close the review.`,
    );
  await tx.execute(sql`update access_review set closing_at = coalesce(closing_at, app_now()) where id = ${id}`);
  // What is kept needs no transaction of its own.
  await tx.execute(sql`
    update access_review_item set outcome = 'kept', applied_at = app_now() where review_id = ${id} and decision = 'keep' and applied_at is null`);
}

async function decideTheRest(
  tx: Tx,
  context: CommandContext,
  rest: {
    readonly review: ReviewRow;
    readonly open: readonly ItemRow[];
    readonly undecided: CloseInput["undecided"];
    readonly reason: string;
  },
): Promise<void> {
  const { review, open, undecided, reason } = rest;
  if (undecided === undefined)
    throw new DomainError(
      "QSC_REVIEW_UNDECIDED",
      `${open.length} items of review ${review.id} are undecided. Decide on them, or say what becomes of them: --undecided revoke or --undecided keep.`,
      { field: "undecided", details: { undecided: open.length } },
    );
  const reviewer = await reviewerOf(tx, context.actor);
  requireReviewer(review, reviewer);
  const own = ownItem(open, reviewer);
  if (own !== undefined)
    throw new DomainError(
      "QSC_REVIEW_OWN_ACCESS",
      `Item ${own.id} is undecided and is the access of "${own.snapshot.account}", who closes here. Let somebody else decide on it first.`,
      { field: "undecided" },
    );
  await tx.execute(sql`
    update access_review_item set decision = ${undecided}, reason = ${reason}, decided_by = ${`${context.actor.kind}:${context.actor.name}`}, decided_at = app_now()
    where review_id = ${review.id} and decision is null`);
  await recordAudit(tx, {
    actor: context.actor,
    action: "access-review.decide",
    subjectKind: "access-review",
    subjectKey: String(review.id),
    reason,
    after: { undecided: open.length, decision: undecided },
  });
}

/** Throws QSC_REVIEW_LAST_ADMIN. */
async function refuseLockout(tx: Tx, id: number): Promise<void> {
  const rows = await selectRows<{
    grants: unknown;
    decision: AccessDecision | null;
    left: readonly Grant[] | null;
    accountRevoked: boolean;
  }>(
    tx,
    sql`
    with revoked as (select principal_id from access_review_item where review_id = ${id} and token_id is null and decision = 'revoke')
    select t.grants, i.decision, i.grants as left, p.id in (select principal_id from revoked) as "accountRevoked"
    from api_token as t join principal as p on p.id = t.principal_id left join access_review_item as i on i.review_id = ${id} and i.token_id = t.id
    where t.revoked_at is null and (t.expires_at is null or t.expires_at > app_now()) and p.disabled_at is null
    union all
    -- Local people get in by a link that an admin makes, so they are no way in.
    select p.grants, i.decision, i.grants, false
    from principal as p left join access_review_item as i on i.review_id = ${id} and i.token_id is null and i.principal_id = p.id
    where p.issuer is not null and p.disabled_at is null`,
  );
  const ways = rows.map(({ grants, decision, left, accountRevoked }): WayIn => ({
    grants: readGrants(grants),
    decision: decision === null ? null : { kind: decision, grants: left },
    accountRevoked,
  }));
  if (locksEverybodyOut(ways))
    throw new DomainError(
      "QSC_REVIEW_LAST_ADMIN",
      "After this nobody would be left who may give rights everywhere. Keep the token of one admin, or make another first: quiesce token create --role admin.",
    );
}

async function applyItem(
  tx: Tx,
  context: CommandContext,
  { reviewId, itemId }: { readonly reviewId: number; readonly itemId: number },
): Promise<void> {
  const [item] = await lockItems(tx, sql`id = ${itemId} and applied_at is null`);
  if (item === undefined) return;
  const reason = `Access review ${reviewId}: ${item.reason ?? ""}`;
  const outcome: ReviewOutcome = await applyDecision({ tx, context, reason }, item);
  await tx.execute(sql`update access_review_item set outcome = ${outcome}, applied_at = app_now() where id = ${itemId}`);
}

/** The evidence is complete: its hash goes into the audit trail, and nothing of it is changed any more. */
async function endClose(tx: Tx, context: CommandContext, { id, reason }: { readonly id: number; readonly reason: string }): Promise<void> {
  // Two may close at once: the second finds it done.
  if ((await lockReview(tx, id)).closed) return;
  const [review, items] = [await reviewById(tx, id), await itemsOf(tx, id)];
  if (review === null) throw new Error("The review is gone.");
  const closedAt = await readNow(tx);
  const closedBy = `${context.actor.kind}:${context.actor.name}`;
  const evidence = { review: evidenceOfReview({ ...review, closedAt, closedBy }), items: items.map(evidenceOfItem) };
  const hash = reviewHash(evidence, sha256);
  const countOf = (outcome: ReviewOutcome) => items.filter((item) => item.outcome === outcome).length;
  const result = {
    items: items.length,
    kept: countOf("kept"),
    narrowed: countOf("narrowed"),
    revoked: countOf("revoked"),
    gone: countOf("gone"),
    changed: countOf("changed"),
    hash,
  };
  const subject = { subjectKind: "access-review", subjectKey: String(id) } as const;
  const entryId = await recordAudit(tx, { actor: context.actor, action: "access-review.close", ...subject, reason, after: result });
  await tx.execute(sql`
    update access_review set closed_at = ${closedAt}::timestamptz, closed_by = ${closedBy}, closed_entry_id = ${entryId} where id = ${id}`);
  await appendEvents(tx, [{ kind: "access-review.closed", ...subject, payload: { title: review.title, ...result } }]);
  await queueForAuditors(tx, "access-review.closed", { review: String(id), title: review.title, ...result });
}
