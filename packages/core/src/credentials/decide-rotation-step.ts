import type { ErrorKind } from "@quiesce/sdk";
import { isEnded, isSwitched, type RotationState } from "./rotation-state.js";

/** How a failed step is tried again. */
export const rotationPatience = {
  firstRetryMs: 5_000,
  maxRetryMs: 600_000,
  /** Tries before the switch, and of the check after it. With the pauses above about an hour. */
  tries: 12,
  /** Tries of ending secrets at the system: it costs nothing but patience. About a day. */
  revokeTries: 150,
} as const;

/** What came of one step. */
export type StepResult =
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly error: { readonly kind: ErrorKind; readonly message: string } };

/** What is known of a rotation when a step has ended. */
export interface StepFacts {
  readonly state: RotationState;
  /** Tries of this state that failed before. */
  readonly failures: number;
  /** Whether there are new secrets; without them there is nothing to discard. */
  readonly hasNew: boolean;
}

/** What follows: another state, or the same one again after a pause. */
export type StepVerdict =
  | { readonly kind: "turn"; readonly to: RotationState; readonly problem: string | null }
  | { readonly kind: "again"; readonly afterMs: number; readonly problem: string };

/** These say nothing about the secrets: the system was not asked, or had no time. */
const passing: ReadonlySet<ErrorKind> = new Set(["unavailable", "timeout", "transient", "rate_limited", "cancelled"]);

/** Where each state goes when its step is done. */
const onward = {
  issuing: "testing",
  testing: "checking",
  checking: "draining",
  draining: "revoking",
  revoking: "succeeded",
  returning: "discarding",
  discarding: "failed",
} as const satisfies { readonly [state in RotationState]?: RotationState };

/**
 * Decides after one step. Before the switch a refusal ends the rotation and the old secrets stay in force; after it a refusal goes back to them, for they
 * still live. What says nothing about the secrets is tried again, with growing pauses, and ends in the same way when patience is over.
 */
export function decideAfterStep(result: StepResult, facts: StepFacts): StepVerdict {
  const { state } = facts;
  if (!(state in onward)) throw new Error(`A rotation that is ${state} has no step of its own.`);
  if (result.kind === "done") return { kind: "turn", to: onward[state as keyof typeof onward], problem: null };
  const problem = `${result.error.kind}: ${result.error.message}`;
  const ending = state === "revoking" || state === "discarding";
  const tries = facts.failures + 1;
  const mayTry = passing.has(result.error.kind)
    ? tries < (ending ? rotationPatience.revokeTries : rotationPatience.tries)
    : ending && tries < 3;
  if (mayTry) return { kind: "again", afterMs: pauseMs(facts.failures), problem };
  return { kind: "turn", to: afterRefusal(facts), problem };
}

/** Where a rotation goes that cannot go on. */
export function afterRefusal({ state, hasNew }: Pick<StepFacts, "state" | "hasNew">): RotationState {
  if (state === "checking") return "returning";
  if (state === "revoking") return "unrevoked";
  if (state === "testing" && hasNew) return "discarding";
  return "failed";
}

/**
 * Where a rotation goes when the workspace gives the endpoint other secrets: those are meant, so what was new is taken away at the system and nothing
 * that was old is touched. null: it is on that way already.
 */
export function afterSupersession({ state, hasNew }: Pick<StepFacts, "state" | "hasNew">): RotationState | null {
  if (isEnded(state) || state === "returning" || state === "discarding") return null;
  // That was what was waited for.
  if (state === "awaiting") return "succeeded";
  if (isSwitched(state)) return "returning";
  return state === "testing" && hasNew ? "discarding" : "failed";
}

function pauseMs(failures: number): number {
  return Math.min(rotationPatience.firstRetryMs * 2 ** Math.min(failures, 20), rotationPatience.maxRetryMs);
}
