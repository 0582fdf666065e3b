import type { IncidentNotice } from "../incidents/decide-notice.js";

/** The events of incidents that owner teams are told unless a webhook names its own. */
export const usualIncidentMessages = [
  "incident.opened",
  "incident.escalated",
  "incident.reopened",
  "incident.resolved",
  "incident.transfer-offered",
] as const satisfies readonly (`incident.${IncidentNotice}` | "incident.transfer-offered")[];

/** A message names so many incidents; its count says how many there are. */
export const maxIncidentsOfMessage = 50;

/** What a message tells of an incident. Instants are epoch milliseconds. */
export interface IncidentMessageFacts {
  readonly key: string;
  readonly title: string;
  readonly state: string;
  readonly severity: string;
  /** The probable cause: a system, or a resource as endpoint/name. */
  readonly root: string;
  readonly system: string | null;
  readonly ownerTeam: string | null;
  readonly openedAt: number;
  readonly resolvedAt: number | null;
  readonly alerts: number;
  /** Integrations that pass through the system. */
  readonly integrations: readonly string[];
}

/** One message about everything of one kind that became of incidents at one moment, in the shape of Standard Webhooks. */
export function incidentMessage(
  kind: string,
  {
    at,
    incidents,
    event,
  }: { readonly at: number; readonly incidents: readonly IncidentMessageFacts[]; readonly event?: { readonly [name: string]: unknown } },
): { readonly [name: string]: unknown } {
  const listed = incidents.slice(0, maxIncidentsOfMessage).map(({ openedAt, resolvedAt, ...incident }) => ({
    ...incident,
    openedAt: new Date(openedAt).toISOString(),
    resolvedAt: resolvedAt === null ? null : new Date(resolvedAt).toISOString(),
  }));
  const data = { incidents: listed, incidentCount: incidents.length, ...(event === undefined ? {} : { event }) };
  return { type: kind, timestamp: new Date(at).toISOString(), data };
}
