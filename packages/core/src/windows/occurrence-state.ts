import type { WindowMode } from "./window-input.js";

/** The stored facts of one occurrence, epoch milliseconds. Its state follows from them and the time; no state is stored (law 4). */
export interface OccurrenceFacts {
  readonly startsAt: number;
  readonly endsAt: number;
  readonly quiescedAt: number | null;
  readonly releasedAt: number | null;
  readonly closedAt: number | null;
  readonly cancelledAt: number | null;
  /** `observe` when its hold, or the whole deployment, only records what it would hold. */
  readonly mode: WindowMode;
}

export const occurrenceStates = ["scheduled", "observing", "draining", "quiesced", "resuming", "closed", "cancelled"] as const;
export type OccurrenceState = (typeof occurrenceStates)[number];

/**
 * The state of an occurrence at an instant. `observing`: it has begun and holds nothing, so it can say nothing about what is in flight; `draining`: it has begun and runs are still in flight; `quiesced`: nothing is in flight, the crew
 * may start; `resuming`: released, held runs are being let go; `closed`: none is held by it any more.
 */
export function occurrenceState(facts: OccurrenceFacts, now: number): OccurrenceState {
  if (facts.cancelledAt !== null) return "cancelled";
  if (facts.closedAt !== null) return "closed";
  if (facts.releasedAt !== null) return "resuming";
  if (now < facts.startsAt) return "scheduled";
  if (facts.mode === "observe") return "observing";
  return facts.quiescedAt === null ? "draining" : "quiesced";
}
