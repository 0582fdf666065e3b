import { canEverywhere, describeGrants, type Grant } from "./can.js";
import { DomainError } from "../domain-error.js";
import { areWithin } from "./narrowest-grants.js";
import type { AccessDecision, AccessSubject, AccessSuggestion } from "./suggest-for-access.js";

/** What is known of an item when somebody decides on it. */
export interface DecidedItem {
  /** Its number, for messages. */
  readonly key: string;
  readonly subject: AccessSubject;
  /** The account that it is, or that it belongs to. */
  readonly account: string;
  readonly grants: readonly Grant[];
  readonly grantedByProvider: boolean;
  readonly suggestions: readonly AccessSuggestion[];
}

/** Who decides: its name, and whose program it is. */
export interface Reviewer {
  readonly name: string;
  /** The owner of the service account that it is; null: a person, or nobody's. */
  readonly owner: string | null;
}

/** Nobody decides on their own access, nor does a program on its owner's. */
export function isOwnAccess(reviewer: Reviewer, account: string): boolean {
  return reviewer.name === account || reviewer.owner === account;
}

/**
 * What is left after a decision; null with `keep` and `revoke`. Without grants of its own `narrow` takes the suggested ones. Throws
 * QSC_REVIEW_OWN_ACCESS, QSC_REVIEW_PROVIDER_GRANTS, QSC_REVIEW_NOT_NARROWER.
 */
export function judgeDecision(
  item: DecidedItem,
  by: Reviewer,
  wanted: { readonly decision: AccessDecision; readonly grants: readonly Grant[] | undefined },
): readonly Grant[] | null {
  if (isOwnAccess(by, item.account))
    throw new DomainError(
      "QSC_REVIEW_OWN_ACCESS",
      `Item ${item.key} is the access of "${item.account}", who decides here. Let somebody else decide on it.`,
      { field: "items" },
    );
  if (wanted.decision !== "narrow") {
    if (wanted.grants !== undefined) throw notNarrower(item, `${wanted.decision} takes no grants: leave them out, or decide to narrow.`);
    return null;
  }
  if (item.grantedByProvider)
    throw new DomainError(
      "QSC_REVIEW_PROVIDER_GRANTS",
      `Item ${item.key}: the identity provider says at each sign-in what "${item.account}" may do. Take the account out of a group there and keep it here, or revoke it.`,
      { field: "decision" },
    );
  const grants = wanted.grants ?? item.suggestions.find(({ decision }) => decision === "narrow")?.grants ?? null;
  if (grants === null) throw notNarrower(item, "there is no suggestion to follow. Say which grants are left.");
  if (item.grants.length === 0) throw notNarrower(item, "it has no grants of its own. Decide on its tokens, or revoke it.");
  if (grants.length === 0) throw notNarrower(item, "nothing would be left. Revoke it instead.");
  if (!areWithin(grants, item.grants) || areWithin(item.grants, grants))
    throw notNarrower(
      item,
      `${describeGrants(grants)} is not less than ${describeGrants(item.grants)}. Give roles and scopes that are a part of those.`,
    );
  return grants;
}

function notNarrower({ key }: DecidedItem, why: string): DomainError {
  return new DomainError("QSC_REVIEW_NOT_NARROWER", `Item ${key}: ${why}`, { field: "grants" });
}

/** A way in that is open now: a valid token, or an enabled account of a person. */
export interface WayIn {
  readonly grants: readonly Grant[];
  /** What becomes of it; null: it stays as it is. */
  readonly decision: { readonly kind: AccessDecision; readonly grants: readonly Grant[] | null } | null;
  /** Its account is disabled by the same review. */
  readonly accountRevoked: boolean;
}

/** Whether nobody would be left who may give rights, everywhere, where there is somebody now: nobody could ever mend what the review did. */
export function locksEverybodyOut(ways: readonly WayIn[]): boolean {
  return !leavesAnAdmin(ways) && leavesAnAdmin(ways.map((way) => ({ ...way, decision: null, accountRevoked: false })));
}

function leavesAnAdmin(ways: readonly WayIn[]): boolean {
  return ways.some(({ grants, decision, accountRevoked }) => {
    if (accountRevoked || decision?.kind === "revoke") return false;
    const left = decision?.kind === "narrow" ? (decision.grants ?? []) : grants;
    return canEverywhere({ name: "", grants: left }, "tokens.write");
  });
}
