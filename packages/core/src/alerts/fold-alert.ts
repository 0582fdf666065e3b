import type { Alert } from "@quiesce/sdk";

/** What is known of one thing that was wrong: from the first time a monitor said so to its end. */
export interface Episode {
  readonly status: "firing" | "resolved";
  readonly severity: Alert["severity"];
  readonly title: string;
  readonly startedAt: number;
  /** When it began by the monitor's word: before `startedAt` where the episode before it was taken to last longer. */
  readonly saidStartedAt: number;
  readonly endedAt: number | null;
  readonly remoteId: string;
  readonly suppressedBy: readonly string[];
  readonly acknowledgedBy: string | null;
}

/** What a monitor says now, with its times in epoch milliseconds. */
export interface IncomingAlert {
  readonly status: "firing" | "resolved";
  readonly severity: Alert["severity"];
  readonly title: string;
  readonly startsAt: number;
  readonly endsAt: number | null;
  readonly remoteId: string;
  readonly suppressedBy: readonly string[];
  readonly acknowledgedBy: string | null;
}

/** What an alert means, given the newest episode of its fingerprint. */
export type FoldVerdict =
  | { readonly kind: "begin"; readonly startedAt: number }
  /** It was over before anybody heard of it: an episode that begins as ended. */
  | { readonly kind: "begin-ended"; readonly startedAt: number; readonly endedAt: number }
  | { readonly kind: "change"; readonly changed: readonly ChangedField[] }
  | { readonly kind: "end"; readonly endedAt: number }
  | { readonly kind: "ignore"; readonly why: "unchanged" | "late" };

export type ChangedField = "severity" | "title" | "suppressedBy" | "acknowledgedBy" | "remoteId";

/** A monitor's clock may run so far ahead before its word is not taken for the time. */
const CLOCK_TOLERANCE_MS = 300_000;

/**
 * Folds one more word of a monitor into what is known of its fingerprint: `newest` is the newest episode, or null. One episode is open at a time. What
 * comes twice, or late (a firing that had ended already, an end that is known), changes nothing: webhooks repeat themselves and overtake polls.
 */
export function foldAlert(newest: Episode | null, alert: IncomingAlert, now: number): FoldVerdict {
  const startedAt = alert.startsAt > now + CLOCK_TOLERANCE_MS ? now : alert.startsAt;
  const endedAt = Math.max(startedAt, Math.min(alert.endsAt ?? now, now));
  const open = newest?.status === "firing" ? newest : null;
  if (alert.status === "resolved") {
    if (open !== null) {
      // An end that lies before the open episode began, by the monitor's word, is that of an earlier one.
      if (alert.endsAt !== null && alert.endsAt < open.saidStartedAt) return { kind: "ignore", why: "late" };
      return { kind: "end", endedAt: Math.max(open.startedAt, endedAt) };
    }
    if (newest !== null && startedAt <= (newest.endedAt ?? newest.startedAt)) return { kind: "ignore", why: "late" };
    return { kind: "begin-ended", startedAt, endedAt };
  }
  if (open !== null) {
    const changed = changedFields(open, alert);
    return changed.length === 0 ? { kind: "ignore", why: "unchanged" } : { kind: "change", changed };
  }
  // The same beginning as the one that has ended: a repetition that was overtaken.
  if (newest !== null && alert.startsAt <= newest.startedAt) return { kind: "ignore", why: "late" };
  return { kind: "begin", startedAt: Math.max(startedAt, newest?.endedAt ?? startedAt) };
}

function changedFields(open: Episode, alert: IncomingAlert): readonly ChangedField[] {
  const changed: ChangedField[] = [];
  if (open.severity !== alert.severity) changed.push("severity");
  if (open.title !== alert.title) changed.push("title");
  if (open.acknowledgedBy !== alert.acknowledgedBy) changed.push("acknowledgedBy");
  if (open.remoteId !== alert.remoteId) changed.push("remoteId");
  if (open.suppressedBy.toSorted().join("\n") !== alert.suppressedBy.toSorted().join("\n")) changed.push("suppressedBy");
  return changed;
}
