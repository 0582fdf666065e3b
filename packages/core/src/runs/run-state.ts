/**
 * The states of a run and the only ways between them. Every due time is a run, or lies inside the range of one, and ends in
 * exactly one terminal state (law 2).
 */
export const runTransitions = {
  queued: ["running", "held", "skipped", "coalesced", "cancelled"],
  running: ["succeeded", "failed", "dead", "lost", "cancelled", "queued"],
  held: ["queued", "skipped", "coalesced", "cancelled"],
  succeeded: [],
  failed: [],
  dead: [],
  lost: [],
  skipped: [],
  coalesced: [],
  cancelled: [],
} as const satisfies { readonly [state: string]: readonly string[] };

export type RunState = keyof typeof runTransitions;

export const runStates = Object.keys(runTransitions) as readonly RunState[];

/** A terminal state has no way out: the due time's account is closed. */
export function isTerminal(state: RunState): boolean {
  return runTransitions[state].length === 0;
}

/** Whether the table allows this step. */
export function mayBecome(from: RunState, to: RunState): boolean {
  return (runTransitions[from] as readonly RunState[]).includes(to);
}

/** Why a run exists. Only `schedule` runs are expected by the ledger; a connector is called by a claimed run of any of these. */
export const runTriggers = ["schedule", "manual", "webhook", "queue", "replay", "reconcile", "rotate", "gate", "break-glass"] as const;
export type RunTrigger = (typeof runTriggers)[number];

/** What becomes of the due times that fell into a hold: none, one run for the whole gap, or every one in order. */
export const catchUpPolicies = ["skip", "coalesce", "all"] as const;
export type CatchUp = (typeof catchUpPolicies)[number];
