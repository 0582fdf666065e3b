import type { IntlShape } from "react-intl";
import type { Times } from "../app/times.js";
import type { IncidentProgressSubscription } from "./incident.generated.js";

export type ShownIncident = IncidentProgressSubscription["incidentProgress"]["incident"];

interface Speaking {
  readonly intl: Pick<IntlShape, "formatMessage">;
  readonly times: Times;
}

/** What, since when, whom it touches: "ERP does not answer, since 06:02. 12 integrations pass through what is broken." */
export function incidentSentence(
  incident: Pick<ShownIncident, "title" | "state" | "startedAt" | "resolvedAt" | "integrations" | "mergedInto">,
  { intl, times }: Speaking,
): string {
  const title = incident.title.replace(/[.\s]+$/u, "");
  const { startedAt, resolvedAt, mergedInto } = incident;
  const since = times.instant(startedAt);
  if (mergedInto !== null) return intl.formatMessage({ id: "incidents.page.merged" }, { title, key: mergedInto.key });
  if (resolvedAt !== null) {
    const length = times.length(Date.parse(resolvedAt) - Date.parse(startedAt));
    return intl.formatMessage({ id: "incidents.page.over" }, { title, since, end: times.instant(resolvedAt), length });
  }
  return intl.formatMessage({ id: "incidents.page.live" }, { title, since, count: incident.integrations.length });
}
