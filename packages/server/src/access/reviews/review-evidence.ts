import type { AccessDecision, AccessSubject, Grant } from "@quiesce/core";
import { type AccessSnapshot, isoOf } from "./snapshot-access.js";

/** A review as it is read. */
export interface ReviewView {
  readonly id: number;
  readonly title: string;
  readonly subjects: readonly AccessSubject[];
  readonly unusedDays: number;
  readonly reviewers: readonly string[];
  readonly dueAt: number;
  readonly reason: string | null;
  readonly openedBy: string;
  readonly openedAt: number;
  readonly closingAt: number | null;
  readonly closedBy: string | null;
  readonly closedAt: number | null;
  /** The entry of the audit trail that has the hash, and the hash as it stands there. */
  readonly closedEntryId: number | null;
  readonly hash: string | null;
  readonly items: number;
  readonly undecided: number;
  /** Items with a suggestion to decide something. */
  readonly suggested: number;
  readonly overdue: boolean;
}

/** An item as it is read. */
export interface ReviewItemView {
  readonly id: number;
  readonly reviewId: number;
  readonly subject: AccessSubject;
  readonly principalId: number;
  readonly tokenId: number | null;
  readonly snapshot: AccessSnapshot;
  readonly decision: AccessDecision | null;
  readonly grants: readonly Grant[] | null;
  readonly reason: string | null;
  readonly decidedBy: string | null;
  readonly decidedAt: number | null;
  readonly outcome: string | null;
  readonly appliedAt: number | null;
}

/** What the hash of a closed review is made of, beside its items: plain JSON, instants in ISO 8601. */
export function evidenceOfReview(review: ReviewView): object {
  const { id, title, subjects, unusedDays, reviewers, reason, openedBy, closedBy, items } = review;
  return {
    review: id,
    title,
    subjects,
    unusedDays,
    reviewers,
    dueAt: isoOf(review.dueAt),
    reason,
    openedBy,
    openedAt: isoOf(review.openedAt),
    closedBy,
    closedAt: isoOf(review.closedAt),
    items,
  };
}

/** An item of the evidence: what was seen, what was decided, and what became of it. */
export function evidenceOfItem(item: ReviewItemView): object {
  const { id, subject, principalId, tokenId, snapshot, decision, grants, reason, decidedBy, outcome } = item;
  return {
    item: id,
    subject,
    principal: principalId,
    token: tokenId,
    seen: snapshot,
    decision,
    grants,
    reason,
    decidedBy,
    decidedAt: isoOf(item.decidedAt),
    outcome,
    appliedAt: isoOf(item.appliedAt),
  };
}
