/** Whether work may start: yes, or no with every reason and the end of the unbroken stretch of holds. */
export type Verdict =
  | { readonly kind: "dispatch" }
  /** `by` names the windows that cover the instant (empty: nobody knows, see `HoldIndex.horizon`); `until` is null when one of the holds has no end. */
  | { readonly kind: "hold"; readonly by: readonly number[]; readonly until: number | null };

/** The one answer that needs no reasons. */
export const dispatchVerdict: Verdict = { kind: "dispatch" };
