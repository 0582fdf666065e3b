import { type AccessSubject, accessSubjects, DomainError, unusedDaysRange } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { queueForAuditors } from "../../audit/publish-head.js";
import { recordAudit } from "../../audit/record-audit.js";
import { type CommandContext, inTransaction, readNow } from "../../command.js";
import type { Tx } from "../../db/client.js";
import { selectRows } from "../../db/select-rows.js";
import { texts } from "../../db/sql-arrays.js";
import { appendEvents } from "../../events/append-events.js";
import { type FoundAccess, snapshotAccess } from "./snapshot-access.js";

/** A review that is to begin. */
export interface ReviewInput {
  readonly title: string;
  /** Whose access; everybody's when left out. */
  readonly subjects?: readonly AccessSubject[] | undefined;
  /** Until when it should be done, in epoch milliseconds. */
  readonly dueAt: number;
  /** Names of the accounts that may decide; whoever may change tokens when left out. */
  readonly reviewers?: readonly string[] | undefined;
  /** So long without use is unused. */
  readonly unusedDays?: number | undefined;
  readonly reason?: string | undefined;
}

const TITLE_MAX = 200;
const MAX_REVIEWERS = 50;
const MAX_ITEMS = 10_000;
const MAX_OPEN = 20;
/** Rows of one statement: its parameter stays a few megabytes. */
const WRITTEN_AT_ONCE = 500;

/**
 * Opens a review: everybody's access as it is now becomes an item, with what speaks against it. Throws QSC_REVIEW_INVALID, QSC_REVIEW_REVIEWER,
 * QSC_REVIEW_SIZE, QSC_REVIEW_LIMIT.
 */
export async function openReview(context: CommandContext, input: ReviewInput): Promise<{ readonly id: number }> {
  const { title, subjects, unusedDays, reviewers } = checkedInput(input);
  return inTransaction(context, async (tx) => {
    const now = await readNow(tx);
    if (input.dueAt <= now)
      throw new DomainError(
        "QSC_REVIEW_INVALID",
        `The review would have been due at ${new Date(input.dueAt).toISOString()}. Give a later time.`,
        {
          field: "dueAt",
        },
      );
    await checkRoom(tx);
    await checkReviewers(tx, reviewers);
    const found = await snapshotAccess(tx, { subjects, unusedDays, now, most: MAX_ITEMS });
    if (found.length === 0 || found.length > MAX_ITEMS)
      throw new DomainError(
        "QSC_REVIEW_SIZE",
        found.length === 0
          ? `There is nobody of this kind to review (${subjects.join(", ")}). Choose other kinds.`
          : `There are more than ${MAX_ITEMS} of these (${subjects.join(", ")}). Review people, service accounts and tokens one after the other.`,
        { field: "subjects" },
      );
    const { actor } = context;
    const by = `${actor.kind}:${actor.name}`;
    const [row] = await tx.execute<{ id: number }>(sql`
      insert into access_review (title, subjects, unused_days, reviewers, due_at, reason, opened_by, opened_at)
      values (${title}, ${texts(subjects)}, ${unusedDays}, ${texts(reviewers)}, ${input.dueAt}::timestamptz, ${input.reason ?? null}, ${by}, ${now}::timestamptz)
      returning id`);
    if (row === undefined) throw new Error("The review was not written.");
    await writeItems(tx, row.id, found);
    const subject = { subjectKind: "access-review", subjectKey: String(row.id) } as const;
    const facts = { title, subjects, dueAt: new Date(input.dueAt).toISOString(), items: found.length };
    await recordAudit(tx, {
      actor,
      action: "access-review.create",
      ...subject,
      ...(input.reason === undefined ? {} : { reason: input.reason }),
      after: { ...facts, unusedDays, reviewers: reviewers.length },
    });
    await appendEvents(tx, [{ kind: "access-review.opened", ...subject, payload: facts }]);
    await queueForAuditors(tx, "access-review.opened", { review: String(row.id), ...facts });
    return { id: row.id };
  });
}

function checkedInput(input: ReviewInput) {
  const title = input.title.trim();
  if (title === "" || title.length > TITLE_MAX || /\p{C}/u.test(title))
    throw new DomainError(
      "QSC_REVIEW_INVALID",
      `A review's title has 1 to ${TITLE_MAX} characters on one line; this one has ${title.length}.`,
      {
        field: "title",
      },
    );
  const subjects = accessSubjects.filter(
    (one) => input.subjects === undefined || input.subjects.length === 0 || input.subjects.includes(one),
  );
  const { least, most, usual } = unusedDaysRange;
  const unusedDays = input.unusedDays ?? usual;
  if (!Number.isInteger(unusedDays) || unusedDays < least || unusedDays > most)
    throw new DomainError("QSC_REVIEW_INVALID", `unusedDays is ${unusedDays}; give ${least} to ${most} days.`, { field: "unusedDays" });
  const reviewers = [...new Set((input.reviewers ?? []).map((name) => name.trim()))];
  if (reviewers.length > MAX_REVIEWERS)
    throw new DomainError("QSC_REVIEW_REVIEWER", `${reviewers.length} reviewers are too many; name at most ${MAX_REVIEWERS}.`, {
      field: "reviewers",
    });
  return { title, subjects, unusedDays, reviewers };
}

async function checkRoom(tx: Tx): Promise<void> {
  const [row] = await selectRows<{ open: number }>(tx, sql`select count(*)::integer as open from access_review where closed_at is null`);
  if ((row?.open ?? 0) >= MAX_OPEN)
    throw new DomainError("QSC_REVIEW_LIMIT", `${MAX_OPEN} reviews are open. Close one first: quiesce access-review list.`);
}

async function checkReviewers(tx: Tx, names: readonly string[]): Promise<void> {
  const known = await selectRows<{ name: string }>(
    tx,
    sql`select name from principal where disabled_at is null and name = any(${texts(names)})`,
  );
  const missing = names.find((name) => !known.some((one) => one.name === name));
  if (missing !== undefined)
    throw new DomainError(
      "QSC_REVIEW_REVIEWER",
      `There is no account "${missing}", or it is disabled. List them: quiesce account list. People appear when they sign in for the first time.`,
      { field: "reviewers" },
    );
}

async function writeItems(tx: Tx, reviewId: number, found: readonly FoundAccess[]): Promise<void> {
  for (let from = 0; from < found.length; from += WRITTEN_AT_ONCE) {
    const rows = found.slice(from, from + WRITTEN_AT_ONCE).map(({ subject, principalId, tokenId, snapshot }, n) => ({
      n,
      subject,
      principal_id: principalId,
      token_id: tokenId,
      snapshot,
    }));
    await tx.execute(sql`
      insert into access_review_item (review_id, subject, principal_id, token_id, snapshot)
      select ${reviewId}, subject, principal_id, token_id, snapshot
      from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r(n integer, subject text, principal_id bigint, token_id bigint, snapshot jsonb)
      order by n`);
  }
}
