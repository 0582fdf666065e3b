import type { AccessSubject } from "@quiesce/core";
import { type SQL, sql } from "drizzle-orm";
import type { Database, Tx } from "../../db/client.js";
import { type Page, type PageArgs, readPage, type SortKey } from "../../db/read-page.js";
import { selectRows } from "../../db/select-rows.js";
import { bigints } from "../../db/sql-arrays.js";
import type { ReviewItemView, ReviewView } from "./review-evidence.js";

export interface ItemFilter {
  readonly decided?: boolean | null | undefined;
  readonly suggested?: boolean | null | undefined;
  readonly subject?: AccessSubject | null | undefined;
}

// The hash is read from the audit trail, where nobody can change it unnoticed.
const reviewColumns = sql`id, title, subjects, unused_days as "unusedDays", reviewers, due_at as "dueAt", reason, opened_by as "openedBy", opened_at as "openedAt",
  closing_at as "closingAt", closed_by as "closedBy", closed_at as "closedAt", closed_entry_id as "closedEntryId",
  (select e.after ->> 'hash' from audit_entry as e where e.id = closed_entry_id) as hash,
  (select count(*)::integer from access_review_item as i where i.review_id = access_review.id) as items,
  (select count(*)::integer from access_review_item as i where i.review_id = access_review.id and i.decision is null) as undecided,
  (select count(*)::integer from access_review_item as i where i.review_id = access_review.id and i.suggested) as suggested,
  closing_at is null and due_at <= app_now() as overdue`;

const itemColumns = sql`id, review_id as "reviewId", subject, principal_id as "principalId", token_id as "tokenId", snapshot, decision, grants, reason,
  decided_by as "decidedBy", decided_at as "decidedAt", outcome, applied_at as "appliedAt"`;

export function reviewsByIds(database: Pick<Database, "db">, ids: readonly (string | number)[]): Promise<readonly ReviewView[]> {
  return selectReviews(database.db, sql`id = any(${bigints(ids)})`);
}

function selectReviews(tx: Tx, where: SQL): Promise<readonly ReviewView[]> {
  return selectRows<ReviewView>(tx, sql`select ${reviewColumns} from access_review where ${where}`);
}

/** null: there is none. */
export async function reviewById(tx: Tx, id: number): Promise<ReviewView | null> {
  return (await selectReviews(tx, sql`id = ${id}`))[0] ?? null;
}

/** A page of reviews, newest first. */
export function reviewPage(database: Database, args: PageArgs & { readonly open?: boolean | null | undefined }): Promise<Page<ReviewView>> {
  const byId: SortKey<ReviewView> = { column: sql`id`, type: "bigint", of: (row) => row.id };
  const where = typeof args.open === "boolean" ? [args.open ? sql`closed_at is null` : sql`closed_at is not null`] : [];
  return readPage(database, args, { columns: reviewColumns, from: sql`access_review`, where, sort: [byId], direction: "desc" });
}

/** A page of a review's items, by their numbers. */
export function itemPage(
  database: Database,
  reviewId: number,
  args: PageArgs & { readonly filter?: ItemFilter | null | undefined },
): Promise<Page<ReviewItemView>> {
  const byId: SortKey<ReviewItemView> = { column: sql`id`, type: "bigint", of: (row) => row.id };
  const { decided, suggested, subject } = args.filter ?? {};
  const where: SQL[] = [sql`review_id = ${reviewId}`];
  if (typeof decided === "boolean") where.push(decided ? sql`decision is not null` : sql`decision is null`);
  if (typeof suggested === "boolean") where.push(suggested ? sql`suggested` : sql`not suggested`);
  if (typeof subject === "string") where.push(sql`subject = ${subject}`);
  return readPage(database, args, { columns: itemColumns, from: sql`access_review_item`, where, sort: [byId], direction: "asc" });
}

/** All items of a review, by their numbers. */
export function itemsOf(tx: Tx, reviewId: number): Promise<readonly ReviewItemView[]> {
  return selectRows<ReviewItemView>(tx, sql`select ${itemColumns} from access_review_item where review_id = ${reviewId} order by id`);
}
