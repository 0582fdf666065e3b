import type { SecurityScoreQuery } from "./care.generated.js";

type Part = SecurityScoreQuery["securityScore"]["parts"][number];

/** A part of the score with how many of the 100 points are missing there; null: nothing here can have it. */
export interface PartLoss extends Part {
  readonly lost: number | null;
}

/** What lowers the score, the most expensive first. The weight of what cannot be had falls to the others, as the server counts it. */
export function securityLosses(parts: readonly Part[]): readonly PartLoss[] {
  const known = parts.filter(({ value }) => value !== null).reduce((sum, { weight }) => sum + weight, 0);
  return parts
    .map((part): PartLoss => ({
      ...part,
      lost: part.value === null || known === 0 ? null : (100 * part.weight * (1 - part.value)) / known,
    }))
    .toSorted((a, b) => (b.lost ?? -1) - (a.lost ?? -1));
}
