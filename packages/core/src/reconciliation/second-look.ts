import { type Difference, type DifferenceKind, differenceOf } from "./compare-sides.js";

/** What a second look says of a record that differed: it still does, in the very same way; it is equal now; or it was changing meanwhile. */
export type SecondLook =
  | { readonly kind: "stands"; readonly difference: DifferenceKind }
  | { readonly kind: "equal" }
  | { readonly kind: "gone" }
  | { readonly kind: "changing" };

/**
 * Judges a difference by what the two sides hold of that record later. Both sides are not read at one instant, so a record that changes, or is just
 * being copied, looks different though nothing is wrong: only what stood still at both sides and differs is a difference.
 */
export function judgeAgain(first: Pick<Difference, "source" | "target">, now: Pick<Difference, "source" | "target">): SecondLook {
  if (now.source === null && now.target === null) return { kind: "gone" };
  const difference = differenceOf(now.source, now.target);
  if (difference === null) return { kind: "equal" };
  const stoodStill = now.source === first.source && now.target === first.target;
  return stoodStill ? { kind: "stands", difference } : { kind: "changing" };
}
