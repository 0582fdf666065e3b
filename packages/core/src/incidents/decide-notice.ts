import type { Alert } from "@quiesce/sdk";
import { worstSeverity } from "../alerts/piped-alert.js";
import { type IncidentState, isLive } from "./incident-state.js";

/** What teams are told of an incident. */
export const incidentNotices = ["opened", "escalated", "reopened", "resolved"] as const;
export type IncidentNotice = (typeof incidentNotices)[number];

/** What of an incident decides whether its teams are told something. */
export interface NoticeFacts {
  readonly state: IncidentState;
  readonly severity: Alert["severity"];
  /** Raised in the middle of a storm: it is kept quiet unless it is critical. */
  readonly quiet: boolean;
  /** What they were told last; null: nothing yet. */
  readonly told: { readonly severity: Alert["severity"]; readonly over: boolean } | null;
}

/**
 * What the teams of an incident are told now; null: nothing. Each thing once: that it is there, that it became worse, that it is over, that it came
 * back. One that was over before anybody was told is told only when it was critical.
 */
export function decideNotice({ state, severity, quiet, told }: NoticeFacts): IncidentNotice | null {
  if (state === "merged") return null;
  const live = isLive(state);
  if (told === null) {
    if (severity === "critical") return "opened";
    return live && !quiet ? "opened" : null;
  }
  if (!live) return told.over ? null : "resolved";
  if (told.over) return "reopened";
  return worstSeverity([severity, told.severity]) === told.severity ? null : "escalated";
}
