/** Whether work may start: yes; no, with every reason and the end of the unbroken stretch of holds; or not yet, for it would not finish. */
export type Verdict =
  | { readonly kind: "dispatch" }
  /** `by` names the windows that cover the instant (empty: nobody knows, see `HoldIndex.horizon`); `until` is null when one of the holds has no end. */
  | { readonly kind: "hold"; readonly by: readonly number[]; readonly until: number | null }
  /** Nothing holds it yet, but it would still run when the window `by` begins, at `until`: it is kept back until then. */
  | { readonly kind: "postpone"; readonly reason: "would-not-finish"; readonly by: number; readonly until: number };

/** The one answer that needs no reasons. */
export const dispatchVerdict: Verdict = { kind: "dispatch" };
