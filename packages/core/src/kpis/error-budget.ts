import { type BurnVerdict, spentIn } from "./burn-rate.js";
import type { ObjectiveState } from "./objective.js";
import type { ObjectiveSpan } from "./objective-events.js";

/** What may go wrong, and what did. In ms of availability, in events of anything else. */
export interface BudgetFigures {
  /** The share that was good; null: nothing is known. */
  readonly achieved: number | null;
  readonly valid: number;
  readonly spent: number;
  /** What may go wrong of what is known: valid x (1 - target). */
  readonly total: number;
  /** Below 0 when more is spent. */
  readonly remaining: number;
  /** Of the total: 1 nothing is spent, 0 all, below 0 more; null: nothing is known. */
  readonly remainingShare: number | null;
}

/** One day of a period. */
export interface BudgetDay {
  readonly start: number;
  readonly end: number;
  readonly valid: number;
  readonly spent: number;
  /** What is left of the period's total at the end of the day, of that total; null: nothing is known. */
  readonly remainingShare: number | null;
}

/**
 * The budget of a period, of all integrations together, in eligible time. The spans lie in the period; `days` are its days, whole or cut, in their order:
 * no span crosses from one to the next.
 */
export function errorBudget(given: {
  readonly target: number;
  readonly spans: readonly ObjectiveSpan[];
  readonly days: readonly { readonly start: number; readonly end: number }[];
}): { readonly figures: BudgetFigures; readonly days: readonly BudgetDay[] } {
  const { target, spans } = given;
  const valid = spans.reduce((sum, one) => sum + one.valid, 0);
  const spent = spans.reduce((sum, one) => sum + one.bad, 0);
  const total = valid * (1 - target);
  const shareLeft = (after: number): number | null => (valid === 0 ? null : (total - after) / total);
  let before = 0;
  const days = given.days.map(({ start, end }) => {
    const own = spentIn(spans, { start, end });
    before += own.bad;
    return { start, end, valid: own.valid, spent: own.bad, remainingShare: shareLeft(before) };
  });
  const achieved = valid === 0 ? null : (valid - spent) / valid;
  return { figures: { achieved, valid, spent, total, remaining: total - spent, remainingShare: shareLeft(spent) }, days };
}

/** How an objective stands. */
export function objectiveState(figures: BudgetFigures, burns: readonly BurnVerdict[]): ObjectiveState {
  if (figures.achieved === null) return "unknown";
  // Not by the remainder: 1 - target is no exact number, and what was promised to the last event is kept.
  if (figures.spent > figures.total && figures.remaining < -1e-6 * Math.max(1, figures.total)) return "missed";
  return burns.some(({ isBurning }) => isBurning) ? "at-risk" : "met";
}
