import type { Sha256 } from "../audit/audit-entry.js";
import { canonicalJson } from "../audit/canonical-json.js";

const evidenceVersion = 1;

/** The SHA-256 of a review: of the canonical text (RFC 8785) of what was asked, and of every item with its decision, in the order of their numbers. */
export function reviewHash(evidence: { readonly review: unknown; readonly items: readonly unknown[] }, sha256: Sha256): string {
  const { review, items } = evidence;
  return sha256(canonicalJson({ quiesceAccessReview: evidenceVersion, review, items }));
}
