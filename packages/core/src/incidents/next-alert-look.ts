import { flapWindowMs } from "../alerts/flap-guard.js";
import type { PipedAlert } from "../alerts/piped-alert.js";
import { closeAfterMs, reopenWithinMs } from "./incident-state.js";
import { type KnownIncident, settlingMs } from "./plan-incidents.js";

/** A look is whole after so long at the latest, whatever is known of instants: so also what an earlier version left is judged anew. */
export const longestQuietMs = 300_000;
/** So long after its end an alert is looked at: it may come again, and a window over it may have been seen late. */
export const keptAfterEndMs = 2_700_000;

/** What a look that changed nothing decided on. Instants are epoch milliseconds. */
export interface QuietFacts {
  /** As they came out of the stages. `consideredAt`: when each was looked at first. */
  readonly alerts: readonly (PipedAlert & { readonly consideredAt: number | null })[];
  readonly incidents: readonly KnownIncident[];
  /** When correlation raises what it will raise of these alerts, see `CorrelatedIncident.raisedAt`. */
  readonly raisedAt: readonly number[];
  /** The next instant at which a window begins, ends or is no longer looked at; null: there is none. One that has come meanwhile is due. */
  readonly windowTurnsAt: number | null;
}

/**
 * The first instant after `now` at which time alone may change what a look at the same facts decides. Before it a look at facts that nobody has changed
 * would decide the same, so it need not be made.
 *
 * @example
 * nextAlertLookAt({ alerts: [], incidents: [], raisedAt: [], windowTurnsAt: null }, now) // now + longestQuietMs
 */
export function nextAlertLookAt({ alerts, incidents, raisedAt, windowTurnsAt }: QuietFacts, now: number): number {
  let next = Math.min(now + longestQuietMs, windowTurnsAt ?? Infinity);
  const turns = (at: number): void => {
    if (at > now && at < next) next = at;
  };
  for (const at of raisedAt) turns(at);
  for (const { startedAt, endedAt, consideredAt, reasons } of alerts) {
    // Beginnings only become fewer by time: what does not flap does not begin to.
    if (reasons.some(({ kind }) => kind === "flapping")) turns(startedAt + flapWindowMs);
    if (endedAt === null) continue;
    // A monitor's clock may be ahead; a window counts at the end that it says.
    turns(endedAt);
    if (consideredAt !== null) turns(Math.max(endedAt, consideredAt) + keptAfterEndMs + 1);
  }
  for (const { openedAt, resolvedAt } of incidents) {
    turns(openedAt + settlingMs + 1);
    if (resolvedAt === null) continue;
    turns(resolvedAt + reopenWithinMs + 1);
    turns(resolvedAt + closeAfterMs);
  }
  return next;
}
