import type { Alert } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import { takeAlerts } from "../alerts/take-alerts.js";
import type { Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { integers } from "../db/sql-arrays.js";

/** What this server says by its figures. */
export interface KpiAlert {
  /** The same as long as the same thing is wrong; no monitor's is likely to begin so. */
  readonly fingerprint: string;
  readonly severity: Alert["severity"];
  readonly title: string;
  /** What kind of thing says so, and its key: objective, threshold, anomaly. */
  readonly resource: { readonly kind: string; readonly name: string };
  readonly labels: { readonly [name: string]: string };
  readonly startedAt: number;
}

/**
 * Where an alert about an integration belongs: its target, else its source, else the first endpoint of a system on its route. `system`: an endpoint of that system
 * goes first. null: nothing stands for it, and there can be no alert.
 */
export async function alertEndpoint(
  tx: Tx,
  of: { readonly integrationIds: readonly number[]; readonly system: string | null },
): Promise<number | null> {
  const [row] = await selectRows<{ id: number }>(
    tx,
    sql`
    select e.id from endpoint as e join system as s on s.id = e.system_id
    join unnest(${integers(of.integrationIds)}) with ordinality as w(integration_id, n) on true join integration as i on i.id = w.integration_id
    where e.id in (i.target_endpoint_id, i.source_endpoint_id)
      or exists (select from integration_system as r where r.integration_id = i.id and r.system_id = e.system_id)
    order by s.key is distinct from ${of.system}::text, w.n, e.id is distinct from i.target_endpoint_id, e.id is distinct from i.source_endpoint_id, e.key
    limit 1`,
  );
  return row?.id ?? null;
}

/** Raises an alert at an endpoint, or says it anew, through the same intake as those of monitors. */
export async function raiseKpiAlert(tx: Tx, at: { readonly endpointId: number; readonly now: number }, alert: KpiAlert): Promise<void> {
  await say(tx, at, { ...alert, status: "firing" });
}

/** Ends an alert that was raised; nothing when it is not there. */
export async function endKpiAlert(
  tx: Tx,
  at: { readonly endpointId: number; readonly now: number },
  given: { readonly fingerprint: string; readonly endedAt: number },
): Promise<void> {
  const [open] = await selectRows<{
    severity: Alert["severity"];
    title: string;
    kind: string;
    name: string;
    labels: KpiAlert["labels"];
    startedAt: number;
  }>(
    tx,
    sql`select severity, title, resource_kind as kind, resource_name as name, labels, started_at as "startedAt" from alert
      where endpoint_id = ${at.endpointId} and fingerprint = ${given.fingerprint} and status = 'firing' and origin = 'kpi'`,
  );
  if (open === undefined) return;
  const { kind, name, ...alert } = open;
  await say(tx, at, {
    ...alert,
    fingerprint: given.fingerprint,
    resource: { kind, name },
    status: "resolved",
    endedAt: Math.max(given.endedAt, open.startedAt),
  });
}

async function say(
  tx: Tx,
  { endpointId, now }: { readonly endpointId: number; readonly now: number },
  said: KpiAlert & ({ readonly status: "firing" } | { readonly status: "resolved"; readonly endedAt: number }),
): Promise<void> {
  const [endpoint] = await selectRows<{ id: number; key: string }>(tx, sql`select id, key from endpoint where id = ${endpointId}`);
  if (endpoint === undefined) return;
  const alert: Alert = {
    id: said.fingerprint,
    fingerprint: said.fingerprint,
    status: said.status,
    severity: said.severity,
    title: said.title,
    startsAt: new Date(Math.min(said.startedAt, now)).toISOString(),
    ...(said.status === "resolved" ? { endsAt: new Date(Math.min(said.endedAt, now)).toISOString() } : {}),
    resource: said.resource,
    labels: said.labels,
  };
  await takeAlerts(tx, { endpoint, alerts: [alert], completeAsOf: null, now, origin: "kpi" });
}
