/** What one can wait for. */
export const waitGoals = ["begun", "quiesced", "released", "closed"] as const;
export type WaitGoal = (typeof waitGoals)[number];

/** An occurrence as the server tells it, as far as waiting asks. */
export interface WaitedOccurrence {
  readonly state: string;
  readonly startedAt: string | null;
  readonly releasedAt: string | null;
}

export type WaitVerdict =
  | { readonly kind: "reached" }
  | { readonly kind: "waiting" }
  | { readonly kind: "cancelled" }
  /** It cannot come any more, or not by itself. */
  | { readonly kind: "no-longer"; readonly reason: string };

/** Decides by the state as it is now; null: the window's series has the occurrence no more. An occurrence that nobody approved may still be approved. */
export function decideWait(goal: WaitGoal, occurrence: WaitedOccurrence | null): WaitVerdict {
  if (occurrence === null) return { kind: "cancelled" };
  const { state, startedAt, releasedAt } = occurrence;
  const hasBegun = startedAt !== null;
  switch (state) {
    case "CANCELLED":
      return { kind: "cancelled" };
    case "SCHEDULED":
    case "UNAPPROVED":
      return { kind: "waiting" };
    case "OBSERVING":
      if (goal === "quiesced") return { kind: "no-longer", reason: "It only observes: it holds nothing, so it is never quiesced." };
      return reachedIf(goal === "begun");
    case "DRAINING":
      return reachedIf(goal === "begun");
    case "QUIESCED":
      return reachedIf(goal === "begun" || goal === "quiesced");
    case "VERIFYING":
    case "OVERRUN":
      if (goal === "quiesced") return over;
      // Held again after first runs failed: it was released, and is not now.
      return reachedIf(goal === "begun");
    case "RESUMING":
      if (goal === "quiesced") return over;
      return reachedIf(goal === "begun" || goal === "released");
    case "CLOSED":
      if (goal === "closed") return { kind: "reached" };
      if (goal === "quiesced") return over;
      if (goal === "begun" ? hasBegun : releasedAt !== null) return { kind: "reached" };
      return { kind: "no-longer", reason: "It is over and never held anything." };
    default:
      // A state of a newer server: what it means to us its successor will show.
      return { kind: "waiting" };
  }
}

const over: WaitVerdict = { kind: "no-longer", reason: "It is over: the crew's time has passed." };

function reachedIf(isReached: boolean): WaitVerdict {
  return isReached ? { kind: "reached" } : { kind: "waiting" };
}
