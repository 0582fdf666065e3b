import {
  type AccessDecision,
  type AccessSubject,
  type DecidedItem,
  DomainError,
  type Grant,
  isOwnAccess,
  type Reviewer,
} from "@quiesce/core";
import { type SQL, sql } from "drizzle-orm";
import type { Actor } from "../../command.js";
import type { Tx } from "../../db/client.js";
import { selectRows } from "../../db/select-rows.js";
import type { AccessSnapshot } from "./snapshot-access.js";

/** A review, as decisions need it. */
export interface ReviewRow {
  readonly id: number;
  readonly reviewers: readonly string[];
  readonly closing: boolean;
  readonly closed: boolean;
}

/** An item, as decisions need it. */
export interface ItemRow {
  readonly id: number;
  readonly subject: AccessSubject;
  readonly principalId: number;
  readonly tokenId: number | null;
  readonly snapshot: AccessSnapshot;
  readonly decision: AccessDecision | null;
  readonly grants: readonly Grant[] | null;
  readonly reason: string | null;
  readonly applied: boolean;
}

/** With the row locked, so that nobody closes it meanwhile. Throws QSC_REVIEW_NOT_FOUND. */
export async function lockReview(tx: Tx, id: number): Promise<ReviewRow> {
  const [row] = await selectRows<ReviewRow>(
    tx,
    sql`select id, reviewers, closing_at is not null as closing, closed_at is not null as closed from access_review where id = ${id} for update`,
  );
  if (row === undefined)
    throw new DomainError("QSC_REVIEW_NOT_FOUND", `There is no access review ${id}. List them: quiesce access-review list.`, {
      field: "key",
    });
  return row;
}

/** Items by a condition, with their rows locked. */
export function lockItems(tx: Tx, where: SQL): Promise<readonly ItemRow[]> {
  return selectRows<ItemRow>(
    tx,
    sql`select id, subject, principal_id as "principalId", token_id as "tokenId", snapshot, decision, grants, reason, applied_at is not null as applied
      from access_review_item where ${where} order by id for update`,
  );
}

/** Who decides, with whose program it is. */
export async function reviewerOf(tx: Tx, actor: Actor): Promise<Reviewer> {
  const [row] = await selectRows<{ owner: string | null }>(tx, sql`select owner from principal where name = ${actor.name}`);
  return { name: actor.name, owner: row?.owner ?? null };
}

/** Where a review names its reviewers, only they decide. Throws QSC_REVIEW_NOT_REVIEWER. */
export function requireReviewer({ id, reviewers }: ReviewRow, { name }: Reviewer): void {
  if (reviewers.length > 0 && !reviewers.includes(name))
    throw new DomainError(
      "QSC_REVIEW_NOT_REVIEWER",
      `"${name}" is no reviewer of review ${id}. Its reviewers are ${reviewers.join(", ")}.`,
    );
}

export function decidedItem({ id, subject, snapshot }: ItemRow): DecidedItem {
  const { account, grants, issuer, suggestions } = snapshot;
  return { key: String(id), subject, account, grants, grantedByProvider: issuer !== null && subject === "person", suggestions };
}

export function ownItem(items: readonly ItemRow[], reviewer: Reviewer): ItemRow | undefined {
  return items.find(({ snapshot }) => isOwnAccess(reviewer, snapshot.account));
}
