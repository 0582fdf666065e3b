import type { Kpi } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../../db/client.js";
import { selectRows } from "../../db/select-rows.js";
import { appendEvents, payloadInstant } from "../../events/append-events.js";
import { integrationsOf } from "../kpi-scope.js";
import { alertEndpoint, endKpiAlert, raiseKpiAlert } from "../raise-kpi-alert.js";
import { kpiScopeOf, type StoredScope } from "../stored-scope.js";
import { type AnomalyRuleRow, anomalyRules } from "./store.js";

/** What is older when it is found is history: it is written down, and nobody is told. */
const newsMs = 1_800_000;
/** So long after its last anomaly an alert is over: a point is no state that could be well again. */
const quietMs = 1_800_000;

interface Told {
  readonly id: number;
  readonly integrationId: number;
  readonly key: string;
  readonly kpi: Kpi;
  readonly at: number;
  readonly score: number;
  readonly explanation: string;
  readonly now: number;
}

/** The fingerprint of the alert about a figure's anomalies. No monitor's of the same endpoint is likely to be this. */
export function anomalyFingerprint(of: { readonly integrationId: number; readonly kpi: Kpi }): string {
  return `quiesce:anomaly/${of.integrationId}/${of.kpi}`;
}

/** Tells of an anomaly that is news: an event, and an alert where a rule asks for one. */
export async function tellAnomaly(tx: Tx, told: Told): Promise<void> {
  const { now, at, key, kpi, score, explanation } = told;
  if (at < now - newsMs) return;
  await appendEvents(tx, [
    {
      kind: "anomaly.found",
      subjectKind: "integration",
      subjectKey: key,
      integrationKey: key,
      payload: { anomaly: String(told.id), kpi, at: payloadInstant(at), score, explanation },
    },
  ]);
  const rule = await ruleFor(tx, told);
  if (rule === null) return;
  const endpointId = await alertEndpoint(tx, {
    integrationIds: [told.integrationId],
    system: rule.scope.kind === "system" ? rule.scope.name : null,
  });
  if (endpointId === null) return;
  const fingerprint = anomalyFingerprint(told);
  const resource = { kind: "anomaly", name: `${key}/${kpi}` };
  const labels = { rule: rule.key, integration: key, kpi };
  // Where it fires already it goes on there.
  const [open] = await selectRows<{ endpointId: number }>(
    tx,
    sql`select alert_endpoint_id as "endpointId" from anomaly where integration_id = ${told.integrationId} and kpi = ${kpi} and alert_endpoint_id is not null limit 1`,
  );
  const place = open?.endpointId ?? endpointId;
  await raiseKpiAlert(
    tx,
    { endpointId: place, now },
    {
      fingerprint,
      severity: rule.severity,
      title: `${rule.title}: ${kpi} of ${key} is unusual. ${explanation}`,
      resource,
      labels,
      startedAt: at,
    },
  );
  await tx.execute(sql`update anomaly set alert_endpoint_id = ${place} where id = ${told.id}`);
}

/** The rule of the worst severity that wants an alert. */
async function ruleFor(tx: Tx, { integrationId, kpi, score }: Told): Promise<AnomalyRuleRow | null> {
  const ranks = ["critical", "major", "minor", "warning", "info"];
  const fitting: AnomalyRuleRow[] = [];
  for (const rule of await anomalyRules(tx))
    if ((rule.kpi === null || rule.kpi === kpi) && score >= rule.leastScore && (await isWithin(tx, { integrationId, scope: rule.scope })))
      fitting.push(rule);
  return fitting.toSorted((a, b) => ranks.indexOf(a.severity) - ranks.indexOf(b.severity))[0] ?? null;
}

async function isWithin(
  tx: Tx,
  { integrationId, scope }: { readonly integrationId: number; readonly scope: StoredScope },
): Promise<boolean> {
  if (scope.kind === "all") return true;
  try {
    return (await integrationsOf(tx, kpiScopeOf(scope))).some(({ id }) => id === integrationId);
  } catch {
    // A scope that has lost its last integration, or grew too large, has no such one.
    return false;
  }
}

/** Ends the alerts of figures whose last anomaly is long ago. */
export async function endQuietAlerts(tx: Tx, now: number): Promise<void> {
  const quiet = await selectRows<{ integrationId: number; kpi: Kpi; endpointId: number; last: number }>(
    tx,
    sql`select integration_id as "integrationId", kpi, min(alert_endpoint_id) as "endpointId", max(at) as last from anomaly
      where alert_endpoint_id is not null group by integration_id, kpi having max(at) < ${now - quietMs}::timestamptz`,
  );
  for (const { integrationId, kpi, endpointId, last } of quiet) {
    await endKpiAlert(
      tx,
      { endpointId, now },
      { fingerprint: anomalyFingerprint({ integrationId, kpi }), endedAt: Math.min(now, last + quietMs) },
    );
    await tx.execute(
      sql`update anomaly set alert_endpoint_id = null where integration_id = ${integrationId} and kpi = ${kpi} and alert_endpoint_id is not null`,
    );
  }
}
