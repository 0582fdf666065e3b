/** Of how many deletions at once a person is asked first: above both bounds. */
export interface DeleteLimit {
  readonly percent: number;
  readonly records: number;
}

export type DeletionVerdict = { readonly kind: "delete" } | { readonly kind: "ask"; readonly percent: number };

/**
 * Whether what a comparison of keys found missing may be deleted at the target. A source that answers completely but with too little (a filter, a
 * truncated table, another account) looks exactly like one in which nearly everything was deleted.
 */
export function judgeDeletions(facts: {
  /** The keys that the target may hold. */
  readonly known: number;
  readonly missing: number;
  readonly limit: DeleteLimit;
  /** Somebody said for this run that it is meant. */
  readonly confirmed: boolean;
}): DeletionVerdict {
  const { known, missing, limit } = facts;
  const isMuch = missing > limit.records && missing * 100 > known * limit.percent;
  if (facts.confirmed || !isMuch) return { kind: "delete" };
  return { kind: "ask", percent: Math.round((missing / known) * 100) };
}
