import type { WindowMode } from "./window-input.js";

/** The stored facts of one occurrence, epoch milliseconds. Its state follows from them and the time; no state is stored (law 4). */
export interface OccurrenceFacts {
  readonly startsAt: number;
  readonly endsAt: number;
  readonly quiescedAt: number | null;
  /** Its end was reached and its systems are being asked whether they are ready. */
  readonly verifyingAt: number | null;
  /** They were not within the policy's wait. */
  readonly overrunAt: number | null;
  readonly releasedAt: number | null;
  /** After the release its first runs failed, and the rest is held again. */
  readonly reheldAt: number | null;
  readonly closedAt: number | null;
  readonly cancelledAt: number | null;
  /** False when its window needs an approval that nobody has given, and it has no hold from a time when somebody had. */
  readonly approved: boolean;
  /** `observe` when its hold, or the whole deployment, only records what it would hold. */
  readonly mode: WindowMode;
}

export const occurrenceStates = [
  "unapproved",
  "scheduled",
  "observing",
  "draining",
  "quiesced",
  "verifying",
  "overrun",
  "resuming",
  "closed",
  "cancelled",
] as const;
export type OccurrenceState = (typeof occurrenceStates)[number];

/**
 * The state of an occurrence at an instant. `unapproved`: it holds nothing, before its start and after, until its window is approved; `observing`: it has begun and holds nothing, so it can say nothing about what is in flight;
 * `draining`: it has begun and runs are still in flight; `quiesced`: nothing is in flight, the crew may start; `verifying`: its end was reached
 * and it holds until its systems are ready; `overrun`: they are not in time, somebody has to look; `resuming`: released, held runs are being let
 * go; `closed`: none is held by it any more, and its ramp is over.
 */
export function occurrenceState(facts: OccurrenceFacts, now: number): OccurrenceState {
  if (facts.cancelledAt !== null) return "cancelled";
  if (facts.closedAt !== null) return "closed";
  if (facts.releasedAt !== null && facts.reheldAt === null) return "resuming";
  if (!facts.approved) return "unapproved";
  if (now < facts.startsAt) return "scheduled";
  if (facts.mode === "observe") return "observing";
  if (facts.reheldAt !== null || facts.verifyingAt !== null) return facts.overrunAt === null ? "verifying" : "overrun";
  return facts.quiescedAt === null ? "draining" : "quiesced";
}
