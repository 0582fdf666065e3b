import type { AlertFilter, AlertSeverity } from "./alerts.generated.js";
import type { IncidentFilter, IncidentState } from "./incidents.generated.js";

export const severities = ["CRITICAL", "MAJOR", "MINOR", "WARNING", "INFO"] as const satisfies readonly AlertSeverity[];
/** States in which somebody has to care. */
export const liveStates = ["OPEN", "ACKNOWLEDGED", "IN_PROGRESS", "ON_HOLD"] as const satisfies readonly IncidentState[];
const overStates = ["RESOLVED", "CLOSED"] as const satisfies readonly IncidentState[];

/** Which incidents a list shows. Left out: those that are live. */
export const shownIncidents = ["live", "untaken", "over", "all"] as const;
/** Which alerts a list shows. Left out: those that fire. */
export const shownAlerts = ["firing", "quiet", "all"] as const;

/** What the address says of a list of incidents. */
export interface IncidentFilters {
  readonly show?: (typeof shownIncidents)[number];
  readonly severity?: AlertSeverity;
  /** A team by its key. */
  readonly team?: string;
}

/** What the address says of a list of alerts. */
export interface AlertFilters {
  readonly show?: (typeof shownAlerts)[number];
  readonly severity?: AlertSeverity;
}

type Search = { readonly [name: string]: unknown };

export function incidentFilters(search: Search): IncidentFilters {
  const show = shownIncidents.find((one) => one === search["show"]);
  const team = search["team"];
  return {
    ...(show === undefined ? {} : { show }),
    ...severityOf(search),
    ...(typeof team === "string" && team !== "" ? { team } : {}),
  };
}

export function alertFilters(search: Search): AlertFilters {
  const show = shownAlerts.find((one) => one === search["show"]);
  return { ...(show === undefined ? {} : { show }), ...severityOf(search) };
}

function severityOf(search: Search): { readonly severity?: AlertSeverity } {
  const severity = severities.find((one) => one === search["severity"]);
  return severity === undefined ? {} : { severity };
}

/** The filters of the address as the API takes them. */
export function incidentFilterOf({ show = "live", severity, team }: IncidentFilters): IncidentFilter {
  const states = { live: [...liveStates], untaken: ["OPEN" as const], over: [...overStates], all: null }[show];
  return { states, severities: severity === undefined ? null : [severity], team: team ?? null };
}

/** The filters of the address as the API takes them. */
export function alertFilterOf({ show = "firing", severity }: AlertFilters): AlertFilter {
  return {
    statuses: show === "all" ? null : ["FIRING"],
    muted: show === "quiet" ? true : null,
    severities: severity === undefined ? null : [severity],
  };
}
